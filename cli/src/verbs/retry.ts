import { actOnJobs } from "../act-on-jobs.ts";

/** `jobqueue retry [ID…]`. */
export const run = actOnJobs({
  name: "retry",
  done: "Retried",
  one: "retryJob",
  many: "retryJobs",
  predict: (job) => (job.canRetry ? "retried" : job.state),
  says: { retried: "is pending again." },
  never: "Only dead, failed and held jobs can be retried.",
  refuses: {
    pending: "is pending already: `jobqueue why {id}` says what it waits for.",
    running: "runs. When it should begin again: jobqueue cancel {id}, and enqueue it anew.",
    scheduled: "has not run yet: it starts when its time comes.",
    deferred: "waits for other jobs: `jobqueue why {id}` says for which.",
    completed: "is completed, and what is completed stays so. Enqueue it anew to run it twice.",
    duplicate:
      "cannot come back while another live job has its unique key: cancel that one, or let it end (jobqueue jobs --unique-key KEY).",
    cancelled: "was cancelled. Enqueue it anew.",
  },
});
