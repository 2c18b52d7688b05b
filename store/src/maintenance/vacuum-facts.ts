import type { Session } from "../session.ts";

/** A database of the server, and how far its oldest row is behind. */
export interface OldestDatabase {
  readonly name: string;
  /** Ids taken since its oldest one that is not frozen. */
  readonly age: number;
}

/** A table that autovacuum does not visit, or that has more dead rows than it should wait for. */
export interface TableToVacuum {
  /** With its schema, quoted where SQL wants it quoted. */
  readonly name: string;
  /** False: a storage parameter of the table keeps autovacuum away. */
  readonly autovacuum: boolean;
  /** Dead rows, as the server estimates them. */
  readonly dead: number;
  /** So many dead rows make autovacuum come. */
  readonly threshold: number;
  /** Seconds since a vacuum of it ended; since the server was started, where none has. */
  readonly vacuumedSecondsAgo: number;
}

/** What decides whether Postgres cleans up behind a store. */
export interface VacuumFacts {
  /** The setting `autovacuum` of the server. */
  readonly autovacuum: boolean;
  /** The setting `track_counts`, as this user has it in this database: without it autovacuum knows of no dead row. */
  readonly trackCounts: boolean;
  /** The database with the oldest transaction id. One of another tenant stops the whole server just as well. */
  readonly transactions: OldestDatabase;
  /** The one with the oldest multixact id. */
  readonly multixacts: OldestDatabase;
  /** At this age autovacuum begins to freeze (autovacuum_freeze_max_age). */
  readonly freezeMaxAge: number;
  readonly multixactFreezeMaxAge: number;
  /** By name, at most 64; those that are as they should be are left out. */
  readonly tables: readonly TableToVacuum[];
}

/**
 * Reads what decides whether Postgres cleans up behind the store. Catalogs, counters in memory and settings only, by the index of
 * the schema: no row of a table is read, no lock is waited for, and every user may see all of it.
 */
export async function vacuumFacts(session: Session): Promise<VacuumFacts> {
  const rows = await session.query<VacuumFacts>(
    `select current_setting('autovacuum')::boolean as autovacuum, current_setting('track_counts')::boolean as "trackCounts",
       (select json_build_object('name', datname, 'age', age(datfrozenxid)) from pg_database
        order by age(datfrozenxid) desc, datname limit 1) as transactions,
       (select json_build_object('name', datname, 'age', mxid_age(datminmxid)) from pg_database
        order by mxid_age(datminmxid) desc, datname limit 1) as multixacts,
       current_setting('autovacuum_freeze_max_age')::int as "freezeMaxAge",
       current_setting('autovacuum_multixact_freeze_max_age')::int as "multixactFreezeMaxAge",
       coalesce((select json_agg(t) from (
         select format('%I.%I', n.nspname, c.relname) as name, coalesce(o.enabled, true) as autovacuum, s.dead, s.threshold,
           round(extract(epoch from clock_timestamp() - s.vacuumed)) as "vacuumedSecondsAgo"
         from pg_namespace n
         join pg_class c on c.relnamespace = n.oid
         cross join lateral (
           select bool_and(option_value::boolean) filter (where option_name = 'autovacuum_enabled') as enabled,
             max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_threshold') as base,
             max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_scale_factor') as scale
           from pg_options_to_table(c.reloptions)) o
         cross join lateral (
           select pg_stat_get_dead_tuples(c.oid) as dead,
             round(coalesce(o.base, current_setting('autovacuum_vacuum_threshold')::float8)
               + coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(c.reltuples, 0)) as threshold,
             coalesce(greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)),
               pg_postmaster_start_time()) as vacuumed) s
         where n.nspname = $1 and c.relkind = 'r' and (not o.enabled or s.dead > s.threshold)
         order by c.relname limit 64) t), '[]') as tables`,
    [session.schema],
  );
  if (!rows[0]) throw new TypeError("the server said nothing about vacuum");
  return rows[0];
}
