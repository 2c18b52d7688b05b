import type { Database } from "../connection/database.ts";
import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** The right to write as the operator, until somebody takes a later term of the same scope. */
export interface LeaderTerm {
  /** What is led: a JobStore, by name and UID. */
  readonly scope: string;
  readonly term: number;
}

/**
 * How long a transaction that has proved its term may stand idle, milliseconds. A new term waits for it, so it must be over
 * before a leader that was stopped in the middle of one is succeeded: far below the length of a Lease (15 s).
 */
const IDLE_MS = 5_000;

/** Begins a term; every earlier one of the scope is over then, with all its writes. `holder`: who leads, for people. */
export async function takeTerm(session: Session, scope: string, holder: string): Promise<LeaderTerm> {
  const rows = await session.query<{ term: string }>(
    `select ${quoteIdentifier(session.schema)}.take_term($1, $2) as term`,
    [scope, holder],
  );
  return { scope, term: Number(rows[0]?.term) };
}

/** Who leads a scope, or led it last. Times are the database's. */
export interface LeaderSeen {
  /** For people. */
  readonly holder: string;
  readonly takenAt: Date;
  /** Last beat of its canary; null when there was none yet. */
  readonly canaryAt: Date | null;
}

/** The last leader of a scope; `undefined` when nobody ever led it. */
export async function lastLeader(session: Session, scope: string): Promise<LeaderSeen | undefined> {
  const rows = await session.query<LeaderSeen>(
    `select holder, taken_at as "takenAt", canary_at as "canaryAt"
     from ${quoteIdentifier(session.schema)}.v_leaders where scope = $1`,
    [scope],
  );
  return rows[0];
}

/** Writes the canary; returns when, by the database's clock. Rejects with `stale_term`. */
export async function beatCanary(session: Session, { scope, term }: LeaderTerm): Promise<Date> {
  const rows = await session.query<{ at: Date }>(
    `select ${quoteIdentifier(session.schema)}.beat_canary($1, $2) as at`,
    [scope, term],
  );
  if (!rows[0]) throw new TypeError("the server gave no time");
  return rows[0].at;
}

/** Runs `work` in one transaction that commits only while the term is the current one. Rejects with `stale_term`. */
export async function underTerm<Result>(
  database: Pick<Database, "transaction">,
  { scope, term }: LeaderTerm,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  return database.transaction(
    async (session) => {
      await session.query(`select ${quoteIdentifier(session.schema)}.assert_term($1, $2)`, [scope, term]);
      return work(session);
    },
    { idleMs: IDLE_MS },
  );
}
