import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** Makes a queue known to the store before its first job. Returns whether it was new. */
export async function ensureQueue(session: Session, name: string): Promise<boolean> {
  const rows = await session.query<{ created: boolean }>(
    `select ${quoteIdentifier(session.schema)}.ensure_queue($1) as created`,
    [name],
  );
  return rows[0]?.created ?? false;
}

/**
 * Hints to listening workers that a queue has jobs. Only for jobs enqueued through `sessionOn`, after the commit: a
 * `Database` hints by itself.
 */
export async function notifyQueue(session: Session, queue: string): Promise<void> {
  await session.query(`select ${quoteIdentifier(session.schema)}.notify_queue($1)`, [queue]);
}
