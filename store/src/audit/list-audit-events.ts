import { quoteIdentifier } from "../connection/identifier.ts";
import { invalidInput } from "../errors.ts";
import type { Session } from "../session.ts";

/** What somebody changed; written by the transaction that changed it (G19). */
export interface AuditEvent {
  readonly id: string;
  readonly at: Date;
  /** Such as `hold`, `retry`, `configure_queue`. */
  readonly action: string;
  /** The action by the name that a recovery runbook gives it, such as `admin_job_retry`; else the action. */
  readonly event: string;
  readonly actor: string;
  /** Where a hold comes from; null for everything else. */
  readonly source: string | null;
  /** The queue, `jobs/ID`, schedule or `store` that was changed; `jobs` for many. */
  readonly target: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
  /** How many were changed. */
  readonly count: number;
}

/** Which audit events to list. */
export interface AuditFilter {
  readonly action?: string | undefined;
  readonly event?: string | undefined;
  /** Part of the actor's name. */
  readonly actor?: string | undefined;
  /** The whole target; the id of a job stands for `jobs/ID`, a name also for `schedules/NAME` and `api-keys/NAME`. */
  readonly target?: string | undefined;
  /** Only the last so many seconds, by the database's clock. */
  readonly sinceSeconds?: number | undefined;
  /** At most this many; 1 to 1000, 100 when absent. */
  readonly limit?: number | undefined;
  /** The id of the last event of the page before. */
  readonly afterId?: string | undefined;
}

/** Lists audit events, the newest first, a page at a time. */
export async function listAuditEvents(session: Session, filter: AuditFilter = {}): Promise<AuditEvent[]> {
  const limit = filter.limit ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw invalidInput(`limit is ${limit}: write 1 to 1000`);
  return session.query<AuditEvent>(
    `select id, at, action, event, actor, source, target, reason, before, after, count
     from ${quoteIdentifier(session.schema)}.v_audit_events
     where ($1::text is null or action = $1) and ($2::text is null or strpos(actor, $2) > 0)
       and ($3::text is null or target in ($3, 'jobs/' || $3, 'schedules/' || $3, 'api-keys/' || $3))
       and ($4::float8 is null or at >= clock_timestamp() - make_interval(secs => $4))
       and ($5::bigint is null or id < $5) and ($7::text is null or event = $7)
     order by id desc limit $6`,
    [
      filter.action ?? null,
      filter.actor ?? null,
      filter.target ?? null,
      filter.sinceSeconds ?? null,
      filter.afterId ?? null,
      limit,
      filter.event ?? null,
    ],
  );
}
