import { type DueWork, dueWork, type Session } from "@jobqueue/store";
import type { WorkerLease } from "../lease/worker-lease.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Service } from "../service.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import { maintenance } from "./maintenance.ts";
import { Periodic } from "./periodic.ts";
import { recovery } from "./recovery.ts";
import { LOOK_MS, schedules } from "./schedules.ts";

/** What the chores of a worker work with. */
export interface ChoresParts {
  readonly session: Session;
  readonly lease: WorkerLease;
  /** Longest time between two looks for stale jobs, milliseconds. */
  readonly sweepMs: number;
  /** Longest time until the store is asked again what there is to do, while hints are heard, milliseconds. */
  readonly askedEveryMs: number;
  /** This worker, in words, for the audit trail. */
  readonly name: string;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
  /** A chore asked the store what there is to do; the chores themselves know. */
  readonly onDue: (due: DueWork) => void;
}

/** An answer may be so late before a chore looks by itself, milliseconds. */
const SLACK_MS = 1_000;

/** Workers that wait for the same tick of a schedule spread over this time, milliseconds. */
const TICK_SPREAD_MS = 250;

/**
 * What every worker does for the whole store, so that nothing else need run: recovery, schedules, maintenance.
 *
 * Without hints each looks at its own pace. While hints are heard somebody asks the store every few seconds what there is
 * to do (an idle worker with its heartbeats, the claim loop of another), so the first two look when that says that there is
 * something, and by themselves only when no answer came for longer than their pace allows.
 */
export class Chores implements Service {
  readonly #parts: ChoresParts;
  readonly #sweep: Periodic;
  readonly #schedules: Periodic;
  readonly #all: readonly Periodic[];
  #hearing = false;

  constructor(parts: ChoresParts) {
    const { session, lease, sweepMs, name, log, metrics, trouble } = parts;
    this.#parts = parts;
    const isTrusted = (): boolean => lease.held !== undefined;
    this.#sweep = new Periodic(recovery({ session, intervalMs: sweepMs, isTrusted, name, log, metrics }), trouble);
    const askNext = async (): Promise<void> => this.#askNext();
    this.#schedules = new Periodic(schedules({ session, askNext, log, metrics }), trouble);
    this.#all = [this.#sweep, this.#schedules, new Periodic(maintenance(session), trouble)];
  }

  async start(): Promise<void> {
    for (const chore of this.#all) await chore.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((chore) => chore.stop()));
  }

  /** Hints are heard from now on, or are not. */
  hearing(hearing: boolean): void {
    this.#hearing = hearing;
    this.#schedules.nextIn(Math.random() * LOOK_MS);
  }

  /** Somebody says that schedules were changed. */
  schedulesChanged(): void {
    this.#schedules.nextIn(Math.random() * TICK_SPREAD_MS);
  }

  /** The store said what there is to do. */
  due({ scheduleInMs, sweep }: DueWork): void {
    if (!this.#hearing) return;
    const { sweepMs, askedEveryMs } = this.#parts;
    if (sweep) this.#sweep.nextIn(0, sweepMs / 2);
    else this.#sweep.nextIn(sweepMs + SLACK_MS);
    // Later than the claim loop, which asks when a heartbeat brought no answer.
    const againMs = askedEveryMs + 2 * SLACK_MS;
    const tickInMs = Math.min(againMs, scheduleInMs ?? againMs) + Math.random() * TICK_SPREAD_MS;
    this.#schedules.nextIn(tickInMs, scheduleInMs === 0 ? LOOK_MS / 2 : undefined);
  }

  async #askNext(): Promise<void> {
    const { session, lease, onDue } = this.#parts;
    const { held } = lease;
    if (!this.#hearing || held === undefined) return;
    const due = await dueWork(session, held.workerId);
    this.due(due);
    onDue(due);
  }
}
