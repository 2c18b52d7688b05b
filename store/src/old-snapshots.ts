import type { Session } from "./session.ts";

/** Something that keeps Postgres from cleaning up behind the queue: claims slow down while it lasts. */
export interface OldSnapshot {
  /** "session 4711 (psql)", "prepared transaction …", "replication slot …". */
  readonly holder: string;
  /** Since when; null where the server does not say. */
  readonly since: Date | null;
}

/**
 * Lists who has been holding a snapshot of this database for more than `minutes`, the oldest first, at most eight. A user
 * without the rights of pg_monitor sees only sessions of its own.
 */
export async function oldSnapshots(session: Session, minutes = 10): Promise<OldSnapshot[]> {
  return session.query<OldSnapshot>(
    `select holder, since from (
       select format('session %s (%s)', a.pid, coalesce(nullif(a.application_name, ''), 'no name')) as holder, a.xact_start as since
       from pg_stat_activity a where a.datname = current_database() and a.backend_xmin is not null
       union all
       select format('prepared transaction %s', p.gid), p.prepared from pg_prepared_xacts p where p.database = current_database()
       union all
       select format('replication slot %s', r.slot_name), null from pg_replication_slots r
       where r.xmin is not null and not r.active and (r.database is null or r.database = current_database())) s
     where since is null or since < clock_timestamp() - make_interval(mins => $1::int) order by since nulls first, holder limit 8`,
    [minutes],
  );
}
