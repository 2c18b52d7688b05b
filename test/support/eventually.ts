import { setTimeout as sleep } from "node:timers/promises";

/** Options of {@link eventually}. */
export interface EventuallyOptions {
  /** How long to try, in milliseconds. */
  readonly timeoutMs?: number;
  /** Pause between two looks, in milliseconds. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until `look` returns something other than `undefined` and does not throw, and returns that.
 * For the state of other processes, which have no signal to wait on; the error of the last look is the cause.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { timeoutMs = 60_000, everyMs = 100 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for: ${what}`, { cause });
    await sleep(everyMs);
  }
}
