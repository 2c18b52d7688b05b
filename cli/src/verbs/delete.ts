import { actOnJobs } from "../act-on-jobs.ts";
import { isOver } from "../job-story.ts";

const OVER = "and goes when its history does: `jobqueue configure-store` shows when.";

/** `jobqueue delete [ID…]`. */
export const run = actOnJobs({
  name: "delete",
  done: "Deleted",
  one: "deleteJob",
  many: "deleteJobs",
  predict: (job) => (isOver(job) || job.state === "running" ? job.state : "deleted"),
  says: { deleted: "is deleted." },
  never: "Jobs that run, and those that are over, cannot be deleted.",
  refuses: {
    running: "runs, and its worker would finish what is not there. Stop it instead: jobqueue cancel {id}",
    completed: `is completed, ${OVER}`,
    cancelled: `is cancelled, ${OVER}`,
    dead: `is dead, ${OVER}`,
  },
});
