/**
 * Time as a dependency. Decisions take a clock so that their tests state the time instead of waiting for it.
 */
export interface Clock {
  /** Milliseconds since the epoch. May jump in either direction: only for timestamps that leave this process. */
  wall(): number;
  /** Monotonic milliseconds since an arbitrary origin: the only clock durations are measured with. */
  now(): number;
  /** Calls `run` once after `ms` (negative counts as 0); the returned function cancels it and may be called at any time. */
  after(ms: number, run: () => void): () => void;
}

/** The longest delay a Node timer takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real clocks of this machine. Its timers keep the process alive. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Waits `ms`. Resolves with `true` when the time has passed and with `false`, at once, when the signal is or becomes
 * aborted: loops say `while (await sleep(...))` and need no catch.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const aborted = () => {
      cancel();
      resolve(false);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", aborted);
      resolve(true);
    });
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
