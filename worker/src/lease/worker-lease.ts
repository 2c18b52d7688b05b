import { randomUUID } from "node:crypto";
import { registerWorker, type Session, type WorkerFacts } from "@jobqueue/store";
import { backoffMs } from "../backoff.ts";
import { monotonicMs } from "../clock.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { pause } from "../pause.ts";
import type { Service } from "../service.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import type { SharedFacts } from "../watchdog/shared-facts.ts";
import { type Renewal, trustedUntilMs } from "./trust-window.ts";

/**
 * The worker's lease: who this incarnation is to the store, and whether it may still act.
 *
 * Invariants:
 * - A lease is trusted only until the end of its trust window, counted from when its last successful renewal was sent.
 * - Losing it is final: everything of that incarnation is aborted or dropped, and the next registration has a new boot
 *   id, so the store can never take the one for the other.
 * - Registering marks the incarnations before it gone, so what they held is recovered at the next sweep and not only
 *   when their leases lapse.
 *
 * The watchdog thread renews; this part only reads what it renewed, so it works also right after the main loop stood
 * still for a while.
 */
export interface LeaseOptions {
  readonly session: Session;
  /** What does not change from one incarnation to the next. */
  readonly facts: Omit<WorkerFacts, "bootId">;
  readonly leaseMs: number;
  readonly shared: SharedFacts;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
  /** A lease begins: work may be claimed. */
  readonly onHeld: (lease: HeldLease) => void;
  /** A lease is lost: whatever belongs to it must stop now. */
  readonly onLost: (lease: HeldLease) => void;
  /** The loop threw, which is a defect of ours: the process must not go on without it. */
  readonly onDefect: (error: unknown) => void;
}

/** One incarnation's lease; compared by identity. */
export interface HeldLease {
  readonly workerId: string;
  readonly bootId: string;
}

/** Why a lease was lost, as the metric says it. */
export type LeaseLoss = "not_renewed" | "store_said_so";

interface Incarnation extends HeldLease {
  readonly key: bigint;
  readonly registration: Renewal;
  /** What the last look at the renewals gave; never later than the truth. */
  trustedUntilMs: number;
  readonly lost: PromiseWithResolvers<void>;
}

const REGISTER_BACKOFF = { baseMs: 100, maxMs: 5_000 } as const;

/** Registers, keeps watch over the lease, and registers anew when it was lost. See the top of this file. */
export class WorkerLease implements Service {
  readonly #options: LeaseOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #incarnation: Incarnation | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** The lease, while it may be trusted. */
  get held(): HeldLease | undefined {
    return this.#incarnation !== undefined && this.#remainingMs(this.#incarnation) > 0 ? this.#incarnation : undefined;
  }

  /** Whether this very lease may be trusted now. */
  trusts(lease: HeldLease): boolean {
    const incarnation = this.#incarnation;
    if (incarnation === undefined || lease !== incarnation) return false;
    // What was trusted until then still is: a renewal only makes it longer. Asked once per job, so it must be cheap.
    if (monotonicMs() < incarnation.trustedUntilMs) return true;
    return this.#remainingMs(incarnation) > 0;
  }

  /** How long the lease may still be trusted, milliseconds; 0 without one. */
  get remainingMs(): number {
    return this.#incarnation === undefined ? 0 : Math.max(0, this.#remainingMs(this.#incarnation));
  }

  /** Starts to register; does not wait for the store. */
  start(): Promise<void> {
    this.#loop ??= this.#run().catch(this.#options.onDefect);
    return Promise.resolve();
  }

  /** Registers no more. A lease that is held stays held (the watchdog renews it) and can still be lost. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Looks whether the lease is still good; called at every turn of the main loop. */
  check(): void {
    const incarnation = this.#incarnation;
    if (incarnation === undefined) return;
    if (this.#options.shared.bigint("lostWorkerId") === incarnation.key) this.#lose(incarnation, "store_said_so");
    else if (this.#remainingMs(incarnation) <= 0) this.#lose(incarnation, "not_renewed");
  }

  /** The store said that this worker's lease is lost. */
  reportLost(workerId: string): void {
    if (this.#incarnation?.workerId === workerId) this.#lose(this.#incarnation, "store_said_so");
  }

  #remainingMs(incarnation: Incarnation): number {
    const { key, registration } = incarnation;
    incarnation.trustedUntilMs = trustedUntilMs(this.#options.shared.renewalOf(key) ?? registration);
    return incarnation.trustedUntilMs - monotonicMs();
  }

  #lose(incarnation: Incarnation, reason: LeaseLoss): void {
    const { shared, log, metrics, onLost } = this.#options;
    this.#incarnation = undefined;
    shared.set("workerId", 0n);
    metrics.count("jobqueue_worker_leases_lost_total", { reason });
    log.error({ workerId: incarnation.workerId, reason }, "the lease is lost: handlers are aborted");
    onLost(incarnation);
    incarnation.lost.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      const incarnation = await this.#register(signal);
      if (incarnation === undefined) return;
      await Promise.race([incarnation.lost.promise, stopped]);
    }
  }

  /** Registers under a new boot id, for as long as it takes; `undefined` when stopped meanwhile. */
  async #register(signal: AbortSignal): Promise<Incarnation | undefined> {
    const { session, facts, leaseMs, shared, log, trouble, onHeld } = this.#options;
    const bootId = randomUUID();
    for (let failures = 1; !signal.aborted; failures++) {
      const sentAtMs = monotonicMs();
      try {
        const workerId = await registerWorker(session, { ...facts, bootId });
        trouble.worked("register");
        const key = BigInt(workerId);
        const incarnation: Incarnation = {
          workerId,
          bootId,
          key,
          registration: { sentAtMs, leaseMs },
          trustedUntilMs: 0,
          lost: Promise.withResolvers<void>(),
        };
        this.#incarnation = incarnation;
        shared.set("leaseMs", leaseMs);
        shared.set("workerId", key);
        log.info({ workerId, bootId }, "registered");
        onHeld(incarnation);
        return incarnation;
      } catch (error) {
        trouble.failed("register", error);
      }
      await pause(backoffMs(REGISTER_BACKOFF, failures, Math.random()), signal);
    }
    return undefined;
  }
}
