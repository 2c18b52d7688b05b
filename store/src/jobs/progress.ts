import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { toJsonText } from "./json-value.ts";
import type { LeasedJob } from "./leases.ts";

/**
 * Says how far a running job is: any JSON of at most 16 kB, replacing what was said before. Returns false when the lease
 * was lost: the handler must stop.
 */
export async function progress(session: Session, job: LeasedJob, value: unknown): Promise<boolean> {
  const [row] = await session.query<{ held: boolean }>(
    `select ${quoteIdentifier(session.schema)}.progress($1, $2, $3) as held`,
    [job.id, job.leaseToken, toJsonText(value, `progress of job ${job.id}`)],
  );
  return row?.held === true;
}
