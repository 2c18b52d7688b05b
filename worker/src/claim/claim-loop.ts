import {
  claimBatch,
  type ClaimedBatch,
  type ClaimedJob,
  type DueWork,
  dueWork,
  type Session,
  StoreError,
} from "@jobqueue/store";
import { backoffMs } from "../backoff.ts";
import { monotonicMs } from "../clock.ts";
import type { Finisher } from "../finish/finisher.ts";
import type { Handlers } from "../handlers/load.ts";
import type { HeldLease, WorkerLease } from "../lease/worker-lease.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Slots } from "../run/slots.ts";
import type { Service } from "../service.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import type { SharedFacts } from "../watchdog/shared-facts.ts";
import { ClaimFloor } from "./claim-floor.ts";
import { claimSize, MAX_CLAIM } from "./claim-size.ts";
import { FinishRate } from "./finish-rate.ts";
import type { BufferedJob } from "./job-buffer.ts";
import { LeaseLedger } from "./lease-ledger.ts";
import { POLL_MS, pollWaitMs } from "./poll-wait.ts";
import { QueueOutlooks } from "./unknown-kinds.ts";
import type { UnstartedJobs } from "./unstarted-jobs.ts";

/**
 * The loop that claims jobs: one claim under way at a time, for the free slots and a bounded prefetch.
 *
 * It claims at once when there may be work (a hint, a full claim before) and there is room. Otherwise it polls: without
 * hints it claims, at most a second apart and with jitter; while hints are heard it asks when there is work instead, less
 * and less often, and claims when the store says so, which an idle worker also learns with its heartbeats. Hints are
 * forgeable and get lost: a forged one costs a claim, a lost one the time to the next poll. It never ends because of an
 * error of the store; it waits longer after each.
 */
export interface ClaimLoopParts {
  readonly session: Session;
  /** Served strictly in this order. */
  readonly queues: readonly string[];
  readonly handlers: Handlers;
  /** Most jobs held beyond the free slots. */
  readonly prefetch: number;
  readonly slots: Slots;
  readonly unstarted: UnstartedJobs;
  readonly finisher: Finisher;
  readonly lease: WorkerLease;
  readonly shared: SharedFacts;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
  /** How long the store may go on with a claim whose answer the worker gave up, milliseconds. */
  readonly claimTimeoutMs: number;
  /** Longest time between two polls while hints are heard, milliseconds. */
  readonly longestPollMs: number;
  /** The store answered what there is to do; the loop itself is told with `due`. */
  readonly onDue: (due: DueWork) => void;
  /** The loop threw, which is a defect of ours: the process must not go on without it. */
  readonly onDefect: (error: unknown) => void;
}

/** Workers that wait for the same instant spread over this time, milliseconds. */
const DUE_SPREAD_MS = 200;

const CLAIM_RETRY = { baseMs: 100, maxMs: 5_000 } as const;

/** An unknown kind is logged again after this time, milliseconds. */
const UNKNOWN_KIND_REPEAT_MS = 60_000;

/** How many unknown kinds the log remembers: producers choose kinds, and memory must not grow with them. */
const UNKNOWN_KINDS_REMEMBERED = 1_000;

/** See the top of this file. */
export class ClaimLoop implements Service {
  readonly #parts: ClaimLoopParts;
  readonly #rate = new FinishRate();
  readonly #outlooks = new QueueOutlooks();
  readonly #ledger: LeaseLedger;
  readonly #floor = new ClaimFloor();
  readonly #unknownLoggedAt = new Map<string, number>();
  #loop: Promise<void> | undefined;
  #stopping = false;
  /** There may be work: claim without waiting for the next poll. */
  #mayHaveWork = true;
  /** The last claim got all that its free slots were good for: of a queue with limits there may be more once one is free. */
  #slotsWereShort = false;
  /** The last claim brought jobs: when they are over a limit of their queue may let others in, and nothing else says so. */
  #mayHaveRoomLater = false;
  #nextPollMs = 0;
  #hearing = false;
  #quietAnswers = 0;
  /** When a job may be claimed, as far as the store knew when it was last asked. */
  #dueMs = Number.POSITIVE_INFINITY;
  #notBeforeMs = 0;
  #failures = 0;
  #wakeUp: (() => void) | undefined;

  constructor(parts: ClaimLoopParts) {
    this.#parts = parts;
    this.#ledger = new LeaseLedger(parts.claimTimeoutMs);
  }

