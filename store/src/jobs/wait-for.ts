import { setTimeout as sleep } from "node:timers/promises";
import { invalidInput, StoreError } from "../errors.ts";
import { JOB_STATES } from "../job-state.ts";
import type { Session } from "../session.ts";
import type { Job } from "./job.ts";
import { getJob } from "./read-jobs.ts";

/** Milliseconds before the second look. */
const FIRST_PAUSE_MS = 20;
/** Each pause is this much longer than the one before … */
const GROWTH = 1.5;
/** … up to this: a job that takes minutes is worth a look a second. */
const LONGEST_PAUSE_MS = 1_000;

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds, at least 0. */
  readonly timeoutMs: number;
  /** Ends the wait early; it then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/**
 * Waits until a job is completed, cancelled or dead, and returns it. Looks at once and then at growing intervals, so it
 * needs no connection of its own and works behind any pooler. Rejects with `timeout` when the job is still live in the end
 * (it goes on, and may be waited for again), and with `invalid_input` when there is no such job.
 */
export async function waitFor(session: Session, id: string, options: WaitOptions): Promise<Job> {
  const { timeoutMs, signal } = options;
  if (!(timeoutMs >= 0)) throw invalidInput(`timeoutMs is ${timeoutMs}: write 0 or more`);
  const until = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    const job = await getJob(session, id);
    if (!job) throw invalidInput(`there is no job ${id}: it was deleted, or its record is past its retention`);
    if (JOB_STATES[job.state].terminal) return job;
    const leftMs = until - performance.now();
    if (leftMs <= 0) {
      throw new StoreError(`job ${id} is still ${job.state} after ${timeoutMs} ms`, {
        code: "timeout",
        retry: "backoff",
      });
    }
    await sleep(Math.min(pauseMs, leftMs), undefined, signal ? { signal } : undefined).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  }
}
