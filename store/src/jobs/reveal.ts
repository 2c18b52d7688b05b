import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { Act } from "./act-on-job.ts";
import { checkedId } from "./read-jobs.ts";

/** What a job carries. */
export interface Revealed {
  readonly id: string;
  readonly payload: unknown;
  /** Null also from `resultExpiresAt` on. */
  readonly result: unknown;
}

/** Payloads and results of at most 1000 jobs, with one audit event that says who saw which (G19). */
export async function reveal(session: Session, ids: readonly string[], act: Act): Promise<Revealed[]> {
  return session.query<Revealed>(
    `select id, payload, result from ${quoteIdentifier(session.schema)}.reveal($1, $2, $3)`,
    [ids.map(checkedId), act.actor, act.reason],
  );
}
