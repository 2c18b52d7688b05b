import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import type { Session } from "../session.ts";

/** What the workers of a pool are told with their heartbeat. Absent: left as it is; null: as each was started with. */
export interface PoolSettings {
  /** How long a main loop may stand still before the worker stops renewing its lease, milliseconds; 100 to 3600000. */
  readonly loopStallMs?: number | null | undefined;
}

/** What a pool was told last. */
export interface PoolRow {
  /** "namespace/name" of the JobQueue. */
  readonly name: string;
  readonly loopStallMs: number;
}

/**
 * Sets what the workers of a pool ("namespace/name") are told with their next heartbeat, so that changing it restarts nothing.
 * Returns whether anything changed; only then is anything written, with one audit event (G19).
 */
export async function configurePool(
  session: Session,
  name: string,
  settings: PoolSettings,
  act: Act,
): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.configure_pool($1, $2::jsonb, $3, $4) as changed`,
    [name, JSON.stringify({ loop_stall_ms: settings.loopStallMs }), act.actor, act.reason],
  );
  return rows[0]?.changed ?? false;
}

/** The pools that were told something. */
export async function listPools(session: Session): Promise<PoolRow[]> {
  return session.query<PoolRow>(
    `select name, loop_stall_ms as "loopStallMs" from ${quoteIdentifier(session.schema)}.v_pools order by name`,
  );
}
