import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** A hold to be taken away. */
export interface Release {
  readonly queue: string;
  readonly name: string;
  readonly actor: string;
  readonly reason: string;
}

/** Takes one hold away; others keep the queue held. Returns whether it was there; only then is there an audit event. */
export async function release(session: Session, request: Release): Promise<boolean> {
  const rows = await session.query<{ released: boolean }>(
    `select ${quoteIdentifier(session.schema)}.release($1, $2, $3, $4) as released`,
    [request.queue, request.name, request.actor, request.reason],
  );
  return rows[0]?.released ?? false;
}
