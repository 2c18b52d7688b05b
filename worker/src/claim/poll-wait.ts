/** What decides how long a worker that has room waits before it asks again whether there is work. */
export interface PollView {
  /** Whether hints arrive: then polling only finds what no hint told of. */
  readonly hearing: boolean;
  /** Times in a row that the store said that there is nothing, since there last was a reason to claim. */
  readonly quietAnswers: number;
  /** Longest wait while hints arrive, milliseconds. */
  readonly longestMs: number;
}

/** Wait of a worker that hears no hints, and of one that had work a moment ago, milliseconds. */
export const POLL_MS = 1_000;

/**
 * Longest wait of a worker that hears hints, milliseconds, however long its lease is: so late may come a job that was
 * enqueued without a hint, or whose hint was lost.
 */
export const LONGEST_POLL_MS = 10_000;

/**
 * How long to wait before the store is asked again, milliseconds. Without hints always up to a second; with them doubled
 * from there with every answer that there is nothing. Spread over its upper half by `random` (uniform in [0, 1)).
 */
export function pollWaitMs({ hearing, quietAnswers, longestMs }: PollView, random: number): number {
  const fullMs = hearing ? Math.max(POLL_MS, Math.min(longestMs, POLL_MS * 2 ** Math.min(quietAnswers, 30))) : POLL_MS;
  return fullMs * (0.5 + 0.5 * random);
}
