/**
 * N workers over one queue. A reconcile is given a key, never an event: it reads the state of the world itself and says
 * what should happen next to the key. One switch turns that into a queue action, a metric and a log line.
 */
import { setImmediate as othersTurn } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { RuntimeMetrics } from "./metrics.ts";
import { BaseService } from "./service.ts";
import type { WorkQueue } from "./work-queue.ts";

/**
 * How one reconcile ended.
 *
 * - `done`: the world is as the spec wants; look again when something changes. Resets the backoff.
 * - `requeueAfter`: as `done`, and look again after `ms` in any case (something that cannot be watched).
 * - `retry`: failed for a reason that may pass: the key backs off. `afterMs` states a wait that a server asked for
 *   (`Retry-After`); the longer of it and the backoff counts.
 * - `terminal`: failed for a reason no retry mends (a person must change something): wait for the next change.
 */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "requeueAfter"; readonly ms: number; readonly reason?: string }
  | { readonly kind: "retry"; readonly error: unknown; readonly afterMs?: number }
  | { readonly kind: "terminal"; readonly error: unknown; readonly reason?: string };

/** What a reconcile may use beside the key. */
export interface ReconcileContext {
  /** Aborted when the controller must stop at once: the grace of `stop` is over, or `abort` of the options fired. */
  readonly signal: AbortSignal;
}

/** Brings the world in line for one key. Throwing counts as `retry`, and in the panics metric. */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<Outcome>;

/** How a controller is made. */
export interface ControllerOptions {
  readonly name: string;
  /** Closed by the controller's `stop`. */
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  /** Keys worked on at once (default 4). */
  readonly workers?: number;
  /** How long `stop` lets running reconciles finish before their signal aborts (default 20 s). */
  readonly stopGraceMs?: number;
  /** Takes away the right to act at once, e.g. a lost leadership: no key is taken any more and running reconciles are aborted. */
  readonly abort?: AbortSignal;
}

/** See the head of this file. `stop` closes the queue, lets running reconciles finish within the grace, then aborts them. */
export class Controller extends BaseService {
  readonly #options: ControllerOptions;
  readonly #cancel = new AbortController();
  #cancelGrace: () => void = () => {};

  constructor(options: ControllerOptions) {
    super(options.name);
    this.#options = options;
  }

  protected override onStart(): void {
    const { queue, clock, metrics, name, workers = 4, stopGraceMs = 20_000, abort } = this.#options;
    metrics.maxWorkers.set({ controller: name }, workers);
    this.stopping.addEventListener("abort", () => {
      queue.close();
      this.#cancelGrace = clock.after(stopGraceMs, () => this.#cancel.abort());
    });
    abort?.addEventListener("abort", this.#abort);
    if (abort?.aborted) this.#abort();
    for (let worker = 0; worker < workers; worker += 1) this.run(() => this.#work());
  }

  protected override onStop(): void {
    this.#cancelGrace();
    this.#options.abort?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => {
    this.#options.queue.close();
    this.#cancel.abort();
  };

  async #work(): Promise<void> {
    const { queue, clock, metrics, name: controller } = this.#options;
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      const began = clock.now();
      metrics.activeWorkers.inc({ controller });
      const outcome = await this.#reconcile(key);
      metrics.activeWorkers.dec({ controller });
      const ms = clock.now() - began;
      metrics.reconcileSeconds.observe({ controller }, ms / 1000);
      this.#conclude(key, outcome, Math.round(ms));
      queue.done(key);
      // A reconcile that waits for nothing ends in the turn of the event loop in which it began, and so would all that are
      // due: with 10,000 keys at once no timer ran for 6 to 20 s, and the Lease was lost (bench/README.md, B10).
      await othersTurn();
    }
  }

  async #reconcile(key: string): Promise<Outcome> {
    try {
      return await this.#options.reconcile(key, { signal: this.#cancel.signal });
    } catch (error) {
      if (!this.#cancel.signal.aborted) this.#options.metrics.reconcilePanics.inc({ controller: this.name });
      return { kind: "retry", error };
    }
  }

  /** The one place that says what an outcome means. */
  #conclude(key: string, outcome: Outcome, ms: number): void {
    const { queue, log, metrics, name: controller } = this.#options;
    const fields = { controller, key, ms };
    switch (outcome.kind) {
      case "done":
        queue.forget(key);
        metrics.reconciles.inc({ controller, result: "success" });
        log.debug(fields, "reconciled");
        return;
      case "requeueAfter":
        queue.forget(key);
        queue.addAfter(key, outcome.ms);
        metrics.reconciles.inc({ controller, result: "requeue_after" });
        log.debug({ ...fields, againMs: outcome.ms, reason: outcome.reason }, "reconciled, will look again");
        return;
      case "retry": {
        const againMs = Math.round(queue.addRateLimited(key, outcome.afterMs));
        metrics.reconciles.inc({ controller, result: "error" });
        metrics.reconcileErrors.inc({ controller });
        log.warn(
          { ...fields, err: outcome.error, againMs, failures: queue.failures(key) },
          "reconcile failed, will retry",
        );
        return;
      }
      case "terminal":
        queue.forget(key);
        metrics.reconciles.inc({ controller, result: "error" });
        metrics.reconcileErrors.inc({ controller });
        metrics.terminalErrors.inc({ controller });
        log.error(
          { ...fields, err: outcome.error, reason: outcome.reason },
          "reconcile cannot succeed until something changes",
        );
    }
  }
}
