import { styleText } from "node:util";
import { usageLine } from "./arguments.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { type Flag, HELP_FLAG, type Setting, type Verb, type VerbGroup } from "./verb.ts";

/** The width help is wrapped to, where the terminal is not narrower. */
const WIDTH = 100;

/** How help is laid out. */
export interface HelpOptions {
  readonly width: number | undefined;
  readonly colour: boolean;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Two columns: terms, and what is said about them, wrapped beside. */
function definitions(entries: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.min(36, Math.max(...entries.map(([term]) => term.length)));
  return entries.flatMap(([term, text]) => {
    const lines = wrap(text, Math.max(24, width - left - 4));
    const first =
      term.length > left
        ? [`  ${term}`, `  ${" ".repeat(left)}  ${lines[0]}`]
        : [`  ${term.padEnd(left)}  ${lines[0]}`];
    return [...first, ...lines.slice(1).map((line) => `  ${" ".repeat(left)}  ${line}`)];
  });
}

/** A flag as it is written: `-o, --output FORMAT`. */
export function flagTerm(flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.placeholder === undefined ? "" : ` ${flag.placeholder}`}`;
}

/** What is said about a flag: what it does, its choices, environment variable and default. */
export function flagText(flag: Flag): string {
  const choices = flag.choices !== undefined && flag.name !== "output" ? ` One of ${flag.choices.join(", ")}.` : "";
  const notes = [
    ...(flag.required ? ["required"] : []),
    ...(flag.repeatable ? ["may be repeated"] : []),
    ...(flag.env === undefined ? [] : [`env ${flag.env}`]),
    ...(flag.default === undefined ? [] : [`default: ${flag.default}`]),
  ];
  return `${flag.summary}${choices}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
}

function heading(text: string, options: HelpOptions): string {
  return options.colour ? styleText("bold", `${text}:`, { validateStream: false }) : `${text}:`;
}

/** Help about the command: its verbs, how to start, and the exit codes. */
export function renderOverview(groups: readonly VerbGroup[], options: HelpOptions): string {
  const width = Math.min(WIDTH, options.width ?? WIDTH);
  const longest = Math.max(...groups.flatMap(({ verbs }) => verbs.map((verb) => verb.name.length)));
  return [
    "jobqueue runs, pauses and shows Postgres-backed job queues.",
    "",
    heading("Usage", options),
    "  jobqueue VERB [arguments] [flags]",
    "",
    ...groups.flatMap(({ title, verbs }) => [
      heading(title, options),
      ...definitions(
        verbs.map((verb) => [verb.name.padEnd(longest), verb.summary] as const),
        width,
      ),
      "",
    ]),
    heading("The store", options),
    ...wrap(
      "is found by --store-url or DATABASE_URL, or through a JobStore object: --namespace and --store, in the current context of kubectl. " +
        "Without any of these it is the JobStore 'default' of the current context. " +
        "Most verbs also go through the admin API: --admin-url or JOBQUEUE_ADMIN_URL, with its key in JOBQUEUE_API_KEY.",
      width - 2,
    ).map((line) => `  ${line}`),
    "",
    heading("Exit codes", options),
    ...definitions(
      Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code).padStart(3), meaning] as const),
      width,
    ),
    "",
    ...wrap("`jobqueue help VERB` shows the flags of a verb, with examples.", width),
    "",
  ].join("\n");
}

/** A setting as it is written: `--queues (JOBQUEUE_QUEUES)`. */
function settingTerm(setting: Setting): string {
  return setting.flag === undefined ? setting.env : `${setting.flag}, ${setting.env}`;
}

/** What is said about a setting. */
export function settingText(setting: Setting): string {
  return setting.default ? `${setting.help} (default: ${setting.default})` : setting.help;
}

/** Help about one verb; `settings` are those of a verb that reads its flags itself. */
export function renderVerbHelp(verb: Verb, settings: readonly Setting[], options: HelpOptions): string {
  const width = Math.min(WIDTH, options.width ?? WIDTH);
  const sections: string[][] = [[heading("Usage", options), `  ${usageLine(verb)}`], wrap(verb.summary, width)];
  if (verb.description.length > 0) sections.push(verb.description.flatMap((paragraph) => wrap(paragraph, width)));
  if (verb.positionals.length > 0) {
    const entries = verb.positionals.map(({ name, summary }) => [name, summary] as const);
    sections.push([heading("Arguments", options), ...definitions(entries, width)]);
  }
  const groups = [{ title: "Flags", flags: [...verb.flags, HELP_FLAG] }, ...verb.groups];
  for (const { title, flags } of groups) {
    const entries = flags.map((flag) => [flagTerm(flag), flagText(flag)] as const);
    sections.push([heading(title, options), ...definitions(entries, width)]);
  }
  if (settings.length > 0) {
    const entries = settings.map((setting) => [settingTerm(setting), settingText(setting)] as const);
    sections.push([
      heading("Settings: flag, or environment variable; a flag wins", options),
      ...definitions(entries, width),
    ]);
  }
  const examples = verb.examples.flatMap(({ command, does }) => [`  # ${does}`, `  ${command}`]);
  sections.push([heading("Examples", options), ...examples]);
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
