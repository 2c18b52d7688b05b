import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** How many workers of a pool to drain, and who wants that and why. */
export interface IdleWorkersWanted {
  /** "namespace/name" of the JobQueue they were started for. */
  readonly pool: string;
  /** At most so many. */
  readonly count: number;
  readonly actor: string;
  readonly reason: string;
  /** UIDs of pods whose workers are taken first. */
  readonly firstPods?: readonly string[];
}

/** A worker that was drained. */
export interface DrainedWorker {
  readonly id: string;
  readonly podUid: string | null;
  readonly pod: string | null;
}

/**
 * Drains workers that hold no job and returns them, fewer than wanted when fewer are idle. A drained worker claims nothing
 * and stays up; one that has a job, or is getting one, is never drained. One audit event when there was any.
 */
export async function drainIdleWorkers(session: Session, wanted: IdleWorkersWanted): Promise<DrainedWorker[]> {
  return session.query<DrainedWorker>(
    `select worker_id as id, pod_uid as "podUid", pod from ${quoteIdentifier(session.schema)}.drain_idle_workers($1, $2, $3, $4, $5)`,
    [wanted.pool, wanted.count, wanted.actor, wanted.reason, wanted.firstPods ?? []],
  );
}

/** Lets drained workers take jobs again; returns the ids of those that were drained. One audit event when there was any. */
export async function releaseDrainedWorkers(
  session: Session,
  workers: { readonly ids: readonly string[]; readonly actor: string; readonly reason: string },
): Promise<string[]> {
  if (workers.ids.length === 0) return [];
  const rows = await session.query<{ id: string }>(
    `select id from ${quoteIdentifier(session.schema)}.release_drained_workers($1, $2, $3) as id`,
    [workers.ids, workers.actor, workers.reason],
  );
  return rows.map(({ id }) => id);
}
