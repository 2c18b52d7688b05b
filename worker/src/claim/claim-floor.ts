import type { ClaimFloor as Place } from "@jobqueue/store";

/** What is known of a claim that the store answered. */
export interface AnsweredClaim {
  /** How many jobs it brought. */
  readonly jobs: number;
  /** Where the next one may begin, when this one came back full. */
  readonly next: Place | undefined;
  /** Whether it had a floor. */
  readonly floored: boolean;
  /** How long the answer took, milliseconds. */
  readonly tookMs: number;
}

/** A claim is slow when it takes longer than this, and this for each job; milliseconds. Measured: 13 µs a job. */
const SLOW_CLAIM_MS = 5;
const SLOW_JOB_MS = 0.05;

/** Least time between two claims without floor, milliseconds, and as a multiple of what such a claim takes. */
const FULL_CLAIM_INTERVAL_MS = 100;
const FULL_CLAIM_SHARE = 20;

/**
 * Where a claim may begin to look, when the store is slow at finding the beginning by itself: behind the dead rows of jobs
 * that were claimed before (they stay while some old transaction is open anywhere, and every claim steps over them).
 *
 * The floor is a hint that is never trusted: a job enqueued late with a higher priority stands before it and is not seen by
 * a floored claim. So a claim without floor follows after every short batch and at least every 100 ms, or 20 times what
 * that claim took; that bounds by how much order (G12) can be off, and it is off only while full claims are slow.
 */
export class ClaimFloor {
  #place: Place | undefined;
  #fullDueMs = 0;

  /** The floor of a claim sent at `nowMs`, if it shall have one. */
  at(nowMs: number): Place | undefined {
    return nowMs < this.#fullDueMs ? this.#place : undefined;
  }

  /** Takes note of an answered claim, at the monotonic time `nowMs`. */
  record({ jobs, next, floored, tookMs }: AnsweredClaim, nowMs: number): void {
    this.#place = next;
    if (next === undefined || floored) return;
    const slow = tookMs > SLOW_CLAIM_MS + SLOW_JOB_MS * jobs;
    this.#fullDueMs = slow ? nowMs + Math.max(FULL_CLAIM_INTERVAL_MS, FULL_CLAIM_SHARE * tookMs) : 0;
  }
}
