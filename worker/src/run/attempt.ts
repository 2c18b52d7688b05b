import type { ClaimedJob } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import type { Handler, JobContext } from "../handlers/handler.ts";
import { type AbortCause, type Ending, JobAborted } from "./outcome.ts";

/** Node's timers cannot wait longer, milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One execution of a job by its handler, with its deadline. */
export class Attempt {
  readonly job: ClaimedJob;
  readonly #handler: Handler;
  readonly #abortGraceMs: number;
  readonly #controller = new AbortController();
  #startedAtMs = 0;
  #aborted: JobAborted | undefined;
  #settled = false;
  #timeout: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #ignoredAbort: (() => void) | undefined;

  constructor(job: ClaimedJob, handler: Handler, abortGraceMs: number) {
    this.job = job;
    this.#handler = handler;
    this.#abortGraceMs = abortGraceMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it was aborted, if it was. A lost lease counts above any other cause. */
  get aborted(): JobAborted | undefined {
    return this.#aborted;
  }

  /** How long it has run, or ran, milliseconds. */
  get durationMs(): number {
    return monotonicMs() - this.#startedAtMs;
  }

  /**
   * Runs the handler. `onEnd` is called once, when the handler ended or when it ignored its abort for the length of the
   * grace; in that case `onLateEnd` is called when it ends after all.
   */
  start(context: JobContext, onEnd: (ending: Ending) => void, onLateEnd: () => void): void {
    this.#startedAtMs = monotonicMs();
    let told = false;
    const end = (ending: Ending): void => {
      if (told) {
        onLateEnd();
        return;
      }
      told = true;
      clearTimeout(this.#timeout);
      clearTimeout(this.#grace);
      onEnd(ending);
    };
    this.#ignoredAbort = () => {
      end({ how: "ignored abort" });
    };
    const timeoutMs = this.#timeoutMs();
    if (timeoutMs !== undefined) {
      this.#timeout = setTimeout(
        () => {
          this.abort("timeout", `timed out after ${timeoutMs / 1000} s`);
        },
        Math.min(timeoutMs, LONGEST_TIMER_MS),
      );
    }
    void this.#settle(context, end);
  }

  /** Asks the handler to stop, and gives it the grace to do so. */
  abort(cause: AbortCause, message: string): void {
    if (this.#settled || this.#aborted?.abortCause === "lease lost") return;
    if (this.#aborted !== undefined) {
      // Asked already; a lost lease still changes what becomes of the outcome.
      if (cause === "lease lost") this.#aborted = new JobAborted(cause, message);
      return;
    }
    this.#aborted = new JobAborted(cause, message);
    clearTimeout(this.#timeout);
    this.#controller.abort(this.#aborted);
    this.#grace = setTimeout(() => this.#ignoredAbort?.(), this.#abortGraceMs);
  }

  /** The job's own limit, else the handler's. */
  #timeoutMs(): number | undefined {
    const { timeoutSeconds } = this.#handler;
    return this.job.timeoutMs ?? (timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000);
  }

  async #settle(context: JobContext, end: (ending: Ending) => void): Promise<void> {
    let ending: Ending;
    try {
      ending = { how: "returned", result: await this.#handler.run(this.job.payload, context) };
    } catch (error) {
      ending = { how: "threw", error };
    }
    this.#settled = true;
    end(ending);
  }
}
