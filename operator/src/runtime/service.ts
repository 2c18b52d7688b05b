/**
 * The lifecycle of everything long-lived: controllers, reflectors, electors, recorders.
 *
 * - `start` resolves when the part does its work (not when it has succeeded at it: a reflector starts without an API
 *   server). Starting again returns the first start's promise.
 * - A start that fails cleans up after itself, rejects, and leaves the part stopped.
 * - `stop` resolves when the last callback has returned and every timer, connection and loop is gone; it never rejects
 *   because a start failed. Stopping again returns the same promise, stopping during a start cuts the start short.
 * - Stopping is final: a stopped part is not started again, a new one is made. Start after stop rejects.
 *
 * `service.suite.ts` holds every implementation to these sentences.
 */
export interface Service {
  /** For logs and metrics; unique within the process. */
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Implements the lifecycle; a part says only what starting and stopping mean for it. */
export abstract class BaseService implements Service {
  readonly name: string;
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #started: Promise<void> | undefined;
  /** Resolves when `onStart` has returned or thrown. */
  #settled: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Aborted as soon as `stop` is called (or a start failed): every wait of the part listens to it. */
  protected get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  start(): Promise<void> {
    if (this.#stopped)
      return Promise.reject(new Error(`${this.name} was stopped; a stopped part is not started again`));
    this.#started ??= this.#start();
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Makes the part work. Called at most once; should give up when `stopping` aborts. */
  protected onStart(): Promise<void> | void {}

  /** Undoes `onStart`. Called at most once, and only after `onStart` settled (well or badly) and all loops ended. */
  protected onStop(): Promise<void> | void {}

  /**
   * Runs `loop` in the background until `stopping` aborts; `stop` waits for it. An error that escapes a loop is a
   * defect, not a state of the world: it is left unhandled on purpose, so that the process ends visibly.
   */
  protected run(loop: (stopping: AbortSignal) => Promise<void>): void {
    this.#loops.push(loop(this.stopping));
  }

  async #start(): Promise<void> {
    const work = (async () => this.onStart())();
    this.#settled = work.catch(() => {});
    try {
      await work;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    if (!this.#settled) return;
    await this.#settled;
    await Promise.all(this.#loops);
    await this.onStop();
  }
}
