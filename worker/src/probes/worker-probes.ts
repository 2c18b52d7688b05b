import type { ClaimLoop } from "../claim/claim-loop.ts";
import type { UnstartedJobs } from "../claim/unstarted-jobs.ts";
import { monotonicMs } from "../clock.ts";
import type { Finisher } from "../finish/finisher.ts";
import type { WorkerLease } from "../lease/worker-lease.ts";
import type { BlockReader, LoopTick } from "../loop-tick.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Slots } from "../run/slots.ts";
import type { SharedFacts } from "../watchdog/shared-facts.ts";
import { type HealthView, liveness, type ProbeAnswer, readiness } from "./health.ts";
import type { Probes } from "./http-server.ts";

/** The parts of a worker that the probes look at. */
export interface ProbedParts {
  readonly shared: SharedFacts;
  readonly slots: Slots;
  readonly lease: WorkerLease;
  readonly finisher: Finisher;
  readonly unstarted: UnstartedJobs;
  readonly claimLoop: Pick<ClaimLoop, "failingForMs">;
  readonly tick: LoopTick;
  readonly metrics: WorkerMetrics;
  /** Until the watchdog says what it goes by. */
  readonly hungAfterMs: number;
}

/** Answers the probes from what the parts of a worker know at the moment. */
export class WorkerProbes implements Probes {
  readonly #parts: ProbedParts;

  constructor(parts: ProbedParts) {
    this.#parts = parts;
  }

  live(): ProbeAnswer {
    return liveness(this.#view());
  }

  ready(): ProbeAnswer {
    return readiness(this.#view());
  }

  async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.measure("scrape");
    const { registry } = this.#parts.metrics;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** Sets what is measured only when somebody looks. */
  measure(reader: BlockReader): void {
    const { metrics, slots, unstarted, finisher, lease, tick, shared } = this.#parts;
    metrics.set("jobqueue_worker_slots", slots.busy - slots.stuck, { state: "busy" });
    metrics.set("jobqueue_worker_slots", slots.stuck, { state: "stuck" });
    metrics.set("jobqueue_worker_slots", slots.free, { state: "free" });
    metrics.set("jobqueue_worker_buffered_jobs", unstarted.size);
    metrics.set("jobqueue_worker_unacknowledged_outcomes", finisher.unacknowledged);
    metrics.set("jobqueue_worker_lease_remaining_seconds", lease.remainingMs / 1000);
    metrics.set("jobqueue_worker_event_loop_longest_block_seconds", tick.takeLongestBlockMs(reader) / 1000);
    metrics.set("jobqueue_worker_draining", shared.get("draining"));
    metrics.set("jobqueue_worker_drained", shared.get("drained"));
  }

  #view(): HealthView {
    const { shared, lease, slots, claimLoop, hungAfterMs } = this.#parts;
    const nowMs = monotonicMs();
    return {
      draining: shared.get("draining") === 1,
      leaseTrusted: lease.held !== undefined,
      claimLoopAgeMs: ageOf(shared.get("claimLoopTick"), nowMs),
      claimsFailForMs: claimLoop.failingForMs,
      watchdogAgeMs: ageOf(shared.get("watchdogTick"), nowMs),
      slotsTotal: slots.total,
      slotsStuck: slots.stuck,
      hungAfterMs: shared.get("hungAfterMs") || hungAfterMs,
    };
  }
}

/** What has not started yet has no age. */
function ageOf(tickMs: number, nowMs: number): number {
  return tickMs === 0 ? 0 : nowMs - tickMs;
}
