import { parseArgs } from "node:util";
import { parseDuration } from "./duration.ts";
import { usageFailure } from "./failure.ts";
import { nearest } from "./nearest.ts";
import { type Flag, type FlagType, HELP_FLAG, type Verb, flagsOf } from "./verb.ts";

/** What a flag can be read as. */
type Value = string | number | true | readonly string[];

/** The arguments of one verb, checked against its table. Asking for what the table does not have is a defect of ours. */
export class Arguments {
  readonly #verb: Verb;
  readonly #positionals: readonly string[];
  readonly #values: ReadonlyMap<string, Value>;
  /** What followed the verb, of a verb that reads its flags itself; otherwise empty. */
  readonly rest: readonly string[];

  constructor(
    verb: Verb,
    positionals: readonly string[],
    values: ReadonlyMap<string, Value>,
    rest: readonly string[] = [],
  ) {
    this.rest = rest;
    this.#verb = verb;
    this.#positionals = positionals;
    this.#values = values;
  }

  /** A required positional, by its name. */
  positional(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new Error(`${this.#verb.name}: ${name} is not required, hence may be missing`);
    return value;
  }

  /** A positional that may be left out. */
  optional(name: string): string | undefined {
    const index = this.#verb.positionals.findIndex((positional) => positional.name === name);
    if (index === -1) throw new Error(`${this.#verb.name} has no positional ${name}`);
    return this.#positionals[index];
  }

  /** What was given for a positional that takes all that are left. */
  many(name: string): readonly string[] {
    const index = this.#verb.positionals.findIndex((positional) => positional.name === name && positional.many);
    if (index === -1) throw new Error(`${this.#verb.name} has no positional ${name} that takes many`);
    return this.#positionals.slice(index);
  }

  /** The value of a text or choice flag. */
  text(name: string): string | undefined {
    return this.#read(name, ["text", "choice"], false) as string | undefined;
  }

