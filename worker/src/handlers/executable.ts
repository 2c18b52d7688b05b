import { type ChildProcessByStdio, spawn } from "node:child_process";
import { chown, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { constants as system, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { JobAborted, PermanentError } from "../run/outcome.ts";
import { OutputHead, OutputTail } from "./bounded-output.ts";
import { executableEnvironment } from "./executable-environment.ts";
import type { AttemptContext, Handler, JobContext } from "./handler.ts";
import type { ExecutableSpec } from "./manifest.ts";
import { signalGroup } from "./process-groups.ts";
import type { ProgramUser } from "./run-as.ts";

/**
 * Handlers that are programs, in any language. The contract with the program:
 *
 * - the payload, as JSON, on standard input and in the file `JOBQUEUE_PAYLOAD_FILE`;
 * - the facts of the attempt in the environment (`executable-environment.ts`), nothing else of the worker's;
 * - exit code 0 means done; the result is the JSON in `JOBQUEUE_RESULT_FILE` if the program wrote it, else standard
 *   output when that is JSON, else none;
 * - any other end means failed; the exit code is kept as a number (128 and the signal's for a signal, as shells count),
 *   and the end of standard error says why;
 * - it runs in a process group of its own. When it must stop the group gets SIGTERM, then SIGKILL. What it leaves running
 *   when it exits is killed: an attempt that has ended must not go on working.
 */

/** A result may have as many bytes as the store keeps. */
const MAX_RESULT_BYTES = 1_048_576;

/** Of standard error this much is kept: an error of the store has 8192 characters, the exit code stands before it. */
const STDERR_TAIL_BYTES = 8_000;

/** Share of the abort grace after which SIGTERM has had its chance; the rest is for SIGKILL to do its work. */
const TERM_SHARE = 0.8;

/** After a lost lease another worker may start the job soon: the program has at most this long to end by itself. */
const LEASE_LOST_TERM_MS = 1_000;

/** How long output is awaited after the program ended, in case something outside its group still holds the pipe. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A program that did not end well. Its message is what the program said; a stack of ours would say nothing. */
class ExecutableFailed extends Error {
  override readonly name = "ExecutableFailed";

  constructor(message: string) {
    super(message);
    this.stack = message;
  }
}

/** The same, when the manifest says that its exit code makes further attempts pointless. */
class ExecutableFailedForGood extends PermanentError {
  constructor(message: string) {
    super(message);
    this.stack = message;
  }
}

/**
 * Makes the handler of a program. `environment` is the worker's own, of which the program sees next to nothing; `user` is
 * whom it runs as, the worker's user when absent.
 */
export function executableHandler(
  spec: ExecutableSpec,
  environment: Readonly<Record<string, string | undefined>>,
  user?: ProgramUser,
): Handler {
  return {
    kind: spec.kind,
    timeoutSeconds: spec.timeoutSeconds,
    run: (payload, context) => runExecutable(spec, payload, context as AttemptContext, environment, user),
  };
}

async function runExecutable(
  spec: ExecutableSpec,
  payload: unknown,
  context: AttemptContext,
  environment: Readonly<Record<string, string | undefined>>,
  user: ProgramUser | undefined,
): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), `jobqueue-${context.jobId}-`));
  try {
    const payloadFile = join(directory, "payload.json");
    const resultFile = join(directory, "result.json");
    const input = JSON.stringify(payload ?? null);
    await writeFile(payloadFile, input, { mode: 0o600 });
    if (user !== undefined) {
      // The program's own, and nobody else's: payloads may be confidential.
      await chown(payloadFile, user.uid, user.gid);
      await chown(directory, user.uid, user.gid);
    }
    context.signal.throwIfAborted();
    const [program, ...args] = spec.command as [string, ...string[]];
    const child = spawn(program, args, {
      cwd: spec.cwd,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      // Supplementary groups of the worker are dropped with its user (libuv calls setgroups).
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
      env: executableEnvironment(
        spec,
        {
          jobId: context.jobId,
          queue: context.queue,
          kind: context.kind,
          attempt: context.attempt,
          leaseToken: context.fencingToken,
          timeoutSeconds: context.timeoutSeconds,
          traceparent: context.traceparent,
          payloadFile,
          resultFile,
          user,
        },
        environment,
      ),
    });
    const output = await superviseProcess(child, input, context, user);
    context.signal.throwIfAborted();
    if (output.failure !== undefined) {
      const forGood = output.exitCode !== undefined && spec.permanentExitCodes.includes(output.exitCode);
      throw forGood ? new ExecutableFailedForGood(output.failure) : new ExecutableFailed(output.failure);
    }
    return await readResult(resultFile, output.stdout, context);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface ProcessOutput {
  readonly stdout: OutputHead;
  /** `undefined`: it did not start. */
  readonly exitCode: number | undefined;
  /** What went wrong, in words, when something did. */
  readonly failure: string | undefined;
}

/** Feeds a program, collects what it says, stops it when the attempt is aborted, and resolves when its group has ended. */
async function superviseProcess(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  input: string,
  context: AttemptContext,
  user: ProgramUser | undefined,
): Promise<ProcessOutput> {
  const stdout = new OutputHead(MAX_RESULT_BYTES);
  const stderr = new OutputTail(STDERR_TAIL_BYTES);
  child.stdout.on("data", (chunk: Buffer) => {
    stdout.add(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr.add(chunk);
  });
  child.stdin.on("error", () => {}); // a program need not read its input
  child.stdin.end(input);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const ended = new Promise<Omit<ProcessOutput, "stdout">>((resolve) => {
    child.once("error", (error) => {
      const whom = user === undefined ? "" : ` as ${user.name}`;
      resolve({ exitCode: undefined, failure: `cannot start ${child.spawnfile}${whom}: ${error.message}` });
    });
    child.once("exit", (code, signal) => {
      if (signal !== null) resolve({ exitCode: 128 + system.signals[signal], failure: `killed by ${signal}` });
      else resolve({ exitCode: code ?? 0, failure: code === 0 ? undefined : `exit code ${code}` });
    });
  });
  const group = child.pid;
  if (group === undefined) return { stdout, ...(await ended) };
  context.programStarted({ pid: group, runAs: user?.name });
  const stopKilling = killGroupOnAbort(group, context);
  try {
    const { exitCode, failure } = await ended;
    if (exitCode !== undefined) context.programEnded(exitCode);
    signalGroup(group, "SIGKILL");
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref())]);
    const said = stderr.text();
    return { stdout, exitCode, failure: failure === undefined || said === "" ? failure : `${failure}: ${said}` };
  } finally {
    stopKilling();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function killGroupOnAbort(group: number, { signal, abortGraceMs }: AttemptContext): () => void {
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    const leaseLost = signal.reason instanceof JobAborted && signal.reason.abortCause === "lease lost";
    signalGroup(group, "SIGTERM");
    timer = setTimeout(
      () => {
        signalGroup(group, "SIGKILL");
      },
      Math.min(abortGraceMs * TERM_SHARE, leaseLost ? LEASE_LOST_TERM_MS : Number.POSITIVE_INFINITY),
    );
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return () => {
    signal.removeEventListener("abort", abort);
    clearTimeout(timer);
  };
}

async function readResult(file: string, stdout: OutputHead, context: JobContext): Promise<unknown> {
  const written = await stat(file).catch(() => undefined);
  if (written !== undefined && written.size > 0) {
    if (written.size > MAX_RESULT_BYTES) {
      throw new ExecutableFailed(`the result file has ${written.size} bytes; at most ${MAX_RESULT_BYTES} are kept`);
    }
    try {
      return JSON.parse(await readFile(file, "utf8")) as unknown;
    } catch (error) {
      throw new ExecutableFailed(`the result file is not JSON: ${(error as Error).message}`);
    }
  }
  const text = stdout.text().trim();
  if (text === "" && !stdout.overflowed) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The work is done: failing it for a stray line of output would do it again.
    context.log.warn(
      { bytes: stdout.overflowed ? `more than ${MAX_RESULT_BYTES}` : text.length },
      "standard output is not JSON, so the job has no result: write the result to JOBQUEUE_RESULT_FILE, and logs to standard error",
    );
    return undefined;
  }
}
