import { ApiError, isAbort, openStream } from "./api.ts";
import type { Queues, Worker } from "./answers.ts";
import { EventReader } from "./sse.ts";
import { learnClock } from "./ticking.ts";

/** What the live view tells, by name of the event. */
interface LiveEvents {
  readonly queues: Queues;
  readonly workers: { readonly workers: readonly Worker[] };
}
type Told = (name: keyof LiveEvents, data: LiveEvents[keyof LiveEvents]) => void;

/** How fresh what is shown is: `live`, `waiting` for the server, or `old` because the store does not answer. */
export type Freshness = "live" | "waiting" | "old";

const RECONNECT_MS = 2_000;
const FORBIDDEN_MS = 60_000;

/**
 * The live view of this tab: one stream for all pages, connected again by itself. What was told last is kept, so a page shows
 * it at once.
 */
export class Live {
  #latest: Partial<LiveEvents> = {};
  readonly #listeners = new Set<Told>();
  readonly #onFreshness: (freshness: Freshness, why: string) => void;
  #connection = new AbortController();

  constructor(onFreshness: (freshness: Freshness, why: string) => void) {
    this.#onFreshness = onFreshness;
  }

  /** Connects, also anew: with other credentials. */
  connect(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
    this.#latest = {};
    this.#onFreshness("waiting", "");
    void this.#keepReading(this.#connection.signal);
  }

  /** Disconnects. */
  disconnect(): void {
    this.#connection.abort();
    this.#latest = {};
  }

  /** What was told last. */
  latest<N extends keyof LiveEvents>(name: N): LiveEvents[N] | undefined {
    return this.#latest[name];
  }

  /** Tells of one event until the signal ends: at once what is known, then each change. */
  follow<N extends keyof LiveEvents>(name: N, signal: AbortSignal, tell: (data: LiveEvents[N]) => void): void {
    const known = this.#latest[name];
    if (known !== undefined) tell(known);
    this.#listen(signal, (told, data) => {
      if (told === name) tell(data as LiveEvents[N]);
    });
  }

  /**
   * Says that something changed, for pages that then ask: at most every two seconds, and every ten when nothing is told, for what
   * the live view does not know. Nothing while the tab is hidden.
   */
  onChange(signal: AbortSignal, changed: () => void): void {
    let last = Date.now();
    let told = false;
    this.#listen(signal, () => {
      told = true;
    });
    const timer = setInterval(() => {
      if (document.hidden || (!told && Date.now() - last < 10_000)) return;
      told = false;
      last = Date.now();
      changed();
    }, 2000);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
    });
  }

  #listen(signal: AbortSignal, listener: Told): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  async #keepReading(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs = RECONNECT_MS;
      try {
        await this.#read(signal);
        this.#onFreshness("waiting", "The connection ended; connecting again.");
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) waitMs = FORBIDDEN_MS;
        this.#onFreshness(
          "waiting",
          error instanceof ApiError ? error.message : "The connection broke; connecting again.",
        );
      }
      await new Promise((resolve) => {
        setTimeout(resolve, waitMs);
      });
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const stream = await openStream("api/v1/events", signal);
    const reader = stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
    const events = new EventReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const { name, data } of events.push(value)) this.#take(name, data);
    }
  }

  #take(name: string, data: unknown): void {
    if (name === "trouble") {
      this.#onFreshness("old", (data as { error: string }).error);
      return;
    }
    if (name !== "queues" && name !== "workers") return;
    if (name === "queues") {
      const { at, partial } = data as Queues;
      if (!partial) learnClock(at);
    }
    this.#onFreshness("live", "");
    this.#latest = { ...this.#latest, [name]: data };
    for (const listener of this.#listeners) listener(name, data as LiveEvents[typeof name]);
  }
}