  start(): Promise<void> {
    this.#loop ??= this.#run().catch((error: unknown) => {
      this.#parts.onDefect(error);
    });
    return Promise.resolve();
  }

  /** Claims no more, and gives back what was not started, also what a claim that is under way may still bring. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#parts.unstarted.giveBackAll();
    this.#wake();
    await this.#loop;
  }

  /** A queue may have jobs, or be held: look. */
  hint(): void {
    this.#mayHaveWork = true;
    this.#parts.unstarted.suspectHold();
    this.#wake();
  }

  /** Hints are heard from now on, or are not. Either may have been so for a while: looks at once. */
  hearing(hearing: boolean): void {
    this.#hearing = hearing;
    this.hint();
  }

  /** The store said what there is to do, and will be asked again after `nextMs` milliseconds or sooner. */
  due({ workInMs }: DueWork, nextMs = 0): void {
    const nowMs = monotonicMs();
    this.#parts.shared.set("lastClaim", nowMs);
    if (!this.#hearing) return;
    if (workInMs === 0) {
      this.#quietAnswers = 0;
      this.#mayHaveWork = true;
    } else {
      this.#dueMs =
        workInMs === undefined ? Number.POSITIVE_INFINITY : nowMs + workInMs + Math.random() * DUE_SPREAD_MS;
      this.#quietAnswers++;
      // The first answer after a claim may be older than what a hint brought that claim about: it is asked again soon.
      this.#nextPollMs = nowMs + Math.max(this.#quietAnswers > 1 ? nextMs : 0, this.#pollWaitMs());
    }
    this.#wake();
  }

  /** An attempt ended and its slot is free. */
  slotFree(): void {
    const nowMs = monotonicMs();
    this.#rate.add(1, nowMs);
    if (this.#slotsWereShort) this.#mayHaveWork = true;
    if (!this.#stopping) this.#parts.unstarted.startSome();
    // To wake the loop costs as much as to run a small job, so it is woken when it would claim.
    if (this.#stopping || ((this.#mayHaveWork || nowMs >= this.#nextPollMs) && this.#claimSize(nowMs) > 0))
      this.#wake();
  }

  /** Jobs left this worker's hands: the store acknowledged their outcomes, or said that they are lost. */
  settled(finished: readonly { readonly job: ClaimedJob }[]): void {
    this.#ledger.settled(finished.map(({ job }) => job));
    if (this.#mayHaveRoomLater) this.#mayHaveWork = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#parts.shared.set("claimLoopTick", monotonicMs());
      await this.#parts.unstarted.tend();
      if (this.#stopping) break;
      const waitMs = await this.#claimIfDue(monotonicMs());
      if (waitMs > 0) await this.#sleep(waitMs);
    }
  }

  /** Claims if there is room, a lease and a reason to. Returns after how many milliseconds to look again. */
  async #claimIfDue(nowMs: number): Promise<number> {
    const { lease, queues } = this.#parts;
    const held = lease.held;
    if (held === undefined) return POLL_MS;
    if (nowMs < this.#notBeforeMs) return this.#notBeforeMs - nowMs;
    if (nowMs >= this.#dueMs) this.#mayHaveWork = true;
    if (!this.#mayHaveWork && nowMs < this.#nextPollMs) return Math.min(this.#nextPollMs, this.#dueMs) - nowMs;
    const wanted = this.#claimSize(nowMs);
    if (wanted === 0) return POLL_MS;
    const awake = this.#outlooks.awake(queues, nowMs);
    if (awake.length === 0) return POLL_MS / 4;
    if (!this.#mayHaveWork && this.#hearing) {
      await this.#ask(held);
      return 0;
    }
    this.#mayHaveWork = false;
    this.#quietAnswers = 0;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#nextPollMs = nowMs + this.#pollWaitMs();
    await this.#claim(held, awake, wanted);
    return 0;
  }

  /** Asks the store when there is work, which is cheaper than to claim, and tells everybody whom it concerns. */
  async #ask(held: HeldLease): Promise<void> {
    const { session, trouble, onDue } = this.#parts;
    try {
      const due = await dueWork(session, held.workerId);
      this.#failures = 0;
      trouble.worked("due work");
      this.due(due);
      onDue(due);
    } catch (error) {
      trouble.failed("due work", error);
      this.#retryLater();
    }
  }

  #retryLater(): void {
    this.#failures++;
    this.#mayHaveWork = true;
    this.#notBeforeMs = monotonicMs() + backoffMs(CLAIM_RETRY, this.#failures, Math.random());
  }

  #pollWaitMs(): number {
    const longestMs = this.#parts.longestPollMs;
    return pollWaitMs({ hearing: this.#hearing, quietAnswers: this.#quietAnswers, longestMs }, Math.random());
  }

  #claimSize(nowMs: number): number {
    const { slots, finisher, prefetch, unstarted } = this.#parts;
    return claimSize(
      {
        slots: slots.total,
        busy: slots.busy,
        stuck: slots.stuck,
        buffered: unstarted.size,
        unacknowledged: finisher.unacknowledged,
        finishesPerMs: this.#rate.perMs(nowMs),
      },
      { prefetch },
    );
  }

  async #claim(held: HeldLease, queues: readonly string[], wanted: number): Promise<void> {
    const { lease, shared, metrics, trouble, session, slots, unstarted } = this.#parts;
    const max = Math.min(MAX_CLAIM, wanted + this.#outlooks.lookPast(queues));
    const slotsFree = slots.free;
    const sentAtMs = monotonicMs();
    const floor = this.#floor.at(sentAtMs);
    const { said } = this.#ledger;
    let batch: ClaimedBatch;
    try {
      batch = await claimBatch(session, {
        workerId: held.workerId,
        queues,
        max,
        // Of a queue with a limit only what starts now: what is prefetched would take the places of others.
        slots: slotsFree,
        ...(floor === undefined ? {} : { floor }),
        ...said,
      });
    } catch (error) {
      metrics.count("jobqueue_worker_claims_total", { outcome: "error" });
      if (error instanceof StoreError && error.code === "lease_lapsed") {
        lease.reportLost(held.workerId);
        return;
      }
      trouble.failed("claim", error);
      this.#ledger.failed(error, monotonicMs());
      this.#retryLater();
      return;
    }
    const answeredAtMs = monotonicMs();
    const { jobs } = batch;
    this.#failures = 0;
    this.#ledger.answered(said, sentAtMs);
    this.#ledger.claimed(jobs);
    this.#floor.record(
      { jobs: jobs.length, next: batch.floor, floored: floor !== undefined, tookMs: answeredAtMs - sentAtMs },
      answeredAtMs,
    );
    trouble.worked("claim");
    metrics.count("jobqueue_worker_claims_total", { outcome: jobs.length > 0 ? "jobs" : "empty" });
    shared.set("lastClaim", answeredAtMs);
    if (!lease.trusts(held)) {
      // Too late to start them.
      unstarted.giveBackUntouched(jobs);
      lease.check();
      return;
    }
    this.#slotsWereShort = jobs.length >= slotsFree;
    this.#mayHaveRoomLater = jobs.length > 0;
    // A full claim leaves more behind it, most likely.
    if (jobs.length === max) this.#mayHaveWork = true;
    else unstarted.suspectHold();
    unstarted.accept(this.#withHandlers(jobs, jobs.length === max), held, wanted);
    if (this.#stopping) unstarted.giveBackAll();
  }

  /** Pairs jobs with their handlers; those of unknown kinds go back at once. */
  #withHandlers(jobs: readonly ClaimedJob[], full: boolean): BufferedJob[] {
    const { handlers, metrics, unstarted } = this.#parts;
    const nowMs = monotonicMs();
    const yields = new Map<string, { known: number; unknown: number }>();
    const known: BufferedJob[] = [];
    const unknown: ClaimedJob[] = [];
    for (const job of jobs) {
      const yielded = yields.get(job.queue) ?? { known: 0, unknown: 0 };
      yields.set(job.queue, yielded);
      const handler = handlers.get(job.kind);
      if (handler === undefined) {
        yielded.unknown++;
        unknown.push(job);
      } else {
        yielded.known++;
        known.push({ job, handler, claimedAtMs: nowMs });
      }
    }
    for (const [queue, yielded] of yields) {
      this.#outlooks.record(queue, { ...yielded, full }, nowMs);
      metrics.count("jobqueue_worker_jobs_claimed_total", { queue }, yielded.known + yielded.unknown);
      if (yielded.unknown > 0) metrics.count("jobqueue_worker_jobs_unknown_kind_total", { queue }, yielded.unknown);
    }
    unstarted.giveBackUntouched(unknown);
    for (const job of unknown) this.#reportUnknown(job, nowMs);
    return known;
  }

  #reportUnknown(job: ClaimedJob, nowMs: number): void {
    const loggedAt = this.#unknownLoggedAt.get(job.kind);
    if (loggedAt !== undefined && nowMs - loggedAt < UNKNOWN_KIND_REPEAT_MS) return;
    if (this.#unknownLoggedAt.size >= UNKNOWN_KINDS_REMEMBERED) this.#unknownLoggedAt.clear();
    this.#unknownLoggedAt.set(job.kind, nowMs);
    this.#parts.log.error(
      { jobId: job.id, queue: job.queue, kind: job.kind },
      "no handler knows this kind: the job was given back untouched and waits for a worker that does",
    );
  }

  async #sleep(waitMs: number): Promise<void> {
    // Turns at least once a second, so that the watchdog sees that it does.
    const dueMs = Math.min(waitMs, POLL_MS, this.#parts.unstarted.tendDueMs - monotonicMs());
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, dueMs));
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }

  #wake(): void {
    this.#wakeUp?.();
  }
}
