import { quoteIdentifier } from "../connection/identifier.ts";
import type { RetryPolicy } from "../retry-policy.ts";
import type { LossPolicy } from "../jobs/recover-stale.ts";
import type { Session } from "../session.ts";
import type { QueuePolicy } from "./configure-queue.ts";

/** A retry policy as SQL keeps it. */
type RetryJson =
  | { exponential: { initial_seconds?: number; max_seconds?: number; jitter_percent?: number } }
  | { intervals_seconds: number[] };

interface Row {
  name: string;
  max_attempts: number | null;
  timeout_ms: number | null;
  result_ttl_seconds: number | null;
  retry: RetryJson | null;
  on_worker_loss: LossPolicy;
  max_recoveries: number;
  max_running: number | null;
  max_running_per_key: number | null;
  fair: boolean;
  rate_count: number | null;
  rate_period_ms: number | null;
}

function retryOf(json: RetryJson | null): RetryPolicy | null {
  if (json === null) return null;
  if ("intervals_seconds" in json) return { intervalsSeconds: json.intervals_seconds };
  const { initial_seconds: initialSeconds, max_seconds: maxSeconds, jitter_percent: jitterPercent } = json.exponential;
  const given = { initialSeconds, maxSeconds, jitterPercent };
  return { exponential: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

const COLUMNS = `name, max_attempts, timeout_ms, result_ttl_seconds, retry, on_worker_loss, max_recoveries, max_running,
  max_running_per_key, fair, rate_count, rate_period_ms`;

/** Reads the policy of a queue, as `configureQueue` sets it; null is the default. `undefined` when there is no such queue. */
export async function queuePolicy(session: Session, queue: string): Promise<Required<QueuePolicy> | undefined> {
  const [row] = await session.query<Row>(
    `select ${COLUMNS} from ${quoteIdentifier(session.schema)}.v_queues where name = $1`,
    [queue],
  );
  return row && policyOf(row);
}

/** Reads the policies of all queues, by name. */
export async function queuePolicies(session: Session): Promise<Map<string, Required<QueuePolicy>>> {
  const rows = await session.query<Row>(`select ${COLUMNS} from ${quoteIdentifier(session.schema)}.v_queues`);
  return new Map(rows.map((row) => [row.name, policyOf(row)]));
}

function policyOf(row: Row): Required<QueuePolicy> {
  const { rate_count: count, rate_period_ms: periodMs } = row;
  return {
    maxAttempts: row.max_attempts,
    timeoutSeconds: row.timeout_ms === null ? null : row.timeout_ms / 1000,
    resultTtlSeconds: row.result_ttl_seconds,
    retry: retryOf(row.retry),
    onWorkerLoss: row.on_worker_loss,
    maxRecoveries: row.max_recoveries,
    maxRunning: row.max_running,
    maxRunningPerKey: row.max_running_per_key,
    fair: row.fair,
    rate: count === null || periodMs === null ? null : { count, perSeconds: periodMs / 1000 },
  };
}
