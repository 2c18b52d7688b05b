import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** Pods that are known to be gone, who knows it, and how. */
export interface GonePods {
  readonly podUids: readonly string[];
  readonly actor: string;
  readonly reason: string;
}

/**
 * Marks the workers of pods gone and returns their ids; their jobs are stale at once, so `recoverStale` with these ids
 * hands them on. Workers that were gone already are not returned; one audit event when there was any.
 */
export async function workersGone(session: Session, pods: GonePods): Promise<string[]> {
  if (pods.podUids.length === 0) return [];
  const rows = await session.query<{ id: string }>(
    `select id from ${quoteIdentifier(session.schema)}.workers_gone($1, $2, $3) as id`,
    [pods.podUids, pods.actor, pods.reason],
  );
  return rows.map((row) => row.id);
}
