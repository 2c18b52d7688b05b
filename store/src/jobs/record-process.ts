import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { LeasedJob } from "./leases.ts";

/** The process that runs a job, when that is not the worker itself. */
export interface JobProcess {
  readonly pid: number;
  /** Its parent, as a rule the worker. */
  readonly ppid?: number;
  /** The user it runs as. */
  readonly runAs?: string;
}

/** Records which process runs a job, for people who look. Returns false when the lease was lost: stop the process. */
export async function recordProcess(session: Session, job: LeasedJob, process: JobProcess): Promise<boolean> {
  const [row] = await session.query<{ held: boolean }>(
    `select ${quoteIdentifier(session.schema)}.record_process($1, $2, $3, $4, $5) as held`,
    [job.id, job.leaseToken, process.pid, process.ppid ?? null, process.runAs ?? null],
  );
  return row?.held === true;
}
