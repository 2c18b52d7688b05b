import { setImmediate as othersTurn } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  #wall: number;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  constructor(wall = Date.UTC(2030, 0, 1)) {
    this.#wall = wall;
  }

  wall(): number {
    return this.#wall;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(ms, 0), run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that wait: 0 when a stopped part has left none behind. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass: timers run when they are due, in order, each followed by everything it made runnable. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#move(Math.max(next.at, this.#now));
      this.#timers.delete(next);
      next.run();
      await settled();
    }
    this.#move(end);
  }

  /** Lets time pass in which this process did not run: due timers are late, and run only at the next `advance`. */
  freeze(ms: number): void {
    this.#move(this.#now + ms);
  }

  /** Somebody sets the wall clock. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  #move(to: number): void {
    this.#wall += to - this.#now;
    this.#now = to;
  }
}

/** So often may what is tested let others have their turn in between: after each of a few keys, say. */
const TURNS = 10;

/** Resolves when everything that can run without time passing has run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await othersTurn();
}
