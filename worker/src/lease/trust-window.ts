/**
 * How long a worker may believe in its own lease. The store judges leases by the database's clock; the worker measures
 * its side on the monotonic clock, from the instant the renewal was *sent*: the store cannot have granted it earlier,
 * so the worker always stops before the store may hand its jobs to another (River, internal/leadership/doc.go, calls
 * this the trust window). All times in milliseconds.
 */

/** The last renewal (or the registration) that the store confirmed. */
export interface Renewal {
  /** Monotonic time at which the statement was sent. */
  readonly sentAtMs: number;
  /** Duration the store granted. */
  readonly leaseMs: number;
}

/** What is kept back at the end of a lease to abort handlers and to absorb a timer that fires late: a fifth, 5 s at most. */
export function leaseMarginMs(leaseMs: number): number {
  return Math.min(5_000, leaseMs / 5);
}

/** From this instant on the worker must behave as if the lease were lost. */
export function trustedUntilMs({ sentAtMs, leaseMs }: Renewal): number {
  return sentAtMs + leaseMs - leaseMarginMs(leaseMs);
}

/** Time between two renewals: a third of the lease, so that two in a row may fail. */
export function renewalIntervalMs(leaseMs: number): number {
  return leaseMs / 3;
}

/** When to try again after a renewal that failed: soon, since the lease runs out meanwhile. */
export function renewalRetryMs(leaseMs: number, random: number): number {
  return Math.min(2_000, leaseMs / 15) * (0.5 + 0.5 * random);
}