  /** The values of a flag that may be given several times. */
  texts(name: string): readonly string[] {
    return (this.#read(name, ["text"], true) as readonly string[] | undefined) ?? [];
  }

  /** Whether a flag was given, of whatever type. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of an integer flag; of a duration, its seconds. */
  number(name: string): number | undefined {
    return this.#read(name, ["integer", "duration"], false) as number | undefined;
  }

  /** Whether a switch is on. */
  on(name: string): boolean {
    return this.#read(name, ["switch"], false) === true;
  }

  #read(name: string, types: readonly string[], repeatable: boolean): Value | undefined {
    const flag = flagsOf(this.#verb).find((candidate) => candidate.name === name);
    if (!flag || !types.includes(flag.type) || (flag.repeatable ?? false) !== repeatable) {
      throw new Error(`${this.#verb.name} has no flag --${name} of type ${types.join(" or ")}`);
    }
    return this.#values.get(name);
  }
}

/** What a command line asks for. */
export type Request =
  | { readonly kind: "run"; readonly verb: Verb; readonly args: Arguments }
  /** Help about one thing, or about the command. */
  | { readonly kind: "help"; readonly topic: string | undefined };

interface Given {
  readonly flag: Flag;
  readonly raw: string;
  readonly value: string | true;
}

function dashed(flag: Flag): string {
  return `--${flag.name}`;
}

/** Reads the text of a value as what the flag takes, or says what it takes. */
const READ: Readonly<Record<Exclude<FlagType, "switch">, (flag: Flag, text: string) => string | number>> = {
  text: (flag, text) => {
    if (text === "") throw usageFailure(`${dashed(flag)} needs a value, not an empty one`);
    return text;
  },
  integer: (flag, text) => {
    const number = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = flag;
    if (number >= minimum && number <= maximum) return number;
    const low = flag.minimum === undefined ? "" : ` from ${flag.minimum}`;
    const high = flag.maximum === undefined ? "" : ` to ${flag.maximum}`;
    throw usageFailure(`${dashed(flag)} takes a whole number${low}${high}, not '${text}'`);
  },
  duration: (flag, text) => {
    const seconds = parseDuration(text);
    if (seconds !== undefined) return seconds;
    throw usageFailure(`${dashed(flag)} takes a length of time such as 45s, 5m, 1h30m or 2d, not '${text}'`);
  },
  choice: (flag, text) => {
    const choices = flag.choices ?? [];
    if (choices.includes(text)) return text;
    const near = nearest(text, choices);
    const message = `${dashed(flag)} takes one of ${choices.join(", ")}, not '${text}'`;
    throw usageFailure(message, near === undefined ? undefined : `Did you mean ${near}?`);
  },
};

function checkValue({ flag, value }: Given): string | number | true {
  return value === true || flag.type === "switch" ? true : READ[flag.type](flag, value);
}

/** All flags of all verbs by name, because flags may stand before the verb. A name has one type everywhere (tested). */
function everyFlag(verbs: readonly Verb[]): Map<string, Flag> {
  return new Map([HELP_FLAG, ...verbs.flatMap((verb) => flagsOf(verb))].map((flag) => [flag.name, flag]));
}

function tokenize(argv: readonly string[], flags: ReadonlyMap<string, Flag>): { given: Given[]; words: string[] } {
  const options = Object.fromEntries(
    [...flags.values()].map((flag) => [
      flag.name,
      {
        type: flag.type === "switch" ? ("boolean" as const) : ("string" as const),
        ...(flag.short ? { short: flag.short } : {}),
      },
    ]),
  );
  // Not strict: strict messages are those of Node, and know no nearest flag.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const given: Given[] = [];
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags.get(token.name);
    if (!flag) {
      const near = token.rawName.startsWith("--") ? nearest(token.name, [...flags.keys()]) : undefined;
      throw usageFailure(
        `there is no flag ${token.rawName}`,
        near === undefined ? "`jobqueue help VERB` lists the flags of a verb." : `Did you mean --${near}?`,
      );
    }
    if (!flag.repeatable && given.some((other) => other.flag.name === flag.name))
      throw usageFailure(`${dashed(flag)} is given twice`);
    if (flag.type === "switch") {
      if (token.value !== undefined) throw usageFailure(`${dashed(flag)} takes no value`);
      given.push({ flag, raw: token.rawName, value: true });
      continue;
    }
    const looksLikeFlag = !token.inlineValue && /^-[^\d]/.test(token.value ?? "");
    if (token.value === undefined || looksLikeFlag) {
      throw usageFailure(
        `${dashed(flag)} needs a value: ${dashed(flag)} ${flag.placeholder ?? "VALUE"}`,
        looksLikeFlag ? `If '${token.value}' is the value, write ${dashed(flag)}=${token.value}.` : undefined,
      );
    }
    given.push({ flag, raw: token.rawName, value: token.value });
  }
  return { given, words };
}

function checkPositionals(verb: Verb, words: readonly string[]): void {
  const missing = verb.positionals.slice(words.length).find((positional) => positional.required);
  const usage = `Usage: ${usageLine(verb)}`;
  if (missing) throw usageFailure(`${verb.name} needs ${missing.name}: ${missing.summary}`, usage);
  if (words.length <= verb.positionals.length || verb.positionals.at(-1)?.many) return;
  const takesQueue = verb.positionals.some((positional) => positional.name === "QUEUE");
  const most = verb.positionals.length;
  // A bare * becomes the names of all files of the folder before we see it.
  const star = takesQueue ? "\nIf you wrote a star, quote it: '*'" : "";
  const takes = most === 0 ? "no argument" : most === 1 ? "one argument" : `at most ${most} arguments`;
  throw usageFailure(
    `${verb.name} takes ${takes}, and got ${words.length}: ${words.slice(0, 4).join(" ")}`,
    `${usage}${star}`,
  );
}

/** The usage line of a verb, such as `jobqueue pause QUEUE --reason TEXT [flags]`. */
export function usageLine(verb: Verb): string {
  const positionals = verb.positionals.map(({ name, required, many }) => {
    const term = many ? `${name}…` : name;
    return required ? term : `[${term}]`;
  });
  const required = verb.flags.filter((flag) => flag.required).map((flag) => `${dashed(flag)} ${flag.placeholder}`);
  return ["jobqueue", verb.name, ...positionals, ...required, "[flags]"].join(" ");
}

