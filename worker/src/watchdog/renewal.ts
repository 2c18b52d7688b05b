import type { HeartbeatFacts, RenewedLease } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import { renewalIntervalMs, renewalRetryMs } from "../lease/trust-window.ts";
import { pause } from "../pause.ts";
import type { Service } from "../service.ts";
import { judge, type WatchdogLimits } from "./judge.ts";
import type { SharedFacts } from "./shared-facts.ts";

/** What the renewal loop does to the world outside its thread. */
export interface RenewalEffects {
  /** Sends a heartbeat; `undefined` means that the lease is lost. */
  renew(workerId: string, facts: HeartbeatFacts): Promise<RenewedLease | undefined>;
  /** The store said that this worker's lease is lost. */
  lost(workerId: string): void;
  /** A heartbeat got no answer; it is tried again. */
  renewalFailed(error: unknown): void;
  /** The main thread makes no progress: the process must end. Called once. */
  hung(reason: string): void;
}

/** How often the watchdog looks at the main thread at most, milliseconds. */
const LONGEST_TURN_MS = 250;

/**
 * The loop of the watchdog thread: looks at what the main thread published, renews the lease while that is in order,
 * and ends the process when it is hung. A heartbeat that waits for the database does not stop the looking.
 */
export class Renewal implements Service {
  readonly #facts: SharedFacts;
  readonly #limits: WatchdogLimits;
  readonly #effects: RenewalEffects;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  /** The worker the times below are about. */
  #workerId = 0n;
  #nextBeatMs = 0;

  constructor(facts: SharedFacts, limits: WatchdogLimits, effects: RenewalEffects) {
    this.#facts = facts;
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
      this.#facts.set("watchdogTick", nowMs);
      const verdict = judge(
        {
          nowMs,
          loopTickMs: this.#facts.get("loopTick"),
          slotsTotal: this.#facts.get("slotsTotal"),
          slotsStuck: this.#facts.get("slotsStuck"),
          claimLoopTickMs: this.#facts.get("claimLoopTick"),
          draining: this.#facts.get("draining") === 1,
        },
        this.#limits,
      );
      if (verdict.hung !== undefined) {
        this.#effects.hung(verdict.hung);
        return;
      }
      if (verdict.renew && this.#isDue(nowMs))
        this.#beating ??= this.#beat(nowMs).finally(() => (this.#beating = undefined));
    } while (await pause(this.#turnMs(), signal));
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

  async #beat(sentAtMs: number): Promise<void> {
    const workerId = this.#workerId;
    const leaseMs = this.#facts.get("leaseMs");
    try {
      const lease = await this.#effects.renew(String(workerId), this.#progress(sentAtMs));
      if (lease === undefined) {
        this.#facts.set("lostWorkerId", workerId);
        this.#effects.lost(String(workerId));
        return;
      }
      this.#facts.setRenewal(workerId, sentAtMs, lease.leaseMs);
      this.#next(workerId, sentAtMs + renewalIntervalMs(lease.leaseMs));
    } catch (error) {
      this.#effects.renewalFailed(error);
      this.#next(workerId, monotonicMs() + renewalRetryMs(leaseMs, Math.random()));
    }
  }

  #next(workerId: bigint, atMs: number): void {
    if (workerId === this.#workerId) this.#nextBeatMs = atMs;
  }

  #progress(nowMs: number): HeartbeatFacts {
    const lastClaim = this.#facts.get("lastClaim");
    return {
      loopAgeMs: Math.max(0, nowMs - this.#facts.get("loopTick")),
      lastClaimAgeMs: lastClaim === 0 ? undefined : Math.max(0, nowMs - lastClaim),
      slotsBusy: this.#facts.get("slotsBusy"),
      slotsStuck: this.#facts.get("slotsStuck"),
      state: this.#facts.get("draining") === 1 ? "draining" : "active",
    };
  }
}
