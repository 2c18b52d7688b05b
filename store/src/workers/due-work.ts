import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** What there is to do, as far as the store knows now: what is enqueued afterwards is not in it. Times are milliseconds. */
export interface DueWork {
  /** Until a job of the worker's queues may be claimed; 0: now. Absent: none is known. Rather too early than too late. */
  readonly workInMs: number | undefined;
  /** Until the next tick of a schedule. Absent: there is none. */
  readonly scheduleInMs: number | undefined;
  /** Whether `recoverStale` and `releaseDeferred` may find something. */
  readonly sweep: boolean;
}

/** The columns of the answer; in a heartbeat's they are null unless asked for. */
export interface DueWorkRow {
  work_ms: number | null;
  schedule_ms: number | null;
  sweep: boolean | null;
}

/** Asks what there is to do, for a worker that would rather sleep than claim in vain. Changes nothing. */
export async function dueWork(session: Session, workerId: string): Promise<DueWork> {
  const [row] = await session.query<DueWorkRow>(
    `select work_ms, schedule_ms, sweep from ${quoteIdentifier(session.schema)}.due_work($1)`,
    [workerId],
  );
  return dueWorkOf(row as DueWorkRow);
}

/** Reads the columns. */
export function dueWorkOf({ work_ms, schedule_ms, sweep }: DueWorkRow): DueWork {
  return { workInMs: work_ms ?? undefined, scheduleInMs: schedule_ms ?? undefined, sweep: sweep === true };
}
