import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** A hold that is in force. */
export interface Hold {
  readonly queue: string;
  readonly name: string;
  readonly reason: string;
  readonly actor: string;
  readonly source: string;
  readonly since: Date;
  readonly until: Date | null;
}

/** Lists the holds in force: all of the store, or those that hold one queue (its own and those of `*`). */
export async function listHolds(session: Session, queue?: string): Promise<Hold[]> {
  return session.query<Hold>(
    `select queue, name, reason, actor, source, since, until from ${quoteIdentifier(session.schema)}.v_holds
     where $1::text is null or queue in ($1, '*') order by queue, name`,
    [queue ?? null],
  );
}
