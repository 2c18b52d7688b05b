import { quoteIdentifier } from "../connection/identifier.ts";
import { toInstantText } from "../instant.ts";
import type { Session } from "../session.ts";

/** A hold to be placed. */
export interface NewHold {
  /** A queue, or `*` for every queue of the store, also those made later. */
  readonly queue: string;
  /** Names the hold within its queue; placing it again changes it. The operator's own is `spec`. */
  readonly name: string;
  readonly reason: string;
  readonly actor: string;
  /** Where it comes from: `spec`, `cli`, `api`, `schedule`, … */
  readonly source: string;
  /** When it ends by itself, by the database's clock. */
  readonly until?: Date | string | undefined;
}

/**
 * Holds a queue: once this has committed no claim of its jobs commits (G11). Waits for claims that are under way, which
 * takes milliseconds. Returns whether anything changed; a hold that is already there as asked is left alone and leaves
 * no audit event.
 */
export async function hold(session: Session, request: NewHold): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.hold($1, $2, $3, $4, $5, $6) as changed`,
    [
      request.queue,
      request.name,
      request.reason,
      request.actor,
      request.source,
      request.until === undefined ? null : toInstantText(request.until, "until"),
    ],
  );
  return rows[0]?.changed ?? false;
}
