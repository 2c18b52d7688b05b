import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/**
 * Housekeeping that somebody should run about once an hour: partitions of the history for the days ahead, forgetting of
 * workers and holds that ended a week ago. Safe to call from everywhere at once. Returns how many partitions were made.
 */
export async function maintain(session: Session): Promise<number> {
  const rows = await session.query<{ made: number }>(`select ${quoteIdentifier(session.schema)}.maintain() as made`);
  return rows[0]?.made ?? 0;
}
