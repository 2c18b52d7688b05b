/** How the wait grows between tries. Times in milliseconds. */
export interface BackoffPolicy {
  /** The first wait. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
}

/**
 * The wait after `failures` failures in a row (1 is the first): doubled each time, and spread over its upper half by
 * `random` (uniform in [0, 1)), so that a fleet that lost its database at one instant does not return at one instant.
 */
export function backoffMs({ baseMs, maxMs }: BackoffPolicy, failures: number, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return full * (0.5 + 0.5 * random);
}
