import type { ClaimedJob } from "@jobqueue/store";
import type { Handler } from "../handlers/handler.ts";

/** A job that was claimed and waits for a slot. */
export interface BufferedJob {
  readonly job: ClaimedJob;
  readonly handler: Handler;
  /** Monotonic time at which it was claimed. */
  readonly claimedAtMs: number;
}

/** Longest time a claimed job waits for a slot, milliseconds. Then it goes back, since others could run it. */
export const LONGEST_WAIT_MS = 1_000;

/** Jobs claimed and not started, in the order of their claims. */
export class JobBuffer {
  #jobs: BufferedJob[] = [];
  #next = 0;

  get size(): number {
    return this.#jobs.length - this.#next;
  }

  push(job: BufferedJob): void {
    this.#jobs.push(job);
  }

  /** The job that has waited longest. */
  get first(): BufferedJob | undefined {
    return this.#jobs[this.#next];
  }

  /** Takes the job that has waited longest. */
  shift(): BufferedJob | undefined {
    const job = this.#jobs[this.#next];
    if (job === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#jobs.length) {
      this.#jobs = [];
      this.#next = 0;
    }
    return job;
  }

  /** Takes the jobs out that a condition is true of. */
  take(condition: (job: BufferedJob) => boolean): BufferedJob[] {
    const taken: BufferedJob[] = [];
    const kept: BufferedJob[] = [];
    for (const job of this.#jobs.slice(this.#next)) (condition(job) ? taken : kept).push(job);
    this.#jobs = kept;
    this.#next = 0;
    return taken;
  }

  /** Takes out so many of the jobs that came last. */
  takeNewest(count: number): BufferedJob[] {
    return count <= 0 ? [] : this.#jobs.splice(Math.max(this.#next, this.#jobs.length - count));
  }
}
