/**
 * The lifecycle of every long-lived part of a worker.
 *
 * - `start` resolves when the part does its work, not when it has succeeded at it: a claim loop starts without a
 *   database. Starting again returns the first start's promise.
 * - `stop` resolves when the last callback has returned and the part's timers, connections and threads are gone.
 *   Stopping again returns the same promise; stopping what was never started does nothing. Stopping is final.
 */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
