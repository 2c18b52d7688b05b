/** How long to wait before try number n. Times in milliseconds. */
export interface BackoffPolicy {
  /** Delay after the first failure. */
  readonly baseMs: number;
  /** No delay is longer than this, jitter included. */
  readonly maxMs: number;
  /** Growth per failure (default 2). */
  readonly factor?: number;
  /** Share of the delay that is random, 0 to 1 (default 0): 0.5 spreads a delay over 50 % to 100 % of itself. */
  readonly jitter?: number;
}

/** The delay after `failures` failures in a row (1 is the first). `random` is uniform in [0, 1). */
export function backoffMs(policy: BackoffPolicy, failures: number, random: () => number = Math.random): number {
  const { baseMs, maxMs, factor = 2, jitter = 0 } = policy;
  const full = Math.min(maxMs, baseMs * factor ** Math.max(0, failures - 1));
  return full * (1 - jitter * random());
}
