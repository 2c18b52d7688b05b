import type { Arguments } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

/** What a flag's value is. `switch` has none; `duration` is written `1h30m` and read in seconds. */
export type FlagType = "text" | "integer" | "duration" | "choice" | "switch";

/** One flag of the command line. A name means the same in every verb that has it. */
export interface Flag {
  /** Long name, without dashes. */
  readonly name: string;
  /** One-letter name, without dash. */
  readonly short?: string;
  readonly type: FlagType;
  /** What stands for the value in the help, in capitals. Not for switches. */
  readonly placeholder?: string;
  /** The values that are allowed, of a `choice`. */
  readonly choices?: readonly string[];
  /** Smallest and largest value, of an `integer`. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** What it does, as a sentence. */
  readonly summary: string;
  /** What holds when it is left out, for people. */
  readonly default?: string;
  /** The environment variable that is read when the flag is left out. */
  readonly env?: string;
  readonly required?: boolean;
  /** What to do instead, where a verb that does not have it is given it. */
  readonly elsewhere?: string;
  /** May be given several times; only of type `text`. */
  readonly repeatable?: boolean;
}

/** One argument without a name. */
interface Positional {
  /** In capitals. */
  readonly name: string;
  readonly required: boolean;
  /** Takes all arguments that are left; only of the last one. */
  readonly many?: boolean;
  readonly summary: string;
}

/** Flags that belong together in the help. */
export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly Flag[];
}

/** One setting of a verb that reads its flags and environment itself. */
export interface Setting {
  /** With dashes. Absent for facts that only the environment knows. */
  readonly flag?: string;
  readonly env: string;
  readonly default?: string;
  readonly help: string;
}

/** What carries a verb out: prints its result, resolves with the exit code, throws Failure for what people can mend. */
export type RunVerb = (args: Arguments, terminal: Terminal) => Promise<number>;

/** One verb: everything that parsing, help and reference need, and where its code is. */
export interface Verb {
  /** One word, or two where several verbs work on one thing: `schedule put`. */
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** Paragraphs for its own help. */
  readonly description: readonly string[];
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** Groups of flags that it shares with others. */
  readonly groups: readonly FlagGroup[];
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /**
   * Only of verbs that are programs of their own (worker, operator): their settings, from the table of their package. Such a
   * verb comes first on the command line, and gets what follows as it stands.
   */
  readonly settings?: () => Promise<readonly Setting[]>;
  /** Loads its code: only the verb that is asked for, so that `status` does not load the operator. */
  readonly load: () => Promise<{ readonly run: RunVerb }>;
}

/** Verbs that belong together in the help. */
export interface VerbGroup {
  readonly title: string;
  readonly verbs: readonly Verb[];
}

/** All flags of a verb, its own first, `--help` last. */
export function flagsOf(verb: Verb): readonly Flag[] {
  return [...verb.flags, ...verb.groups.flatMap((group) => group.flags), HELP_FLAG];
}

/** The flag that every verb has. */
export const HELP_FLAG: Flag = { name: "help", short: "h", type: "switch", summary: "Show this help." };
