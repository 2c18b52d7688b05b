import { cancelRequests, type Session } from "@jobqueue/store";
import type { UnstartedJobs } from "../claim/unstarted-jobs.ts";
import type { Log } from "../log.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import type { AttemptRunner } from "./attempt-runner.ts";
import { CancelledError } from "./outcome.ts";

/** What cancelling works with. */
export interface CancellationParts {
  readonly session: Session;
  readonly runner: AttemptRunner;
  readonly unstarted: UnstartedJobs;
  readonly log: Log;
  readonly trouble: StoreTrouble;
}

/**
 * Carries out what people cancelled: asks the store which jobs of this worker they are (a hint or a heartbeat said that
 * there are some; both can be forged or late, so neither is believed), aborts the attempts that run, and gives back what
 * was not started, which ends it too. The store remembers a request until the job ends, so nothing is lost when it cannot
 * be asked now: the next heartbeat says it again.
 */
export class Cancellations {
  readonly #parts: CancellationParts;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(parts: CancellationParts) {
    this.#parts = parts;
  }

  /** Looks for requests to a worker; while it is looking, once more afterwards. */
  look(workerId: string): void {
    if (this.#looking !== undefined) {
      this.#again = true;
      return;
    }
    this.#looking = this.#look(workerId).finally(() => {
      this.#looking = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.look(workerId);
    });
  }

  async #look(workerId: string): Promise<void> {
    const { session, runner, unstarted, log, trouble } = this.#parts;
    try {
      const requests = await cancelRequests(session, workerId);
      trouble.worked("cancel requests");
      for (const request of requests) {
        const why = request.reason ?? "";
        const reason = new CancelledError(why === "" ? "the job was cancelled" : `the job was cancelled: ${why}`);
        if (runner.abort(request, reason))
          log.info({ jobId: request.id }, "a running job is cancelled: its handler is asked to stop");
        else if (unstarted.cancel(request))
          log.info({ jobId: request.id }, "a claimed job is cancelled before it started");
      }
    } catch (error) {
      trouble.failed("cancel requests", error);
    }
  }
}
