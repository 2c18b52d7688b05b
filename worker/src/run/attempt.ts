import type { ClaimedJob } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import type { Handler } from "../handlers/handler.ts";
import type { AttemptSpan } from "../telemetry/attempt-span.ts";
import { type Ending, JobAborted } from "./outcome.ts";

/** Node's timers cannot wait longer, milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One execution of a job by its handler, with its deadline. */
export class Attempt {
  readonly job: ClaimedJob;
  /** The job's own limit, else the handler's, milliseconds; `undefined` without a limit. */
  readonly timeoutMs: number | undefined;
  /** Where somebody records traces. */
  readonly span: AttemptSpan | undefined;
  readonly #abortGraceMs: number;
  /** Made for the handlers that look at their signal: most do not, and it is dear. */
  #controller: AbortController | undefined;
  #startedAtMs = 0;
  #deadline: Date | undefined;
  #exitCode: number | undefined;
  #aborted: JobAborted | undefined;
  #settled = false;
  #timeout: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #ignoredAbort: (() => void) | undefined;

  constructor(job: ClaimedJob, handler: Handler, abortGraceMs: number, span?: AttemptSpan) {
    this.job = job;
    this.span = span;
    const { timeoutSeconds } = handler;
    this.timeoutMs = job.timeoutMs ?? (timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000);
    this.#abortGraceMs = abortGraceMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
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

  /** When its time is up, by this machine's clock; `undefined` without a limit. */
  get deadline(): Date | undefined {
    return this.#deadline;
  }

  /** How its program ended, where a program runs it and has ended. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  set exitCode(code: number) {
    this.#exitCode = code;
  }

  /**
   * Runs it: `run` carries the handler out, calls `handlerEnded` when that has ended, and never rejects. `onEnd` is called once, when the handler ended or when it ignored its abort for the length of the
   * grace; in that case `onLateEnd` is called when it ends after all.
   */
  start(run: () => Promise<Ending>, onEnd: (ending: Ending) => void, onLateEnd: () => void): void {
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
    const { timeoutMs } = this;
    if (timeoutMs !== undefined) {
      this.#deadline = new Date(Date.now() + timeoutMs);
      this.#timeout = setTimeout(
        () => {
          this.abort(new JobAborted("timeout", `timed out after ${timeoutMs / 1000} s`));
        },
        Math.min(timeoutMs, LONGEST_TIMER_MS),
      );
    }
    void run().then(end);
  }

  /** The handler has ended: what comes later aborts nothing any more, and changes nothing about how it ended. */
  handlerEnded(): void {
    this.#settled = true;
    clearTimeout(this.#timeout);
    clearTimeout(this.#grace);
  }

  /** Asks the handler to stop, and gives it the grace to do so. */
  abort(reason: JobAborted): void {
    if (this.#settled || this.#aborted?.abortCause === "lease lost") return;
    if (this.#aborted !== undefined) {
      // Asked already; a lost lease still changes what becomes of the outcome.
      if (reason.abortCause === "lease lost") this.#aborted = reason;
      return;
    }
    this.#aborted = reason;
    clearTimeout(this.#timeout);
    this.#controller?.abort(reason);
    this.#grace = setTimeout(() => this.#ignoredAbort?.(), this.#abortGraceMs);
  }
}
