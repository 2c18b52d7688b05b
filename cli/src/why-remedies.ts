import type { Hold, Reason } from "@jobqueue/store";
import { remedyFor } from "./holds.ts";

/** What a reason is about: the queue, and the job when one was asked about. */
export interface Subject {
  readonly queue: string;
  readonly job?: string | undefined;
}

type Remedy = (subject: Subject, detail: Reason["detail"]) => string;

/** What to type next, by the code of a reason. Codes that are not here need nothing to be done. */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  held: (_subject, detail) => remedyFor({ ...(detail as unknown as Hold), reason: "" }),
  no_worker: ({ queue }) =>
    `jobqueue workers --queue ${queue} --all shows who served it. By hand: jobqueue worker --queues ${queue} --handlers FILE`,
  no_healthy_worker: ({ queue }) => `jobqueue workers --queue ${queue}`,
  stopped: ({ queue }) => `jobqueue configure ${queue} --unset max-running`,
  max_running: ({ queue }) =>
    `jobqueue jobs --queue ${queue} --state running, or: jobqueue configure ${queue} --max-running N`,
  rate: ({ queue }) => `jobqueue configure ${queue} --rate COUNT/TIME`,
  max_running_per_key: ({ queue }) => `jobqueue configure ${queue} --max-running-per-key N`,
  slots_busy: ({ queue }) => `jobqueue jobs --queue ${queue} --state running shows what takes them.`,
  earlier_queue: (_subject, detail) => `jobqueue status ${String(detail["queue"])}`,
  no_handler: ({ queue }) => `jobqueue workers --queue ${queue} -o json shows the kinds that each worker can run.`,
  nothing_pending: ({ queue }) => `jobqueue jobs --queue ${queue}`,
  dead: ({ job }) => `jobqueue retry ${job}`,
  failed: ({ job }) => `jobqueue retry ${job} starts it at once, with all attempts before it.`,
  held_by_recovery: ({ job }) => `jobqueue retry ${job}, or: jobqueue cancel ${job}`,
  depends_on: (_subject, detail) => `jobqueue why ${String(detail["job"])}`,
  stale: (_subject, detail) => `jobqueue recover-stale --worker ${String(detail["worker"])} --dry-run`,
  running: ({ job }) => `jobqueue job ${job}`,
  cancel_requested: ({ job }) => `jobqueue job ${job}`,
};

/** What a person can type about a reason; `undefined` when there is nothing to do. */
export function remedyOf(reason: Reason, subject: Subject): string | undefined {
  return REMEDIES[reason.code]?.(subject, reason.detail);
}
