import { pause } from "../pause.ts";
import type { Service } from "../service.ts";
import type { StoreTrouble } from "../store-trouble.ts";

/** Something that every worker does for the whole store from time to time, so that nothing else need run. */
export interface Chore {
  /** Names it in logs and metrics. */
  readonly name: string;
  /** Longest time between two turns, milliseconds; each wait is between half of it and all of it. */
  readonly intervalMs: number;
  /** Does it once; resolves with whether there is more to do at once. Safe however many workers do it at one time. */
  run(): Promise<boolean>;
}

/** Least time between two turns, milliseconds, also when there is more to do: workers share the work that is left. */
const MORE_MS = 100;

/** The first turn comes within this time, milliseconds: whoever starts may be replacing a worker that was lost. */
const FIRST_MS = 2_000;

/** Does a chore over and over, with jitter, so that many workers spread over the interval. It never ends because of an error. */
export class Periodic implements Service {
  readonly #chore: Chore;
  readonly #trouble: StoreTrouble;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(chore: Chore, trouble: StoreTrouble) {
    this.#chore = chore;
    this.#trouble = trouble;
  }

  start(): Promise<void> {
    this.#loop ??= this.#run();
    return Promise.resolve();
  }

  /** Resolves when the statement that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { intervalMs } = this.#chore;
    let waitMs = Math.random() * Math.min(intervalMs, FIRST_MS);
    while (await pause(waitMs, this.#stopping.signal)) {
      waitMs = (await this.#turn()) ? MORE_MS : intervalMs * (0.5 + 0.5 * Math.random());
    }
  }

  async #turn(): Promise<boolean> {
    const { name } = this.#chore;
    try {
      const more = await this.#chore.run();
      this.#trouble.worked(name);
      return more;
    } catch (error) {
      this.#trouble.failed(name, error);
      return false;
    }
  }
}
