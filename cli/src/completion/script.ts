import { flagsOf, type Flag, type Verb } from "../verb.ts";

/** The shells whose completion can be written. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A verb as completion knows it. */
interface Completed {
  /** `schedule put`, or the first word of such verbs alone. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
}

/** In single quotes, for any of the three shells. */
const quoted = (text: string, escape: string): string => `'${text.replaceAll("'", escape)}'`;
const POSIX = String.raw`'\''`;
const FISH = String.raw`\'`;

const firstWord = (name: string): string => name.split(" ")[0] ?? name;
const words = (items: readonly string[]): string => items.join(" ");

/** Verbs by their first word; of several words, what may follow. */
function byFirstWord(verbs: readonly Completed[]): Map<string, readonly Completed[]> {
  const groups = new Map<string, Completed[]>();
  for (const verb of verbs) groups.set(firstWord(verb.name), [...(groups.get(firstWord(verb.name)) ?? []), verb]);
  return groups;
}

const dashed = ({ name, short }: Flag): string[] => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];

/** `case` arms that give the choices of flags that have some; a name means the same in every verb but for its choices. */
function choiceArms(verb: Completed): string[] {
  return verb.flags.flatMap((flag) =>
    flag.choices === undefined
      ? []
      : [`"${verb.name}:${dashed(flag).join(`"|"${verb.name}:`)}") words=${quoted(words(flag.choices), POSIX)} ;;`],
  );
}

/** Flags whose value is a name of a file; everything else that takes a value gets no suggestion. */
const FILES: ReadonlySet<string> = new Set(["filename", "kubeconfig"]);

function bash(verbs: readonly Completed[]): string {
  const groups = byFirstWord(verbs);
  const nested = [...groups].filter(([, members]) => members.some(({ name }) => name.includes(" ")));
  const takesValue = [
    ...new Set(verbs.flatMap(({ flags }) => flags.filter(({ type }) => type !== "switch").flatMap(dashed))),
  ];
  const files = [...FILES].flatMap((name) =>
    dashed(verbs.flatMap(({ flags }) => flags).find((flag) => flag.name === name) ?? ({ name } as Flag)),
  );
  return `# Completion of jobqueue for bash. Load it with: source <(jobqueue completion bash)
_jobqueue() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" verb="" index words=""
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in
      ${takesValue.join("|")}) index=$((index + 1)) ;;
      -*) ;;
      *) if [[ -z "$verb" ]]; then verb="\${COMP_WORDS[index]}"; else case "$verb" in
          ${nested.map(([first]) => first).join("|")}) verb="$verb \${COMP_WORDS[index]}"; break ;;
          *) break ;;
        esac; fi ;;
    esac
  done
  case "$before" in
    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$verb:$before" in
    ${verbs.flatMap(choiceArms).join("\n    ")}
  esac
  if [[ -z "$words" ]]; then
    case "$before" in
      ${takesValue.join("|")}) COMPREPLY=(); return ;;
    esac
    case "$verb" in
      "") words=${quoted(words([...groups.keys()]), POSIX)} ;;
      ${nested
        .map(([first, members]) => {
          const second = members.map(({ name }) => name.slice(first.length + 1)).filter(Boolean);
          return `"${first}") words=${quoted(words(second), POSIX)} ;;`;
        })
        .join("\n      ")}
      ${verbs.map(({ name, flags }) => `"${name}") words=${quoted(words(flags.map((flag) => `--${flag.name}`)), POSIX)} ;;`).join("\n      ")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _jobqueue jobqueue
complete -F _jobqueue kubectl-jobqueue
`;
}

