/** States of a job, as in the store (a test compares them); written here so that parsing does not load the store. */
export const JOB_STATES = ["pending", "running", "scheduled", "failed", "completed", "dead"] as const;
