import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import type { Session } from "../session.ts";

/** What became of a queue that was to be deleted. */
export type QueueDeletion = "deleted" | "more" | "not_empty" | "running" | "not_found";

/**
 * Deletes a queue with everything in it, at most 10,000 jobs in one call: `more` asks to be called again. `onlyIfEmpty`: only
 * when it has no live and no dead job. `running`: a job of it runs, nothing was deleted.
 */
export async function deleteQueue(
  session: Session,
  queue: string,
  { onlyIfEmpty, ...act }: Act & { readonly onlyIfEmpty: boolean },
): Promise<QueueDeletion> {
  const rows = await session.query<{ outcome: QueueDeletion }>(
    `select ${quoteIdentifier(session.schema)}.delete_queue($1, $2, $3, $4) as outcome`,
    [queue, act.actor, act.reason, onlyIfEmpty],
  );
  if (!rows[0]) throw new TypeError("delete_queue said nothing");
  return rows[0].outcome;
}
