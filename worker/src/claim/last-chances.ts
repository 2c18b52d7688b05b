/**
 * When a worker may have a job in its hands that is in its last chance: one more lost worker makes it dead as poison.
 *
 * A job that kills its worker takes one recovery from every job that the worker has: those that run beside it and those
 * that were claimed and wait. Nobody knows which of them was the culprit, so before any of them dies for it, each is run
 * alone (G9). The invariant, which the decisions here and `UnstartedJobs` keep together:
 *
 *     A worker that has a last-chance job has nothing else: no other job runs, waits, or has an outcome that the store
 *     has not acknowledged. It starts and claims nothing until the outcome of that one is acknowledged.
 *
 * The culprit lost every worker that its victims lost to it, so it is alone by then, and only it can die. (What several
 * culprits do to a job in the milliseconds in which a look finds it and gives it back is the one gap.)
 *
 * Nobody starves: a worker with empty hands takes last-chance jobs in claim order, one by one, and works for others as long
 * after each as that one took. A worker whose hands are full claims only others and looks for last-chance jobs once a
 * second; when it sees one it gives back what it has not started and claims nothing until what runs has ended. Where that
 * takes too long it goes on with others for four times as long and is twice as patient the next time, so that at most a
 * fifth of its time is lost however long the jobs are that run, and the last-chance job has its turn in the end.
 */

/** What the next claim may bring; `one`: at most one job, of either sort; `others`: none in its last chance. */
export type ClaimScope = "nothing" | "one" | "any" | "others";

/** What the worker has in its hands. */
export interface HandsNow {
  /** A job in its last chance, running or about to. */
  readonly lastChance: boolean;
  /** Nothing at all, outcomes that are not acknowledged included. */
  readonly empty: boolean;
  /**
   * Slots whose handler ignored its abort. It may still harm the process, so that no last-chance job is run beside it:
   * another worker does, or this one once its slots are free again.
   */
  readonly stuck: number;
}

/** A claim that was answered. */
export interface SeenClaim {
  /** What it was allowed to bring. */
  readonly scope: ClaimScope;
  /** Whether the hands were empty before it. */
  readonly empty: boolean;
  /** How many jobs it brought, and how many of them are in their last chance. */
  readonly jobs: number;
  readonly lastChances: number;
}

/** How often a worker whose hands are never empty looks for last-chance jobs, milliseconds. */
const LOOK_MS = 1_000;

/** How long it first waits for its hands to be empty, milliseconds, and how much longer it works for others then. */
const FIRST_PATIENCE_MS = 1_000;
const WORK_SHARE = 4;

/** See the top of this file. Times are monotonic milliseconds. */
export class LastChances {
  /** The last claim that could bring some did: there are more, most likely. */
  #seen = false;
  #patienceMs = FIRST_PATIENCE_MS;
  #quietUntilMs = 0;
  #lookDueMs = 0;
  #othersUntilMs = 0;

  /** What a claim may bring now. */
  scope(hands: HandsNow, nowMs: number): ClaimScope {
    if (hands.lastChance) return "nothing";
    if (hands.stuck > 0 || nowMs < this.#othersUntilMs) return "others";
    if (hands.empty) return this.#seen ? "one" : "any";
    if (nowMs < this.#quietUntilMs) return "nothing";
    return nowMs < this.#lookDueMs ? "others" : "any";
  }

  /** Takes note of an answered claim. */
  answered({ scope, empty, jobs, lastChances }: SeenClaim, nowMs: number): void {
    if (scope === "others") {
      // There are no others: the next last chance need not wait for them.
      if (empty && jobs === 0) this.#othersUntilMs = 0;
      return;
    }
    this.#seen = lastChances > 0;
    if (empty || !this.#seen) {
      this.#patienceMs = FIRST_PATIENCE_MS;
      this.#quietUntilMs = 0;
      this.#lookDueMs = nowMs + LOOK_MS;
      return;
    }
    this.#quietUntilMs = nowMs + this.#patienceMs;
    this.#lookDueMs = this.#quietUntilMs + WORK_SHARE * this.#patienceMs;
    this.#patienceMs *= 2;
  }

  /** A last-chance job left the worker's hands, which it had for so long. */
  over(tookMs: number, nowMs: number): void {
    this.#othersUntilMs = nowMs + tookMs;
  }
}
