import type { Session } from "./session.ts";

/** What the server says about itself. */
export interface ServerFacts {
  /** As `show server_version` says it, such as "18.4". */
  readonly version: string;
  /** True on a standby. */
  readonly inRecovery: boolean;
  /** The database's clock, the only one that decides anything. */
  readonly now: Date;
  /** When the server was started, by its clock: differs when another one answers, or the same one again. */
  readonly startedAt: Date;
}

/** Asks the server about itself; works with and without a store in it. */
export async function serverFacts(session: Session): Promise<ServerFacts> {
  const rows = await session.query<ServerFacts>(
    `select current_setting('server_version') as version, pg_is_in_recovery() as "inRecovery", clock_timestamp() as now,
       pg_postmaster_start_time() as "startedAt"`,
  );
  if (!rows[0]) throw new TypeError("the server said nothing about itself");
  return rows[0];
}
