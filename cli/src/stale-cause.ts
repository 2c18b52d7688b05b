import type { WorkerRow } from "@jobqueue/store";
import { formatDuration } from "./duration.ts";

/** Why a job is stale, from what is known about the worker that has it. `now` is the database's. */
export function staleCause(worker: WorkerRow | undefined, now: Date): string {
  const since = (at: Date): string => formatDuration((now.getTime() - at.getTime()) / 1000);
  if (!worker) return "its worker is not known any more";
  if (worker.goneAt) {
    const reason = worker.goneReason ? `: ${worker.goneReason}` : "";
    return `its worker is gone for ${since(worker.goneAt)}${reason}`;
  }
  if (worker.state === "fenced") return `its worker is fenced, last heartbeat ${since(worker.heartbeatAt)} ago`;
  if (worker.leaseUntil <= now) {
    return `its worker did not renew its lease for ${since(worker.leaseUntil)}`;
  }
  return "it ran past its time limit";
}
