/** Fast enough that no test waits long for something that is polled; the order of the times is as in production. */
export const MONITOR_TIMES = {
  everyMs: 1_000,
  hintGapMs: 200,
  secretEveryMs: 2_000,
  vacuumEveryMs: 2_000,
  backoff: { baseMs: 250, maxMs: 1_000 },
};

/** Times of a Lease that is kept on a slow machine, too, and attended often. */
export const LONG_LEASE_TIMES = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 300 };

/** Times of a Lease that expires within seconds; the order of the times is as in production. */
export const LEASE_TIMES = { leaseDurationMs: 4_000, renewDeadlineMs: 3_000, retryPeriodMs: 300 };
