import { usageLine } from "./arguments.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { flagTerm, flagText, settingText } from "./help.ts";
import type { Flag, FlagGroup, Setting, Verb, VerbGroup } from "./verb.ts";

const escape = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const lines = rows.map(([left, right]) => `| ${left} | ${right} |`);
  return [`| ${head.join(" | ")} |`, "|---|---|", ...lines].join("\n");
}

function flagTable(flags: readonly Flag[]): string {
  return table(
    ["flag", "what it does"],
    flags.map((flag) => [`\`${escape(flagTerm(flag).trim())}\``, escape(flagText(flag))]),
  );
}

function settingTable(settings: readonly Setting[]): string {
  const term = ({ flag, env }: Setting): string => (flag === undefined ? `\`${env}\`` : `\`${flag}\` or \`${env}\``);
  return table(
    ["flag or environment variable", "what it says"],
    settings.map((setting) => [term(setting), escape(settingText(setting))]),
  );
}

function section(verb: Verb, settings: readonly Setting[]): string[] {
  const groups = verb.groups.map((group) => `[${group.title}](#${anchor(group.title)})`);
  return [
    `## ${verb.name}`,
    verb.summary,
    `\`\`\`\n${usageLine(verb)}\n\`\`\``,
    ...(verb.description.length === 0 ? [] : [escape(verb.description.join("\n\n"))]),
    ...(verb.positionals.length === 0
      ? []
      : [
          table(
            ["argument", "what it is"],
            verb.positionals.map(({ name, summary }) => [`\`${name}\``, escape(summary)]),
          ),
        ]),
    ...(verb.flags.length === 0 ? [] : [flagTable(verb.flags)]),
    ...(settings.length === 0 ? [] : [settingTable(settings)]),
    ...(groups.length === 0 ? [] : [`Also the flags of ${new Intl.ListFormat("en").format(groups)}.`]),
    `\`\`\`\n${verb.examples.map(({ command, does }) => `# ${does}\n${command}`).join("\n")}\n\`\`\``,
  ];
}

/** The name by which a heading is linked to, as GitHub makes it. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(/\s/g, "-");
}

/** The reference of the command, made from the table of verbs. */
export async function renderReference(verbGroups: readonly VerbGroup[]): Promise<string> {
  const verbs = verbGroups.flatMap((group) => group.verbs);
  const groups = [...new Set<FlagGroup>(verbs.flatMap((verb) => verb.groups))];
  const sections = await Promise.all(verbs.map(async (verb) => section(verb, (await verb.settings?.()) ?? [])));
  return [
    '<!-- Made from cli/src/table/ by cli/scripts/generate-reference.ts; run "make generate". -->',
    "# The command `jobqueue`",
    ...verbGroups.map((group) =>
      table(
        [group.title, "what it does"],
        group.verbs.map((verb) => [`[\`${verb.name}\`](#${anchor(verb.name)})`, escape(verb.summary)]),
      ),
    ),
    "Every verb has `--help`. Results go to standard output, everything else to standard error. Colours are used only on a terminal, and not with `NO_COLOR`. `DEBUG=1` shows where a failure comes from.",
    ...sections.flat(),
    ...groups.flatMap((group) => [`## ${group.title}`, flagTable(group.flags)]),
    "Without any of the flags that name a store it is the one of `DATABASE_URL` (in a worker's pod with the `JOBQUEUE_TLS_MODE` and `JOBQUEUE_TLS_CA_FILE` beside it), else the JobStore `default` of the current context. The Secret that a JobStore names is read with your own rights. When its host is a name that only the cluster knows, the command goes through `kubectl port-forward` by itself.",
    "Verbs with `--admin-url` look and act through the admin API where that, or `JOBQUEUE_ADMIN_URL`, is given; the variable goes before `DATABASE_URL` and after the flags that name a database. They print the same and end with the same codes. In the audit trail is then whose key it was, and each look at what jobs carry. `JOBQUEUE_API_KEY` has the key, an API key or a bearer token of the cluster; where both say one, `--api-key-file` goes before it, and it before `JOBQUEUE_API_KEY_FILE`.",
    "## Exit codes",
    table(
      ["code", "meaning"],
      Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), escape(meaning)]),
    ),
  ].join("\n\n");
}
