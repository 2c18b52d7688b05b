import { type ClaimedJob, listHolds, type Session } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import type { Finisher } from "../finish/finisher.ts";
import type { HeldLease, WorkerLease } from "../lease/worker-lease.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { AttemptRunner } from "../run/attempt-runner.ts";
import type { Slots } from "../run/slots.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import { type BufferedJob, JobBuffer, LONGEST_WAIT_MS } from "./job-buffer.ts";
import type { LeaseLedger } from "./lease-ledger.ts";

/**
 * The jobs between claim and start.
 *
 * G11: the store lets no claim commit after a hold did. What was claimed before and still waits here is checked against
 * the holds at every hint, after every claim that found less than it asked for, and every 100 ms, and goes back unstarted when its queue is held. (A claim that
 * committed before the hold, with its answer still on the wire, counts as claimed before: its jobs start if slots are
 * free.) Nothing waits longer than a second: then it goes back as well, since others could run it.
 *
 * G9: a job in its last chance starts only while it is all that the worker has in its hands (`last-chances.ts`).
 */
export interface UnstartedParts {
  readonly session: Session;
  readonly slots: Slots;
  readonly runner: AttemptRunner;
  readonly finisher: Finisher;
  readonly ledger: LeaseLedger;
  readonly lease: WorkerLease;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
}

/** Why a job is given back unstarted, as the metric says it. */
export type UnstartedReason = "hold" | "waited" | "surplus" | "cancel" | "drain" | "lease_lost" | "last_chance";

/** Time between two looks at the holds while jobs wait, and the least time between two that something causes, milliseconds. */
const HOLD_CHECK_MS = 100;
const HOLD_CHECK_CAUSED_MS = 25;

/** See the top of this file. */
export class UnstartedJobs {
  readonly #parts: UnstartedParts;
  readonly #buffer = new JobBuffer();
  /** All jobs of the buffer were claimed under this one lease. */
  #lease: HeldLease | undefined;
  #checkDueMs = 0;
  #checkedAtMs = 0;

  constructor(parts: UnstartedParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#buffer.size;
  }

  /** When `tend` has something to do next, monotonic milliseconds. */
  get tendDueMs(): number {
    return this.#buffer.size === 0 ? Number.POSITIVE_INFINITY : this.#checkDueMs;
  }

  /** Takes jobs that were just claimed under a lease; starts what has a free slot and gives back what is beyond `wanted`. */
  accept(jobs: readonly BufferedJob[], lease: HeldLease, wanted: number): void {
    if (jobs.length === 0) return;
    if (this.#buffer.size === 0) this.#checkDueMs = monotonicMs() + HOLD_CHECK_MS;
    this.#lease = lease;
    this.#parts.runner.expect();
    for (const job of jobs) this.#buffer.push(job);
    this.startSome();
    this.#giveBack(this.#buffer.takeNewest(Math.min(this.#buffer.size, jobs.length - wanted)), "surplus");
  }

  /**
   * Takes one of the jobs that were just claimed, which is in its last chance, or none of them: everything else goes back,
   * and it starts as soon as the store has heard that.
   */
  acceptAlone(chosen: BufferedJob | undefined, jobs: readonly BufferedJob[], lease: HeldLease): void {
    this.#giveBack([...this.#buffer.take(() => true), ...jobs.filter((job) => job !== chosen)], "last_chance");
    if (chosen !== undefined) this.accept([chosen], lease, 1);
  }

  /** Starts jobs while slots are free. */
  startSome(): void {
    const { slots, runner, lease, ledger } = this.#parts;
    while (slots.free > 0 && this.#buffer.size > 0) {
      // After a stop of the whole process the lease may be over, and the job another's.
      if (this.#lease === undefined || !lease.trusts(this.#lease)) {
        lease.check();
        return;
      }
      if (this.#buffer.first?.job.lastChance === true && !ledger.holdsOnly(this.#buffer.first.job)) return;
      const next = this.#buffer.shift();
      if (next === undefined) return;
      if (monotonicMs() - next.claimedAtMs > LONGEST_WAIT_MS) this.#giveBack([next], "waited");
      else runner.start(next.job, next.handler, this.#lease);
    }
  }

  /** A hold may have been placed: look soon. */
  suspectHold(): void {
    this.#checkDueMs = Math.min(this.#checkDueMs, this.#checkedAtMs + HOLD_CHECK_CAUSED_MS);
  }

  /** Gives back what has waited too long, and what is held. */
  async tend(): Promise<void> {
    const nowMs = monotonicMs();
    if (nowMs < this.tendDueMs) return;
    this.#giveBack(
      this.#buffer.take(({ claimedAtMs }) => nowMs - claimedAtMs > LONGEST_WAIT_MS),
      "waited",
    );
    if (this.#buffer.size === 0) return;
    this.#checkedAtMs = nowMs;
    this.#checkDueMs = nowMs + HOLD_CHECK_MS;
    const { session, trouble } = this.#parts;
    try {
      const held = new Set((await listHolds(session)).map((hold) => hold.queue));
      trouble.worked("list holds");
      if (held.size === 0) return;
      this.#giveBack(
        this.#buffer.take(({ job }) => held.has("*") || held.has(job.queue)),
        "hold",
      );
    } catch (error) {
      // Unknown is not free: what waits is started for as long as it may wait at all, then goes back.
      trouble.failed("list holds", error);
    }
  }

  /** Gives everything back: the worker drains. */
  giveBackAll(): void {
    this.#giveBack(
      this.#buffer.take(() => true),
      "drain",
    );
  }

  /**
   * Gives everything back because the lease is lost: nothing of it may start here any more. Where the store has not handed
   * it on yet, it is pending again at once and no recovery is counted against it.
   */
  leaseLost(): void {
    this.#giveBack(
      this.#buffer.take(() => true),
      "lease_lost",
    );
  }

  /** Gives a job back that somebody cancelled, which ends it; `false` when it does not wait here. */
  cancel({ id, leaseToken }: Pick<ClaimedJob, "id" | "leaseToken">): boolean {
    const cancelled = this.#buffer.take(({ job }) => job.id === id && job.leaseToken === leaseToken);
    this.#giveBack(cancelled, "cancel");
    return cancelled.length > 0;
  }

  /** Gives jobs back that were never meant to start here. */
  giveBackUntouched(jobs: readonly ClaimedJob[]): void {
    this.#parts.finisher.giveBack(jobs);
  }

  #giveBack(jobs: readonly BufferedJob[], reason: UnstartedReason): void {
    if (jobs.length === 0) return;
    const { finisher, metrics, log } = this.#parts;
    metrics.count("jobqueue_worker_jobs_unstarted_total", { reason }, jobs.length);
    log[reason === "hold" ? "info" : "debug"]({ count: jobs.length, reason }, "claimed jobs given back unstarted");
    finisher.giveBack(
      jobs.map(({ job }) => job),
      reason === "last_chance",
    );
  }
}
