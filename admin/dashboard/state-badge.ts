import type { Job } from "./answers.ts";
import { badge } from "./notices.ts";

/** The tone of a state. */
const toneOf = ({ state, isStale }: Job) =>
  isStale || state === "dead" ? "bad" : state === "failed" ? "warn" : state === "running" ? "good" : "neutral";

/** A job's state as a remark. */
export const stateBadge = (job: Job): HTMLElement => badge(job.isStale ? "stale" : job.state, toneOf(job));
