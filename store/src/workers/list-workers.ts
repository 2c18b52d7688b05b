import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** A worker as the store knows it. Ages are by the database's clock. */
export interface WorkerRow {
  readonly id: string;
  readonly state: "active" | "draining" | "fenced" | "gone";
  /** Active or draining, with a lease that has not lapsed. */
  readonly isLive: boolean;
  readonly bootId: string;
  readonly podUid: string | null;
  readonly container: string;
  readonly pod: string | null;
  readonly namespace: string | null;
  readonly node: string | null;
  readonly hostname: string | null;
  readonly pid: number | null;
  readonly ppid: number | null;
  readonly image: string | null;
  readonly runAs: string | null;
  readonly cluster: string | null;
  readonly version: string | null;
  readonly pool: string | null;
  readonly queues: readonly string[];
  readonly concurrency: number | null;
  readonly startedAt: Date;
  readonly heartbeatAt: Date;
  readonly heartbeatAgeMs: number;
  readonly leaseUntil: Date;
  readonly leaseSeconds: number;
  /** As of the last heartbeat. */
  readonly loopAgeMs: number | null;
  /** As of the last heartbeat. */
  readonly lastClaimAgeMs: number | null;
  readonly slotsBusy: number | null;
  readonly slotsStuck: number | null;
  /** Jobs that the store counts as running on it. */
  readonly running: number;
  readonly goneAt: Date | null;
  readonly goneReason: string | null;
}

/** Lists workers, the newest first: those that are not gone, or all that are remembered with `includeGone`. */
export async function listWorkers(
  session: Session,
  filter: { readonly includeGone?: boolean } = {},
): Promise<WorkerRow[]> {
  return session.query<WorkerRow>(
    `select id, state, is_live as "isLive", boot_id as "bootId", pod_uid as "podUid", container, pod, namespace, node,
       hostname, pid, ppid, image, run_as as "runAs", cluster, version, pool, queues, concurrency,
       started_at as "startedAt", heartbeat_at as "heartbeatAt", heartbeat_age_ms::float8 as "heartbeatAgeMs",
       lease_until as "leaseUntil", lease_seconds as "leaseSeconds", loop_age_ms::float8 as "loopAgeMs",
       last_claim_age_ms::float8 as "lastClaimAgeMs", slots_busy as "slotsBusy", slots_stuck as "slotsStuck",
       running::int as running, gone_at as "goneAt", gone_reason as "goneReason"
     from ${quoteIdentifier(session.schema)}.v_workers where $1 or state <> 'gone' order by v_workers.id desc`,
    [filter.includeGone ?? false],
  );
}
