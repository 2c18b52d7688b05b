import { type ClaimedBatch, type ClaimedJob, type DueWork, dueWork, type Session, StoreError } from "@jobqueue/store";
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
import { claimUnderSpan } from "../telemetry/claim-span.ts";
import type { SharedFacts } from "../watchdog/shared-facts.ts";
import { ClaimFloor } from "./claim-floor.ts";
import { claimSize, MAX_CLAIM } from "./claim-size.ts";
import { FinishRate } from "./finish-rate.ts";
import type { BufferedJob } from "./job-buffer.ts";
import { type ClaimScope, LastChances } from "./last-chances.ts";
import type { LeaseLedger } from "./lease-ledger.ts";
import { POLL_MS, PollPace } from "./poll-wait.ts";
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
  readonly ledger: LeaseLedger;
  readonly lease: WorkerLease;
  readonly shared: SharedFacts;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
  /** Longest time between two polls while hints are heard, milliseconds. */
  readonly longestPollMs: number;
  /** The store answered what there is to do; the loop itself is told with `due`. */
  readonly onDue: (due: DueWork) => void;
  /** A job in its last chance ignored its abort; the store knows, and the worker has nothing else in its hands. */
  readonly onStuckAlone: () => void;
  /** The loop threw, which is a defect of ours: the process must not go on without it. */
  readonly onDefect: (error: unknown) => void;
}

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
  readonly #floor = new ClaimFloor();
  readonly #pace: PollPace;
  readonly #lastChances = new LastChances();
  readonly #unknownLoggedAt = new Map<string, number>();
  /** The job that runs, or will run, alone in this worker. */
  #alone: BufferedJob | undefined;
  #loop: Promise<void> | undefined;
  #stopping = false;
  /** There may be work: claim without waiting for the next poll. */
  #mayHaveWork = true;
  /** The last claim got all that its free slots were good for: of a queue with limits there may be more once one is free. */
  #slotsWereShort = false;
  /** The last claim brought jobs: when they are over a limit of their queue may let others in, and nothing else says so. */
  #mayHaveRoomLater = false;
  #notBeforeMs = 0;
  #failures = 0;
  #failingSinceMs: number | undefined;
  #wakeUp: (() => void) | undefined;

  constructor(parts: ClaimLoopParts) {
    this.#parts = parts;
    this.#pace = new PollPace(parts.longestPollMs);
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
    this.#pace.hearing = hearing;
    this.hint();
  }

  /** The store said what there is to do, and will be asked again after `nextMs` milliseconds or sooner. */
  due({ workInMs }: DueWork, nextMs = 0): void {
    const nowMs = monotonicMs();
    // As good as a claim that brought nothing. That there is work is no claim: only the claim that gets it is.
    if (workInMs !== 0) this.#parts.shared.set("lastClaim", nowMs);
    if (!this.#pace.hearing) return;
    if (workInMs === 0) this.#mayHaveWork = true;
    else this.#pace.quiet(workInMs, nextMs, nowMs);
    this.#wake();
  }

  /** An attempt ended and its slot is free. */
  slotFree(): void {
    const nowMs = monotonicMs();
    this.#rate.add(1, nowMs);
    if (this.#slotsWereShort) this.#mayHaveWork = true;
    if (!this.#stopping) this.#parts.unstarted.startSome();
    // To wake the loop costs as much as to run a small job, so it is woken when it would claim.
    if (this.#stopping || ((this.#mayHaveWork || this.#pace.remainingMs(nowMs) <= 0) && this.#claimSize(nowMs) > 0))
      this.#wake();
  }

  /** Jobs left this worker's hands: the store acknowledged their outcomes, or said that they are lost. */
  settled(finished: readonly { readonly job: ClaimedJob }[]): void {
    this.#parts.ledger.settled(finished.map(({ job }) => job));
    if (this.#alone !== undefined) this.#settledBeside(this.#alone, finished);
    if (this.#mayHaveRoomLater) this.#mayHaveWork = true;
    this.#wake();
  }

  /** Something was settled while the worker has a job in its last chance: that job itself, or what had to go before it. */
  #settledBeside(alone: BufferedJob, finished: readonly { readonly job: ClaimedJob }[]): void {
    const { slots, unstarted, onStuckAlone } = this.#parts;
    if (!finished.some(({ job }) => job === alone.job)) {
      if (!this.#stopping) unstarted.startSome();
      return;
    }
    const nowMs = monotonicMs();
    this.#alone = undefined;
    this.#lastChances.over(nowMs - alone.claimedAtMs, nowMs);
    this.#mayHaveWork = true;
    if (slots.stuck > 0 && !this.#stopping) onStuckAlone();
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
    const { lease, queues, shared, ledger } = this.#parts;
    const held = lease.held;
    if (held === undefined) return POLL_MS;
    // Kept idle by the operator: a claim would bring nothing. What there is to tell about earlier ones is told.
    if (shared.get("drained") === 1 && !ledger.hasNews) return POLL_MS;
    if (nowMs < this.#notBeforeMs) return this.#notBeforeMs - nowMs;
    if (this.#pace.isWorkDue(nowMs)) this.#mayHaveWork = true;
    const quietMs = this.#pace.remainingMs(nowMs);
    if (!this.#mayHaveWork && quietMs > 0) return quietMs;
    const scope = this.#claimScope(nowMs);
    if (scope === "nothing") return POLL_MS;
    const wanted = Math.min(this.#claimSize(nowMs), scope === "one" ? 1 : MAX_CLAIM);
    if (wanted === 0) return POLL_MS;
    const awake = this.#outlooks.awake(queues, nowMs);
    if (awake.length === 0) return POLL_MS / 4;
    if (!this.#mayHaveWork && this.#pace.hearing && !ledger.hasNews) {
      await this.#ask(held);
      return 0;
    }
    this.#mayHaveWork = false;
    this.#pace.claiming(nowMs);
    await this.#claim(held, awake, wanted, scope);
    return 0;
  }

  /** Asks the store when there is work, which is cheaper than to claim, and tells everybody whom it concerns. */
  async #ask(held: HeldLease): Promise<void> {
    const { session, trouble, onDue } = this.#parts;
    try {
      const due = await dueWork(session, held.workerId);
      this.#worked();
      trouble.worked("due work");
      this.due(due);
      onDue(due);
    } catch (error) {
      trouble.failed("due work", error);
      this.#retryLater();
    }
  }

  /** For how long every claim has failed, milliseconds; 0 while the last one worked. */
  get failingForMs(): number {
    return this.#failingSinceMs === undefined ? 0 : monotonicMs() - this.#failingSinceMs;
  }

  #worked(): void {
    this.#failures = 0;
    this.#failingSinceMs = undefined;
  }

  #retryLater(): void {
    const nowMs = monotonicMs();
    this.#failures++;
    this.#failingSinceMs ??= nowMs;
    this.#mayHaveWork = true;
    this.#notBeforeMs = nowMs + backoffMs(CLAIM_RETRY, this.#failures, Math.random());
  }

  #claimScope(nowMs: number): ClaimScope {
    const { ledger, slots } = this.#parts;
    const hands = { lastChance: this.#alone !== undefined, empty: ledger.empty, stuck: slots.stuck };
    return this.#lastChances.scope(hands, nowMs);
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

  async #claim(held: HeldLease, queues: readonly string[], wanted: number, scope: ClaimScope): Promise<void> {
    const { lease, shared, metrics, trouble, session, slots, unstarted, ledger } = this.#parts;
    const max = Math.min(MAX_CLAIM, wanted + this.#outlooks.lookPast(queues));
    const slotsFree = slots.free;
    const sentAtMs = monotonicMs();
    const floor = this.#floor.at(sentAtMs);
    const { said } = ledger;
    let batch: ClaimedBatch;
    try {
      batch = await claimUnderSpan(session, {
        workerId: held.workerId,
        queues,
        max,
        // Of a queue with a limit only what starts now: what is prefetched would take the places of others.
        slots: slotsFree,
        lastChances: scope !== "others",
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
      ledger.failed(error, monotonicMs());
      this.#retryLater();
      return;
    }
    const answeredAtMs = monotonicMs();
    const { jobs } = batch;
    this.#worked();
    ledger.answered(said, sentAtMs);
    const handsWereEmpty = ledger.empty && slots.stuck === 0;
    ledger.claimed(jobs);
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
    const known = this.#withHandlers(jobs, jobs.length === max);
    const lastChances = known.filter(({ job }) => job.lastChance);
    this.#lastChances.answered(
      { scope, empty: handsWereEmpty, jobs: jobs.length, lastChances: lastChances.length },
      answeredAtMs,
    );
    if (lastChances.length > 0) this.#acceptAlone(handsWereEmpty ? lastChances[0] : undefined, known, held);
    else unstarted.accept(known, held, wanted);
    // Others had their turn and there are none.
    if (scope === "others" && handsWereEmpty && jobs.length === 0) this.#mayHaveWork = true;
    if (this.#stopping) unstarted.giveBackAll();
  }

  /** Keeps a job in its last chance, if it can be alone here, and gives back everything else. */
  #acceptAlone(chosen: BufferedJob | undefined, jobs: readonly BufferedJob[], held: HeldLease): void {
    this.#mayHaveWork = true;
    this.#alone = chosen;
    if (chosen !== undefined) {
      const { id: jobId, queue, kind } = chosen.job;
      this.#parts.log.info({ jobId, queue, kind }, "one more lost worker makes this job dead: it runs alone here");
    }
    this.#parts.unstarted.acceptAlone(chosen, jobs, held);
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
