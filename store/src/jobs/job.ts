import { JOB_STATE_NAMES, type JobState } from "../job-state.ts";

/** A job as it is now, live or finished. Ids and lease tokens are strings: they exceed what a number can hold. */
export interface Job {
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly state: JobState;
  /**
   * Why a dead job is dead: its attempts were spent, its handler said that more are useless (`permanent`), it lost its
   * workers too often (`poison`), or once was enough by policy (`worker_lost`).
   */
  readonly deadReason: DeadReason | null;
  readonly priority: number;
  /** Attempts spent so far; the running one counts. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Attempts lost to infrastructure; they are not spent attempts. */
  readonly recoveries: number;
  /** 1, and one more with every retry by a person. */
  readonly generation: number;
  /** Null also when it was not asked for. */
  readonly payload: unknown;
  /** Null also when it was not asked for, and from `resultExpiresAt` on. */
  readonly result: unknown;
  /** What its handler last said of its progress. */
  readonly progress: unknown;
  readonly lastError: string | null;
  /** Errors of earlier attempts, oldest first, at most ten. */
  readonly errors: readonly JobAttemptError[] | null;
  /** Of the process that ran it, when it was one. */
  readonly exitCode: number | null;
  readonly uniqueKey: string | null;
  readonly concurrencyKey: string | null;
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
  readonly resultTtlSeconds: number | null;
  readonly resultExpiresAt: Date | null;
  /** The job that was enqueued because this one ended. */
  readonly finaliserId: string | null;
  /** It runs, and its worker has been asked to stop it. */
  readonly cancelRequested: boolean;
  /** Running, and no live worker backs its lease, or its deadline has passed: recovery will take it. */
  readonly isStale: boolean;
  /** `retryJob` would accept it. */
  readonly canRetry: boolean;
  /** What a person can do about it, in words. */
  readonly recoveryHint: string | null;
  /** Pod or host of its worker and the worker's id, while it runs. */
  readonly lockedBy: string | null;
  /** Until when its lease holds, when it runs: the worker's lease or the job's deadline. */
  readonly lockedUntil: Date | null;
  /** Its last recovery, when it had one. */
  readonly lastRecovery: JobRecovery | null;
}

/** Why a dead job is dead. */
export type DeadReason = "attempts" | "permanent" | "poison" | "worker_lost";

/** An error of an earlier attempt. */
export interface JobAttemptError {
  readonly attempt: number;
  readonly generation: number;
  readonly at: string;
  readonly error: string;
  readonly exit_code?: number | null;
  readonly worker?: string | null;
}

/** Who took a job from a lost worker, why, and what became of it. */
export interface JobRecovery {
  readonly at: string;
  readonly actor: string;
  readonly reason: string | null;
  /** Id of the worker that was lost. */
  readonly worker: string;
  readonly policy: "retry" | "hold" | "fail" | "cancel";
  /** What was over: the worker, or the job's own deadline. */
  readonly cause: "worker" | "deadline";
  /** W3C trace context of the claim whose attempt was lost, where that was traced. */
  readonly traceparent?: string;
}

/** A row of the view `v_jobs`. */
export interface JobRow {
  id: string;
  queue: string;
  kind: string;
  state: string;
  dead_reason: DeadReason | null;
  priority: number;
  attempt: number;
  max_attempts: number;
  recoveries: number;
  generation: number;
  payload: unknown;
  result: unknown;
  progress: unknown;
  last_error: string | null;
  errors: readonly JobAttemptError[] | null;
  exit_code: number | null;
  unique_key: string | null;
  concurrency_key: string | null;
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
  result_ttl_seconds: number | null;
  result_expires_at: Date | null;
  finaliser_id: string | null;
  cancel_requested: boolean;
  is_stale: boolean;
  can_retry: boolean;
  recovery_hint: string | null;
  locked_by: string | null;
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
    generation: row.generation,
    payload: row.payload,
    result: row.result,
    progress: row.progress,
    lastError: row.last_error,
    errors: row.errors,
    exitCode: row.exit_code,
    uniqueKey: row.unique_key,
    concurrencyKey: row.concurrency_key,
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
    resultTtlSeconds: row.result_ttl_seconds,
    resultExpiresAt: row.result_expires_at,
    finaliserId: row.finaliser_id,
    cancelRequested: row.cancel_requested,
    isStale: row.is_stale,
    canRetry: row.can_retry,
    recoveryHint: row.recovery_hint,
    lockedBy: row.locked_by,
    lockedUntil: row.locked_until,
    lastRecovery: row.last_recovery,
  };
}
