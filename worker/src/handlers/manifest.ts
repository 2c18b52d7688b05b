import { dirname, resolve } from "node:path";
import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { kindProblem, timeoutProblem } from "./handler.ts";

/** An executable handler as `handlers.yaml` describes it. */
export interface ExecutableSpec {
  readonly kind: string;
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly timeoutSeconds?: number | undefined;
  /** Variables given to the program. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of the worker's own variables that the program may see as well. */
  readonly passEnv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** `user` or `user:group`, names or numbers; the worker's own user when absent. */
  readonly runAs?: string | undefined;
  /** Exit codes that say that no further attempt can help: the job is dead at once. */
  readonly permanentExitCodes: readonly number[];
}

/** What a manifest says, or what is wrong with it; a manifest with problems is not used at all. */
export interface Manifest {
  readonly handlers: readonly ExecutableSpec[];
  /** One sentence each, with file and line. */
  readonly problems: readonly string[];
}

/** Properties of one handler, in the order of the documentation. `handlers.schema.json` names the same. */
export const HANDLER_PROPERTIES = [
  "command",
  "timeoutSeconds",
  "env",
  "passEnv",
  "cwd",
  "runAs",
  "permanentExitCodes",
] as const;

/** A variable that may not reach a handler: the worker's own settings and secrets. */
function isReservedVariable(name: string): boolean {
  return name === "DATABASE_URL" || name.startsWith("JOBQUEUE_");
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads the text of a `handlers.yaml`; `file` is its absolute path, for messages and to resolve relative paths. */
export function parseManifest(text: string, file: string): Manifest {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return { handlers: [], problems: document.errors.map((error) => `${file}: ${error.message.trimEnd()}`) };
  }
  const reader = new ManifestReader(document, file, lines);
  const handlers = reader.read();
  return reader.problems.length > 0 ? { handlers: [], problems: reader.problems } : { handlers, problems: [] };
}

class ManifestReader {
  readonly problems: string[] = [];
  readonly #document: Document;
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(document: Document, file: string, lines: LineCounter) {
    this.#document = document;
    this.#file = file;
    this.#lines = lines;
  }

  read(): ExecutableSpec[] {
    const content: unknown = this.#document.toJS();
    if (!isRecord(content)) {
      this.#problem([], "must be a mapping with the key handlers");
      return [];
    }
    this.#unknownKeys([], content, ["handlers"]);
    const { handlers } = content;
    if (!isRecord(handlers) || Object.keys(handlers).length === 0) {
      this.#problem(["handlers"], "must map at least one kind to its handler");
      return [];
    }
    return Object.entries(handlers).map(([kind, spec]) => this.#handler(kind, spec));
  }

  #handler(kind: string, spec: unknown): ExecutableSpec {
    const at = ["handlers", kind];
    const wrongKind = kindProblem(kind);
    if (wrongKind !== undefined) this.#problem(at, wrongKind);
    const fields = isRecord(spec) ? spec : {};
    if (!isRecord(spec)) this.#problem(at, "must be a mapping with the key command");
    else this.#unknownKeys(at, spec, HANDLER_PROPERTIES);
    const { timeoutSeconds, cwd } = fields;
    const wrongTimeout = timeoutProblem(timeoutSeconds);
    if (wrongTimeout !== undefined) this.#problem([...at, "timeoutSeconds"], wrongTimeout);
    if (cwd !== undefined && (typeof cwd !== "string" || cwd === "")) this.#problem([...at, "cwd"], "must be a path");
    return {
      kind,
      command: isRecord(spec) ? this.#command(at, fields["command"]) : [],
      timeoutSeconds: typeof timeoutSeconds === "number" ? timeoutSeconds : undefined,
      env: this.#env([...at, "env"], fields["env"]),
      passEnv: this.#passEnv([...at, "passEnv"], fields["passEnv"]),
      cwd: resolve(dirname(this.#file), typeof cwd === "string" ? cwd : "."),
      runAs: this.#runAs([...at, "runAs"], fields["runAs"]),
      permanentExitCodes: this.#exitCodes([...at, "permanentExitCodes"], fields["permanentExitCodes"]),
    };
  }

  #command(at: readonly string[], command: unknown): string[] {
    const path = [...at, "command"];
    if (typeof command === "string") {
      this.#problem(path, `must be a list, no shell reads it: write [${command.split(/\s+/).join(", ")}]`);
    } else if (!Array.isArray(command) || command.length === 0 || command[0] === "") {
      this.#problem(path, "must be a list of the program and its arguments, for example [python3, resize.py]");
    } else if (!command.every((word): word is string => typeof word === "string")) {
      this.#problem(path, "must consist of texts: put numbers and true or false in quotes");
    } else {
      return command;
    }
    return [];
  }

  #runAs(path: readonly string[], runAs: unknown): string | undefined {
    if (runAs === undefined) return undefined;
    // A number alone is a user's number, which YAML does not read as a text.
    if (typeof runAs === "string" || typeof runAs === "number") return String(runAs);
    this.#problem(path, "must be user or user:group, names or numbers");
    return undefined;
  }

  #exitCodes(path: readonly string[], codes: unknown): number[] {
    if (codes === undefined) return [];
    const isExitCode = (code: unknown): code is number =>
      typeof code === "number" && Number.isInteger(code) && code >= 1 && code <= 255;
    if (Array.isArray(codes) && codes.every(isExitCode)) return codes;
    this.#problem(path, "must be a list of exit codes from 1 to 255");
    return [];
  }

  #env(path: readonly string[], env: unknown): Record<string, string> {
    if (env === undefined) return {};
    if (!isRecord(env)) {
      this.#problem(path, "must map names of variables to texts");
      return {};
    }
    for (const [name, value] of Object.entries(env)) {
      this.#variable([...path, name], name);
      if (typeof value !== "string") this.#problem([...path, name], "must be a text: put it in quotes");
    }
    return env as Record<string, string>;
  }

  #passEnv(path: readonly string[], names: unknown): string[] {
    if (names === undefined) return [];
    if (!Array.isArray(names) || !names.every((name): name is string => typeof name === "string")) {
      this.#problem(path, "must be a list of names of variables");
      return [];
    }
    for (const name of names) this.#variable(path, name);
    return names;
  }

  #variable(path: readonly string[], name: string): void {
    if (!VARIABLE_NAME.test(name)) this.#problem(path, `${JSON.stringify(name)} is no name of a variable`);
    else if (isReservedVariable(name))
      this.#problem(path, `${name} belongs to the worker and is never given to a handler`);
  }

  #unknownKeys(at: readonly string[], fields: Record<string, unknown>, known: readonly string[]): void {
    for (const key of Object.keys(fields)) {
      if (!known.includes(key)) this.#problem([...at, key], `is not known; known are ${known.join(", ")}`);
    }
  }

  #problem(path: readonly string[], what: string): void {
    const where = path.length === 0 ? "the file" : path.join(".");
    this.problems.push(`${this.#file}:${this.#lineOf(path)}: ${where}: ${what}`);
  }

  /** Line of the key a path leads to, or of the nearest one above it that exists. */
  #lineOf(path: readonly string[]): number {
    let line = 1;
    let node: unknown = this.#document.contents;
    for (const name of path) {
      if (!isMap(node)) break;
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
      if (pair === undefined) break;
      const start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      if (start !== undefined && start !== null) line = this.#lines.linePos(start).line;
      node = pair.value;
    }
    return line;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
