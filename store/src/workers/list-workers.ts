import { quoteIdentifier } from "../connection/identifier.ts";
import { checkedId } from "../jobs/read-jobs.ts";
import type { Session } from "../session.ts";

/** What is to be thought of a worker. Of its jobs `isStale` says what is to be thought. */
export type WorkerVerdict =
  "gone" | "fenced" | "lapsed" | "loop_blocked" | "slots_stuck" | "draining" | "claim_stalled" | "healthy";

/** A worker as the store knows it. Ages are by the database's clock. */
export interface WorkerRow {
  readonly id: string;
  readonly state: "active" | "draining" | "fenced" | "gone";
  /** Active or draining, with a lease that has not lapsed. */
  readonly isLive: boolean;
  /**
   * What is wrong with it, the worst first: it left or was seen to be gone; fenced; no heartbeat renewed its lease in time; it
   * beats but its main loop is blocked; every slot is stuck; it drains; slots are free and nothing was claimed for a minute.
   */
  readonly verdict: WorkerVerdict;
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
  /** Kinds it has handlers for; null when it did not say. */
  readonly kinds: readonly string[] | null;
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
  /** As of the last heartbeat. */
  readonly lastFinishAgeMs: number | null;
  /** False while it beats without renewing its lease. */
  readonly renewing: boolean;
  readonly slotsBusy: number | null;
  readonly slotsStuck: number | null;
  /** Jobs that the store counts as running on it. */
  readonly running: number;
  /** Since when it is kept idle so that its pod can be removed (`drainIdleWorkers`); null: it is not. */
  readonly drainSince: Date | null;
  readonly goneAt: Date | null;
  readonly goneReason: string | null;
}

/** Lists workers, the newest first: those that are not gone, or all that are remembered with `includeGone`. */
export async function listWorkers(
  session: Session,
  filter: {
    readonly includeGone?: boolean;
    /** Only the worker of this id. */
    readonly id?: string | undefined;
  } = {},
): Promise<WorkerRow[]> {
  return session.query<WorkerRow>(
    `select id, state, is_live as "isLive", verdict, boot_id as "bootId", pod_uid as "podUid", container, pod, namespace, node,
       hostname, pid, ppid, image, run_as as "runAs", cluster, version, pool, queues, kinds, concurrency, renewing,
       started_at as "startedAt", heartbeat_at as "heartbeatAt", heartbeat_age_ms::float8 as "heartbeatAgeMs",
       lease_until as "leaseUntil", lease_seconds as "leaseSeconds", loop_age_ms::float8 as "loopAgeMs",
       last_claim_age_ms::float8 as "lastClaimAgeMs", last_finish_age_ms::float8 as "lastFinishAgeMs", slots_busy as "slotsBusy", slots_stuck as "slotsStuck",
       running::int as running, drain_since as "drainSince", gone_at as "goneAt", gone_reason as "goneReason"
     from ${quoteIdentifier(session.schema)}.v_workers where ($1 or state <> 'gone') and ($2::bigint is null or v_workers.id = $2) order by v_workers.id desc`,
    [filter.includeGone ?? false, checkedId(filter.id)],
  );
}
