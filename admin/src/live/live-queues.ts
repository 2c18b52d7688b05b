import { setTimeout as sleep } from "node:timers/promises";
import { BaseService, type Log } from "@jobqueue/operator/runtime";
import { type Database, type QueueHints } from "@jobqueue/store";
import { Problem } from "../problem.ts";
import { EventStream } from "./event-stream.ts";

/** What streams tell, by name of the event. */
export type LiveView = Readonly<Record<string, unknown>>;

/** How the live view is read. */
export interface LiveQueuesOptions {
  readonly database: Database;
  /** Reads what streams tell. Called once for all of them. */
  readonly view: () => Promise<LiveView>;
  readonly log: Log;
  /** Between two looks without a hint; 2000 when absent. */
  readonly pollMs?: number;
}

const POLL_MS = 2_000;
/** Between two looks, however many hints there are. */
const GAP_MS = 250;
/** While nobody watches; whoever begins to ends it. */
const IDLE_MS = 3_600_000;
/** Most streams at once: a thousand cost the store as much as one, but each holds a socket. */
const MAX_STREAMS = 500;

/**
 * Tells everybody who watches what changed. One look at the store serves all streams, and there is none while nobody
 * watches. A hint (LISTEN) brings the next look forward; without hints it polls, so a deaf listener is slower, never wrong.
 */
export class LiveQueues extends BaseService {
  readonly #options: LiveQueuesOptions;
  readonly #streams = new Set<EventStream>();
  readonly #last = new Map<string, string>();
  #latest: LiveView | undefined;
  #hints: QueueHints | undefined;
  /** Somebody asked for a look since the last one began. */
  #wanted = false;
  #awake = new AbortController();

  constructor(options: LiveQueuesOptions) {
    super("live queues");
    this.#options = options;
  }

  /** How many watch. */
  get streams(): number {
    return this.#streams.size;
  }

  /** A stream that tells at once what is, and then what changes. @throws Problem when too many watch */
  open(): EventStream {
    if (this.stopping.aborted || this.#streams.size >= MAX_STREAMS) {
      throw new Problem("unavailable", `${MAX_STREAMS} live views are open, which is all this server serves.`, {
        retryAfterSeconds: 10,
      });
    }
    const stream = new EventStream();
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    if (this.#latest !== undefined && this.#streams.size > 1) {
      for (const [name, data] of Object.entries(this.#latest)) stream.send(name, data);
    } else {
      this.#last.clear();
    }
    this.#wake();
    return stream;
  }

  protected override onStart(): void {
    this.run(async (stopping) => this.#listen(stopping));
    this.run(async (stopping) => this.#loop(stopping));
  }

  protected override onStop(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async #listen(stopping: AbortSignal): Promise<void> {
    this.#hints = await this.#options.database.listen({
      onHint: () => {
        this.#wake();
      },
      onHearing: () => {
        this.#wake();
      },
    });
    if (!stopping.aborted) {
      await new Promise((resolve) => {
        stopping.addEventListener("abort", resolve, { once: true });
      });
    }
    await this.#hints.stop();
  }

  #wake(): void {
    this.#wanted = true;
    this.#awake.abort();
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      this.#wanted = false;
      this.#awake = new AbortController();
      if (this.#streams.size > 0) await this.#look();
      await sleep(GAP_MS, undefined, { signal: stopping }).catch(() => {});
      const untilNextMs = this.#streams.size > 0 ? (this.#options.pollMs ?? POLL_MS) : IDLE_MS;
      const signal = AbortSignal.any([stopping, this.#awake.signal]);
      if (!this.#wanted) await sleep(untilNextMs, undefined, { signal }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    let view: LiveView;
    try {
      view = await this.#options.view();
    } catch (error) {
      this.#options.log.debug({ err: error }, "the live view could not be read");
      this.#tell("trouble", { error: "The store does not answer; what is shown may be old." });
      return;
    }
    this.#latest = view;
    // After trouble all is told again, also what is as before: who watches must hear that it is fresh.
    if (this.#last.has("trouble")) this.#last.clear();
    for (const [name, data] of Object.entries(view)) this.#tell(name, data);
  }

  /** Sends to all what differs from what was sent before. */
  #tell(name: string, data: unknown): void {
    const text = JSON.stringify(data, (key, value: unknown) => (VOLATILE.has(key) ? undefined : value));
    if (this.#last.get(name) === text) return;
    this.#last.set(name, text);
    for (const stream of this.#streams) stream.send(name, data);
  }
}

/** What is another number at every look without anything having changed; readers count on by themselves. */
const VOLATILE = new Set([
  "at",
  "oldestPendingSeconds",
  "heartbeatAgeMs",
  "loopAgeMs",
  "lastClaimAgeMs",
  "lastFinishAgeMs",
]);
