import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../cluster/wait-for.ts";
import { endWithUs } from "../end-with-us.ts";

/** One of the programs of an API server: started, killed, frozen and started again with the same arguments. */
export class ServerProcess {
  readonly name: string;
  /** Everything it printed, over all its starts. */
  readonly log: string;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #isReady: () => Promise<boolean>;
  #child: ChildProcess | undefined;

  constructor(
    directory: string,
    name: string,
    command: string,
    args: readonly string[],
    isReady: () => Promise<boolean>,
  ) {
    this.name = name;
    this.log = join(directory, `${name}.log`);
    this.#command = command;
    this.#args = args;
    this.#isReady = isReady;
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and waits until it is ready. Throws with the end of its log when it exits instead. */
  async start(): Promise<void> {
    if (this.#child) return;
    const log = openSync(this.log, "a");
    // Our own build ends itself when the pipe to it breaks, which it does however this process ends.
    const child = spawn(this.#command, this.#args, {
      stdio: ["pipe", log, log],
      env: { ...process.env, EXIT_WITH_STDIN: "1" },
    });
    closeSync(log);
    endWithUs(child); // for programs that are not our own build
    this.#child = child;
    let failure: string | undefined;
    child.once("error", (error) => (failure = error.message));
    child.once("exit", (code, signal) => {
      failure = `ended with ${signal ?? code}`;
      if (this.#child === child) this.#child = undefined;
    });
    await waitFor(
      `${this.name} to be ready`,
      async () => {
        if (failure !== undefined) throw new Error(`${this.name} ${failure}\n${this.tail()}`);
        return this.#isReady();
      },
      { timeoutMs: 60_000, everyMs: 50, explain: () => this.tail() },
    );
  }

  /** Ends the process and waits until it is gone. SIGKILL is a crash; SIGTERM lets it finish what it answers. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGCONT"); // a frozen process would not see SIGTERM
    child.kill(signal);
    await exited;
  }

  /** Stops (SIGSTOP) or continues the process: it keeps its connections and answers nothing meanwhile. */
  freeze(frozen: boolean): void {
    this.#child?.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  /** The last lines of its log. */
  tail(): string {
    return readFileSync(this.log, "utf8").slice(-3000);
  }
}
