import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { endWithUs } from "../test/support/end-with-us.ts";

/** How a program of a contender is started. */
export interface ProgramSource {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where the program says by a line of its own that it is ready: a part of that line. */
  readonly readyLine?: string;
}

/** How much of what a program wrote is kept for messages of errors, characters. */
const TRANSCRIPT = 4_000;

/** How long a program may take to end when it is asked to, milliseconds. */
const END_MS = 5_000;

/** A process of a contender. `serve.ts` is the other side of the protocol. */
export class Program {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited: Promise<unknown>;
  readonly ready: Promise<void>;
  #asked = 0;
  #transcript = "";

  constructor(source: ProgramSource, databaseUrl?: string) {
    this.#child = spawn(source.command, source.args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...inherited(), ...source.env, ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }) },
    });
    endWithUs(this.#child);
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.ready.catch(() => {});
    if (source.readyLine === undefined) ready.resolve();
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("a program without pipes");
    createInterface({ input: stdout }).on("line", (line) => {
      if (line.startsWith('{"answers":')) this.#answered(line);
      else {
        this.#keep(`${line}\n`);
        if (source.readyLine !== undefined && line.includes(source.readyLine)) ready.resolve();
      }
    });
    stderr.on("data", (chunk: Buffer) => {
      this.#keep(chunk.toString());
    });
    this.#child.stdin?.on("error", () => {}); // it ended; that is told below
    const ended = (why: string): void => {
      const error = new Error(`${source.command} ${source.args.join(" ")} ${why}:\n${this.#transcript}`);
      ready.reject(error);
      for (const answer of this.#answers.values()) answer.reject(error);
      this.#answers.clear();
    };
    this.#exited = once(this.#child, "close")
      .then(([code, signal]) => `ended (${String(code ?? signal)})`)
      .catch((error: unknown) => `did not start (${String(error)})`)
      .then((why) => {
        ended(why);
        return why;
      });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks for a command and resolves with its value. */
  async ask<Value = null>(command: string, argument: object = {}): Promise<Value> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new Error(`asked ${command} of a program that has ended:\n${this.#transcript}`);
    }
    const id = ++this.#asked;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    this.#child.stdin?.write(`${JSON.stringify({ id, command, argument })}\n`);
    return answer.promise as Promise<Value>;
  }

  /** Ends it: as a user would, and at once when that takes longer than a few seconds, or so many milliseconds. */
  async end(withinMs = END_MS): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), withinMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #answered(line: string): void {
    const { answers, value, error } = JSON.parse(line) as { answers: number; value?: unknown; error?: string };
    const answer = this.#answers.get(answers);
    this.#answers.delete(answers);
    if (error === undefined) answer?.resolve(value);
    else answer?.reject(new Error(error));
  }

  #keep(text: string): void {
    this.#transcript = (this.#transcript + text).slice(-TRANSCRIPT);
  }
}

/** What programs may see of our environment: nothing that could change what is measured. `NODE_OPTIONS` is for profiles. */
function inherited(): NodeJS.ProcessEnv {
  const names = ["PATH", "HOME", "NODE_OPTIONS"];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined));
}
