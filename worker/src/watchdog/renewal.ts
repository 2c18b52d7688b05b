import type { DueWork, HeartbeatFacts, RenewedLease } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import { renewalIntervalMs, renewalRetryMs } from "../lease/trust-window.ts";
import { pause } from "../pause.ts";
import type { Service } from "../service.ts";
import { judge, limitsTold, type WatchdogLimits } from "./judge.ts";
import type { SharedFacts } from "./shared-facts.ts";

/** What the renewal loop does to the world outside its thread. */
export interface RenewalEffects {
  /**
   * Sends a heartbeat, which renews the lease unless its facts say otherwise; `undefined` means that the lease is lost.
   */
  beat(workerId: string, facts: HeartbeatFacts): Promise<RenewedLease | undefined>;
  /** The store says what there is to do, because the worker was idle. */
  due(workerId: string, due: DueWork): void;
  /** The store says that jobs of this worker were cancelled. */
  cancelled(workerId: string): void;
  /** The store keeps this worker idle, or does so no more: told with each heartbeat while it does, and once after. */
  drained(workerId: string, drained: boolean): void;
  /** The store said that this worker's lease is lost. */
  lost(workerId: string): void;
  /** A heartbeat got no answer; it is tried again. */
  renewalFailed(error: unknown): void;
  /** The main thread makes no progress: the process must end. Called once. */
  hung(reason: string): void;
}

/** How often the watchdog looks at the main thread at most, milliseconds. */
const LONGEST_TURN_MS = 250;

/** A turn that comes so late was not late: the whole process stood still (SIGSTOP, a frozen container), milliseconds. */
const STANDSTILL_MS = 1_000;

/**
 * The loop of the watchdog thread: looks at what the main thread published, renews the lease while that is in order,
 * and ends the process when it is hung. A heartbeat that waits for the database does not stop the looking.
 *
 * While the event loop is blocked for longer than its budget heartbeats go on without renewing: the store then shows a
 * fresh beat with an old loop, which is "blocked", not "gone", and the lease runs out all the same.
 */
export class Renewal implements Service {
  readonly #facts: SharedFacts;
  /** As the process was started with, and as the store told it since. */
  readonly #ownLimits: WatchdogLimits;
  #limits: WatchdogLimits;
  readonly #effects: RenewalEffects;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  /** When this loop last turned. */
  #turnedAtMs = 0;
  /** When the process last went on after it had stood still: no age is counted from before. */
  #wokeAtMs = 0;
  /** The worker the times below are about. */
  #workerId = 0n;
  #nextBeatMs = 0;
  /** The last heartbeat got no answer: the next asks for nothing that could keep it. */
  #failed = false;
  /** What the last heartbeat said of being kept idle. */
  #drained = false;

  constructor(facts: SharedFacts, limits: WatchdogLimits, effects: RenewalEffects) {
    this.#facts = facts;
    this.#ownLimits = limits;
    this.#limits = limits;
    this.#effects = effects;
  }

  start(): Promise<void> {
    this.#loop ??= this.#run();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#beating;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    do {
      const nowMs = monotonicMs();
      if (this.#turnedAtMs > 0 && nowMs - this.#turnedAtMs > this.#turnMs() + STANDSTILL_MS) this.#wokeAtMs = nowMs;
      this.#turnedAtMs = nowMs;
      this.#facts.set("watchdogTick", nowMs);
      this.#facts.set("hungAfterMs", this.#limits.hungAfterMs);
      const verdict = judge(
        {
          nowMs,
          loopTickMs: Math.max(this.#facts.get("loopTick"), this.#wokeAtMs),
          slotsTotal: this.#facts.get("slotsTotal"),
          slotsStuck: this.#facts.get("slotsStuck"),
          claimLoopTickMs: this.#since("claimLoopTick"),
          draining: this.#facts.get("draining") === 1,
        },
        this.#limits,
      );
      if (verdict.hung !== undefined) {
        this.#effects.hung(verdict.hung);
        return;
      }
      if (this.#isDue(nowMs))
        this.#beating ??= this.#beat(nowMs, verdict.renew).finally(() => (this.#beating = undefined));
    } while (await pause(this.#turnMs(), signal));
  }

  /** When something last happened, as far as this process was running; 0: never. */
  #since(fact: "claimLoopTick"): number {
    const atMs = this.#facts.get(fact);
    return atMs === 0 ? 0 : Math.max(atMs, this.#wokeAtMs);
  }

  #turnMs(): number {
    const leaseMs = this.#facts.get("leaseMs");
    return leaseMs === 0 ? LONGEST_TURN_MS : Math.min(LONGEST_TURN_MS, leaseMs / 20);
  }

  #isDue(nowMs: number): boolean {
    const workerId = this.#facts.bigint("workerId");
    if (workerId !== this.#workerId) {
      // Registered a moment ago, and registering started its lease.
      this.#workerId = workerId;
      this.#nextBeatMs = nowMs + renewalIntervalMs(this.#facts.get("leaseMs"));
    }
    return workerId !== 0n && workerId !== this.#facts.bigint("lostWorkerId") && nowMs >= this.#nextBeatMs;
  }

  async #beat(sentAtMs: number, renew: boolean): Promise<void> {
    const workerId = this.#workerId;
    const leaseMs = this.#facts.get("leaseMs");
    try {
      const lease = await this.#effects.beat(String(workerId), {
        ...this.#progress(sentAtMs),
        renew,
        due: renew && !this.#failed && this.#facts.get("slotsBusy") === 0,
      });
      this.#failed = false;
      if (lease === undefined) {
        this.#facts.set("lostWorkerId", workerId);
        this.#effects.lost(String(workerId));
        return;
      }
      this.#limits = limitsTold(this.#ownLimits, lease.loopStallMs);
      if (lease.cancelIds.length > 0) this.#effects.cancelled(String(workerId));
      if (lease.drained || this.#drained) this.#effects.drained(String(workerId), lease.drained);
      this.#drained = lease.drained;
      if (lease.due !== undefined) this.#effects.due(String(workerId), lease.due);
      if (renew) this.#facts.setRenewal(workerId, sentAtMs, lease.leaseMs);
      this.#next(workerId, sentAtMs + renewalIntervalMs(leaseMs));
    } catch (error) {
      this.#failed = true;
      this.#effects.renewalFailed(error);
      this.#next(workerId, monotonicMs() + renewalRetryMs(leaseMs, Math.random()));
    }
  }

  #next(workerId: bigint, atMs: number): void {
    if (workerId === this.#workerId) this.#nextBeatMs = atMs;
  }

  #progress(nowMs: number): HeartbeatFacts {
    return {
      loopAgeMs: this.#ageOf("loopTick", nowMs),
      lastClaimAgeMs: this.#ageOf("lastClaim", nowMs),
      lastFinishAgeMs: this.#ageOf("lastFinish", nowMs),
      slotsBusy: this.#facts.get("slotsBusy"),
      slotsStuck: this.#facts.get("slotsStuck"),
      state: this.#facts.get("draining") === 1 ? "draining" : "active",
    };
  }

  #ageOf(fact: "loopTick" | "lastClaim" | "lastFinish", nowMs: number): number | undefined {
    const atMs = this.#facts.get(fact);
    return atMs === 0 ? undefined : Math.max(0, nowMs - atMs);
  }
}
