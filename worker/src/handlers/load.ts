import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { executableHandler } from "./executable.ts";
import { defineHandler, type Handler, kindProblem, timeoutProblem } from "./handler.ts";
import { type ExecutableSpec, parseManifest } from "./manifest.ts";
import { type ProgramUser, resolveRunAs, systemUsers } from "./run-as.ts";

/** The handlers of a worker, by kind. */
export type Handlers = ReadonlyMap<string, Handler>;

/** Handler files that cannot be used. */
export class HandlersError extends Error {
  override readonly name = "HandlersError";
  /** One sentence each, with the file. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Reads handler files: `.yaml` or `.yml` are manifests of executables, anything else is a module whose default export,
 * or export `handlers`, is a handler, a list of handlers, or an object of functions by kind.
 *
 * @throws HandlersError that lists every problem of every file.
 */
export async function loadHandlers(
  files: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Handlers> {
  const problems: string[] = [];
  const origin = new Map<string, string>();
  const handlers = new Map<string, Handler>();
  for (const file of files.map((name) => resolve(name))) {
    const found = /\.ya?ml$/.test(file) ? readManifest(file, environment, problems) : await readModule(file, problems);
    for (const handler of found) {
      const other = origin.get(handler.kind);
      if (other === undefined) {
        origin.set(handler.kind, file);
        handlers.set(handler.kind, handler);
      } else {
        problems.push(
          `${file}: the kind ${handler.kind} has a handler already${other === file ? "" : `, in ${other}`}`,
        );
      }
    }
  }
  if (handlers.size === 0 && problems.length === 0) problems.push("no handler file names a handler");
  if (problems.length > 0) throw new HandlersError(problems);
  return handlers;
}

function readManifest(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Handler[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    problems.push(`${file}: cannot be read: ${(error as Error).message}`);
    return [];
  }
  const manifest = parseManifest(text, file);
  problems.push(...manifest.problems);
  const handlers: Handler[] = [];
  for (const spec of manifest.handlers) {
    const user = programUser(spec);
    const problem = programProblem(spec, environment) ?? (typeof user === "string" ? `runAs: ${user}` : undefined);
    if (problem !== undefined) problems.push(`${file}: handlers.${spec.kind}: ${problem}`);
    else handlers.push(executableHandler(spec, environment, user as ProgramUser | undefined));
  }
  try {
    accessSync(tmpdir(), constants.W_OK);
  } catch {
    problems.push(
      `${tmpdir()} is not writable, and executable handlers keep payload and result there: mount a volume, or set TMPDIR`,
    );
  }
  return handlers;
}

/** The user of a program, or what is wrong with it; `undefined`: the worker's own. */
function programUser({ runAs }: ExecutableSpec): ProgramUser | string | undefined {
  return runAs === undefined ? undefined : resolveRunAs(runAs, systemUsers());
}

/** Why a program cannot be started, found before the first job rather than by it. */
function programProblem(
  { command, cwd, env }: ExecutableSpec,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) return `cwd: ${cwd} is no directory`;
  const program = command[0] ?? "";
  if (program.includes("/")) {
    const path = isAbsolute(program) ? program : join(cwd, program);
    return isExecutable(path) ? undefined : `command: ${path} is no executable file`;
  }
  const path = env["PATH"] ?? environment["PATH"] ?? "";
  if (path.split(delimiter).some((directory) => isExecutable(resolve(cwd, directory, program)))) return undefined;
  return `command: no ${program} on the PATH (${path})`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function readModule(file: string, problems: string[]): Promise<Handler[]> {
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    problems.push(`${file}: cannot be loaded: ${(error as Error).message}`);
    return [];
  }
  const exported = module["handlers"] ?? module["default"];
  if (exported === undefined) {
    problems.push(
      `${file}: exports neither handlers nor a default: export default [defineHandler("kind", async (payload, ctx) => …)]`,
    );
    return [];
  }
  return handlersOf(exported).flatMap(([name, candidate]) => {
    const { kind, run, timeoutSeconds } = candidate;
    const problem =
      kindProblem(kind) ??
      (typeof run === "function" ? undefined : `the handler of ${String(kind)} is no function`) ??
      timeoutProblem(timeoutSeconds);
    if (problem === undefined) return [candidate as unknown as Handler];
    problems.push(`${file}: ${name}: ${problem}`);
    return [];
  });
}

type Candidate = Readonly<Record<"kind" | "run" | "timeoutSeconds", unknown>>;

/** The three shapes that a module may export, as one, each with a name to speak of it. */
function handlersOf(exported: unknown): [name: string, candidate: Candidate][] {
  if (Array.isArray(exported)) return exported.map((item, index) => [`handler ${index + 1}`, candidateOf(item)]);
  if (isObject(exported) && "run" in exported) return [["the handler", candidateOf(exported)]];
  if (!isObject(exported)) return [["the export", candidateOf(exported)]];
  return Object.entries(exported).map(([kind, value]) => [
    kind,
    typeof value === "function"
      ? candidateOf({ kind, run: value })
      : candidateOf({ ...(isObject(value) ? value : {}), kind }),
  ]);
}

function candidateOf(value: unknown): Candidate {
  if (isObject(value)) return value as unknown as Candidate;
  return { kind: undefined, run: undefined, timeoutSeconds: undefined };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Handlers given as values, for workers made in code; the same rules as for files. */
export function handlersFrom(list: readonly Handler[]): Handlers {
  const handlers = new Map<string, Handler>();
  for (const handler of list) {
    if (handlers.has(handler.kind)) throw new HandlersError([`the kind ${handler.kind} has two handlers`]);
    handlers.set(
      handler.kind,
      defineHandler(
        handler.kind,
        (payload, context) => handler.run(payload, context),
        handler.timeoutSeconds === undefined ? {} : { timeoutSeconds: handler.timeoutSeconds },
      ),
    );
  }
  return handlers;
}