function zsh(verbs: readonly Completed[]): string {
  // In the lists of _describe a colon parts name and text.
  const entry = (name: string, text: string): string => quoted(`${name.replaceAll(":", "\\:")}:${text}`, POSIX);
  const groups = byFirstWord(verbs);
  const flagSpec = ({ name, short, type, summary, choices, placeholder, repeatable }: Flag): string[] => {
    const text = summary.replaceAll(/[[\]\\]/g, String.raw`\$&`);
    const action = choices ? `(${words(choices)})` : FILES.has(name) ? "_files" : " ";
    const value = type === "switch" ? "" : `:${(placeholder ?? "VALUE").replaceAll(":", "")}:${action}`;
    const star = repeatable ? "*" : "";
    const long = quoted(`${star}--${name}${type === "switch" ? "" : "="}[${text}]${value}`, POSIX);
    return short === undefined ? [long] : [long, quoted(`${star}-${short}[${text}]${value}`, POSIX)];
  };
  const functionOf = (name: string): string => `_jobqueue_${name.replaceAll(/[ -]/g, "_")}`;
  // What is no flag is offered nothing. A message in its place would keep the only flag that fits from being inserted.
  const leaf = ({ name, flags }: Completed): string =>
    `${functionOf(name)}() {\n  _arguments -s \\\n    ${[...flags.flatMap(flagSpec), quoted("*: :( )", POSIX)].join(" \\\n    ")}\n}\n`;
  const branches = [...groups].filter(([first, members]) => members.some(({ name }) => name !== first));
  const branch = ([first, members]: [string, readonly Completed[]]): string =>
    `${functionOf(first)}_verbs() {
  local -a verbs=(${members.map(({ name, summary }) => entry(name.slice(first.length + 1), summary)).join(" ")})
  if ((CURRENT == 2)); then _describe verb verbs; return; fi
  local second="$words[2]"
  shift words; ((CURRENT--))
  case "$second" in
    ${members.map(({ name }) => `${name.slice(first.length + 1)}) ${functionOf(name)} ;;`).join("\n    ")}
  esac
}
`;
  const firsts = [...groups].map(([first, members]) =>
    entry(
      first,
      members.length === 1
        ? (members[0]?.summary ?? "")
        : words(members.map(({ name }) => name.slice(first.length + 1))),
    ),
  );
  const arms = [...groups].map(
    ([first, members]) =>
      `${first}) ${members.some(({ name }) => name !== first) ? `${functionOf(first)}_verbs` : functionOf(first)} ;;`,
  );
  return `#compdef jobqueue kubectl-jobqueue
# Completion of jobqueue for zsh. Load it with: source <(jobqueue completion zsh)
${verbs.map(leaf).join("")}${branches.map(branch).join("")}_jobqueue() {
  local -a verbs=(${firsts.join(" ")})
  if ((CURRENT == 2)); then _describe verb verbs; return; fi
  local first="$words[2]"
  shift words; ((CURRENT--))
  case "$first" in
    ${arms.join("\n    ")}
  esac
}
compdef _jobqueue jobqueue kubectl-jobqueue
`;
}

function fish(verbs: readonly Completed[]): string {
  const lines = [
    "# Completion of jobqueue for fish. Load it with: jobqueue completion fish | source",
    "complete -c jobqueue -f",
    "complete -c kubectl-jobqueue --wraps jobqueue",
  ];
  for (const [first, members] of byFirstWord(verbs)) {
    const text = members.length === 1 ? (members[0]?.summary ?? "") : "";
    lines.push(`complete -c jobqueue -n __fish_use_subcommand -a ${first} -d ${quoted(text, FISH)}`);
    const seconds = members.filter(({ name }) => name !== first);
    for (const { name, summary } of seconds) {
      const second = name.slice(first.length + 1);
      const others = seconds.map((other) => other.name.slice(first.length + 1)).join(" ");
      const when = quoted(`__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${others}`, FISH);
      lines.push(`complete -c jobqueue -n ${when} -a ${second} -d ${quoted(summary, FISH)}`);
    }
  }
  for (const { name, flags } of verbs) {
    // `pause` has been seen in `schedule pause`, too, and means something else there.
    const others = verbs.filter((other) => other.name.endsWith(` ${name}`)).map((other) => firstWord(other.name));
    const seen = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
    const unseen = others.map((first) => `not __fish_seen_subcommand_from ${first}`);
    const when = quoted([...seen, ...unseen].join("; and "), FISH);
    for (const flag of flags) {
      const value = flag.type === "switch" ? "" : FILES.has(flag.name) ? " -r -F" : " -x";
      const choices = flag.choices ? ` -a ${quoted(words(flag.choices), FISH)}` : "";
      const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
      lines.push(
        `complete -c jobqueue -n ${when} -l ${flag.name}${short}${value}${choices} -d ${quoted(flag.summary, FISH)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/**
 * The script that completes verbs, flags and choices in a shell. Made from the table of verbs alone: it asks neither store nor
 * cluster, so that a key press costs nothing. Of verbs that are programs of their own it knows what their package names.
 */
export async function completionScript(shell: Shell, verbs: readonly Verb[]): Promise<string> {
  const completed = await Promise.all(
    verbs.map(async (verb): Promise<Completed> => {
      const settings = (await verb.settings?.()) ?? [];
      const own = settings.flatMap(({ flag, help }): Flag[] =>
        flag === undefined ? [] : [{ name: flag.replace(/^--/, ""), type: "text", summary: help }],
      );
      return { name: verb.name, summary: verb.summary, flags: [...own, ...flagsOf(verb)] };
    }),
  );
  return { bash, zsh, fish }[shell](completed);
}
