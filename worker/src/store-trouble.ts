import { StoreError } from "@jobqueue/store";
import { monotonicMs } from "./clock.ts";
import type { Log } from "./log.ts";
import type { WorkerMetrics } from "./metrics.ts";

/** A trouble that lasts is logged again after this time, milliseconds. */
const REPEAT_MS = 30_000;

interface Trouble {
  readonly code: string;
  readonly sinceMs: number;
  loggedMs: number;
}

/**
 * Reports errors of the store without drowning the log: the first of an operation, every change of its kind, one line
 * each half minute while it lasts, and one when it is over. Every single error is counted.
 */
export class StoreTrouble {
  readonly #log: Log;
  readonly #metrics: WorkerMetrics;
  readonly #current = new Map<string, Trouble>();

  constructor(log: Log, metrics: WorkerMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** An operation failed. */
  failed(operation: string, error: unknown): void {
    this.failedWith(operation, error instanceof StoreError ? error.code : "internal", messageOf(error));
  }

  /** The same for an error that came as words from another thread. */
  failedWith(operation: string, code: string, message: string): void {
    this.#metrics.count("jobqueue_worker_store_errors_total", { operation, code });
    const nowMs = monotonicMs();
    const known = this.#current.get(operation);
    if (known?.code === code && nowMs - known.loggedMs < REPEAT_MS) return;
    this.#current.set(operation, { code, sinceMs: known?.sinceMs ?? nowMs, loggedMs: nowMs });
    this.#log.error({ operation, code, error: message }, "the store cannot be used; trying on");
  }

  /** An operation worked. */
  worked(operation: string): void {
    const trouble = this.#current.get(operation);
    if (trouble === undefined) return;
    this.#current.delete(operation);
    const seconds = Number(((monotonicMs() - trouble.sinceMs) / 1000).toFixed(1));
    this.#log.info({ operation, code: trouble.code, seconds }, "the store can be used again");
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