/** The verb that the first word, or the first two words, name; or a failure that suggests what to write after `command`. */
export function findVerb(words: readonly string[], verbs: readonly Verb[], command = "jobqueue"): Verb {
  const [first = "", second] = words;
  const two = verbs.find((verb) => verb.name === `${first} ${second ?? ""}`);
  const found = two ?? verbs.find((verb) => verb.name === first);
  if (found) return found;
  const actions = verbs.filter((verb) => verb.name.startsWith(`${first} `)).map((verb) => verb.name);
  if (actions.length > 0) {
    const near = second === undefined ? undefined : nearest(`${first} ${second}`, actions);
    throw usageFailure(
      second === undefined ? `${first} needs to be told what to do` : `there is no verb '${first} ${second}'`,
      near === undefined
        ? `It is one of ${actions.map((name) => `\`${command} ${name}\``).join(", ")}.`
        : `Did you mean \`${command} ${near}\`?`,
    );
  }
  const near = nearest(
    first,
    verbs.map((verb) => verb.name),
  );
  throw usageFailure(
    `there is no verb '${first}'`,
    near === undefined ? "`jobqueue help` lists the verbs." : `Did you mean \`${command} ${near}\`?`,
  );
}

/** Reads a command line (without the program's name). Throws a usage failure that says what is wrong with it. */
export function parseCommandLine(argv: readonly string[], verbs: readonly Verb[]): Request {
  const program = verbs.find((candidate) => candidate.settings !== undefined && candidate.name === argv[0]);
  if (program) {
    const rest = argv.slice(1);
    if (rest.includes("--help") || rest.includes("-h")) return { kind: "help", topic: program.name };
    return { kind: "run", verb: program, args: new Arguments(program, [], new Map(), rest) };
  }
  const { given, words } = tokenize(argv, everyFlag(verbs));
  if (words.length === 0) {
    const other = given.find((entry) => entry.flag.name !== HELP_FLAG.name);
    if (other) throw usageFailure(`${other.raw} needs a verb before or after it`, "`jobqueue help` lists the verbs.");
    return { kind: "help", topic: undefined };
  }
  const verb = findVerb(words, verbs);
  const rest = words.slice(verb.name.split(" ").length);
  if (given.some((entry) => entry.flag.name === HELP_FLAG.name)) return { kind: "help", topic: verb.name };
  if (verb.settings) throw usageFailure(`${verb.name} comes first`, `Usage: ${usageLine(verb)}`);
  const own = new Map(flagsOf(verb).map((flag) => [flag.name, flag]));
  const foreign = given.find((entry) => !own.has(entry.flag.name));
  if (foreign) {
    const having = verbs
      .filter((candidate) => flagsOf(candidate).some((flag) => flag.name === foreign.flag.name))
      .map((candidate) => candidate.name);
    const some = having.length > 3 ? `${having.slice(0, 3).join(", ")} and others` : having.join(", ");
    throw usageFailure(
      `${verb.name} has no flag ${dashed(foreign.flag)} (${some} ${having.length === 1 ? "has" : "have"} it)`,
      foreign.flag.elsewhere ?? `\`jobqueue help ${verb.name}\` lists its flags.`,
    );
  }
  const values = new Map<string, Value>();
  for (const entry of given) {
    // What a flag allows may differ from verb to verb, so its own one decides.
    const value = checkValue({ ...entry, flag: own.get(entry.flag.name) ?? entry.flag });
    const before = values.get(entry.flag.name);
    values.set(entry.flag.name, entry.flag.repeatable ? [...((before as string[]) ?? []), String(value)] : value);
  }
  checkPositionals(verb, rest);
  const missing = flagsOf(verb).find((flag) => flag.required && !values.has(flag.name));
  if (missing) {
    throw usageFailure(`${verb.name} needs ${dashed(missing)}: ${missing.summary}`, `Usage: ${usageLine(verb)}`);
  }
  return { kind: "run", verb, args: new Arguments(verb, rest, values) };
}
