import { JOB_STATE_NAMES, type JobState } from "../job-state.ts";

/** A job as it is now, live or finished. Ids and lease tokens are strings: they exceed what a number can hold. */
export interface Job {
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly state: JobState;
  /** Why a dead job is dead: `attempts` were spent, a `permanent` error, too many lost workers (`poison`), or one (`worker_lost`). */
  readonly deadReason: "attempts" | "permanent" | "poison" | "worker_lost" | null;
  readonly priority: number;
  /** Attempts spent so far; the running one counts. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Attempts lost to infrastructure; they are not spent attempts. */
  readonly recoveries: number;
  readonly payload: unknown;
  readonly result: unknown;
  readonly lastError: string | null;
  readonly uniqueKey: string | null;
  readonly tag: string | null;
  readonly labels: Readonly<Record<string, string>> | null;
  /** Worker that runs it, or ran it last when it is finished. */
  readonly workerId: string | null;
  readonly leaseToken: string | null;
  readonly createdAt: Date;
  readonly runAt: Date;
  readonly claimedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly durationMs: number | null;
  readonly timeoutMs: number | null;
  /** Running, and no live worker backs its lease: recovery will take it. */
  readonly isStale: boolean;
  /** Until when its lease holds, when it runs. */
  readonly lockedUntil: Date | null;
  /** Its last recovery, when it had one. */
  readonly lastRecovery: { at: string; actor: string; reason: string | null; worker: string } | null;
}

/** A row of the view `v_jobs`. */
export interface JobRow {
  id: string;
  queue: string;
  kind: string;
  state: string;
  dead_reason: Job["deadReason"];
  priority: number;
  attempt: number;
  max_attempts: number;
  recoveries: number;
  payload: unknown;
  result: unknown;
  last_error: string | null;
  unique_key: string | null;
  tag: string | null;
  labels: Record<string, string> | null;
  worker_id: string | null;
  lease_token: string | null;
  created_at: Date;
  run_at: Date;
  claimed_at: Date | null;
  finished_at: Date | null;
  duration_ms: number | null;
  timeout_ms: number | null;
  is_stale: boolean;
  locked_until: Date | null;
  last_recovery: Job["lastRecovery"];
}

/** Makes a `Job` of a row of `v_jobs`. */
export function jobFromRow(row: JobRow): Job {
  if (!(JOB_STATE_NAMES as readonly string[]).includes(row.state)) {
    throw new TypeError(`job ${row.id} has the state ${row.state}, which this version does not know`);
  }
  return {
    id: row.id,
    queue: row.queue,
    kind: row.kind,
    state: row.state as JobState,
    deadReason: row.dead_reason,
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    recoveries: row.recoveries,
    payload: row.payload,
    result: row.result,
    lastError: row.last_error,
    uniqueKey: row.unique_key,
    tag: row.tag,
    labels: row.labels,
    workerId: row.worker_id,
    leaseToken: row.lease_token,
    createdAt: row.created_at,
    runAt: row.run_at,
    claimedAt: row.claimed_at,
    finishedAt: row.finished_at,
    durationMs: row.duration_ms,
    timeoutMs: row.timeout_ms,
    isStale: row.is_stale,
    lockedUntil: row.locked_until,
    lastRecovery: row.last_recovery,
  };
}
