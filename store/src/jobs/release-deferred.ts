import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/**
 * Settles jobs that wait for others of which all have ended, where a race between an enqueue and such an end left that
 * undone; every sweep does it. Returns how many were settled; 0 also while another caller is at it.
 */
export async function releaseDeferred(session: Session, max = 1000): Promise<number> {
  const [row] = await session.query<{ released: string }>(
    `select ${quoteIdentifier(session.schema)}.release_deferred($1) as released`,
    [max],
  );
  return Number(row?.released ?? 0);
}
