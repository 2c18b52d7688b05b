import { actOnJobs } from "../act-on-jobs.ts";
import { isOver } from "../job-story.ts";

/** `jobqueue cancel [ID…]`. */
export const run = actOnJobs({
  name: "cancel",
  done: "Cancelled, or asked to stop,",
  one: "cancelJob",
  many: "cancelJobs",
  predict: (job) => (isOver(job) ? job.state : job.state === "running" ? "requested" : "cancelled"),
  says: {
    cancelled: "is cancelled.",
    requested: "runs: its worker is asked to stop it, and it is cancelled when the worker answers.",
  },
  never: "Jobs that are over, or asked to stop already, cannot be cancelled.",
  refuses: {
    completed: "is completed: there is nothing left to cancel.",
    cancelled: "is cancelled already.",
    dead: "is dead: there is nothing left to cancel.",
  },
});
