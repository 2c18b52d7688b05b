import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import { toJsonText } from "../jobs/json-value.ts";
import type { LossPolicy } from "../jobs/recover-stale.ts";
import { type RetryPolicy, retryJson } from "../retry-policy.ts";
import type { Session } from "../session.ts";

/** What a queue says about its jobs. Absent: left as it is; `null`: back to the default. */
export interface QueuePolicy {
  /** 5 by default. Copied to a job when it is enqueued, as are `timeoutSeconds` and `resultTtlSeconds`. */
  readonly maxAttempts?: number | null | undefined;
  /** None by default. */
  readonly timeoutSeconds?: number | null | undefined;
  /** As long as the record by default. */
  readonly resultTtlSeconds?: number | null | undefined;
  /** Read when a job fails. */
  readonly retry?: RetryPolicy | null | undefined;
  /** Read when a job is recovered; `retry` by default. */
  readonly onWorkerLoss?: LossPolicy | null | undefined;
  /** The loss that makes a job dead; 3 by default. */
  readonly maxRecoveries?: number | null | undefined;
  /** Most jobs of the queue that run at once, over all workers. 0 stops it. */
  readonly maxRunning?: number | null | undefined;
  /** Most jobs of one concurrency key that run at once. */
  readonly maxRunningPerKey?: number | null | undefined;
  /** Concurrency keys take turns. */
  readonly fair?: boolean | null | undefined;
  /** At most so many starts per time, over all workers. */
  readonly rate?: { readonly count: number; readonly perSeconds?: number | undefined } | null | undefined;
}

/**
 * Sets the policy of a queue, and makes the queue known. Returns whether anything changed; only then is anything written,
 * with one audit event (G19). Rejects with `invalid_input` that says what to write instead.
 */
export async function configureQueue(session: Session, queue: string, policy: QueuePolicy, act: Act): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.configure_queue($1, $2::jsonb, $3, $4) as changed`,
    [
      queue,
      toJsonText(
        {
          max_attempts: policy.maxAttempts,
          timeout_seconds: policy.timeoutSeconds,
          result_ttl_seconds: policy.resultTtlSeconds,
          retry: policy.retry && retryJson(policy.retry),
          on_worker_loss: policy.onWorkerLoss,
          max_recoveries: policy.maxRecoveries,
          max_running: policy.maxRunning,
          max_running_per_key: policy.maxRunningPerKey,
          fair: policy.fair,
          rate: policy.rate && { count: policy.rate.count, per_seconds: policy.rate.perSeconds },
        },
        "policy",
      ),
      act.actor,
      act.reason,
    ],
  );
  return rows[0]?.changed ?? false;
}
