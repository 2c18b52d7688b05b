import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** How far a restart has come. */
export type RestartState = "open" | "fenced" | "recovered" | "evicted" | "closed" | "abandoned";

/** A restart that was decided. Ages are by the database's clock, as of the reading. */
export interface RestartRow {
  readonly id: string;
  readonly pool: string;
  readonly queue: string;
  readonly templateHash: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly workerId: string | null;
  readonly node: string | null;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** A person asked for it. */
  readonly asked: boolean;
  readonly state: RestartState;
  /** Neither closed nor abandoned. */
  readonly isOpen: boolean;
  readonly openedAt: Date;
  readonly ageMs: number;
  /** Since when a disruption budget has refused the eviction; null: it has not. */
  readonly refusedMs: number | null;
  readonly closedAt: Date | null;
  readonly outcome: string | null;
  /** A worker of this very pod holds a lease again. */
  readonly workerIsBack: boolean;
}

/** A pool's last restarts, as many as a decision needs. */
const PER_POOL = 50;

/** Restarts under way, and those of the last seven days, at most 50 of each pool; the oldest first. */
export async function listRestarts(session: Session): Promise<RestartRow[]> {
  return session.query<RestartRow>(
    `select id, pool, queue, template_hash as "templateHash", namespace, pod, pod_uid as "podUid", worker_id as "workerId", node, reason,
       evidence, asked, state, is_open as "isOpen", opened_at as "openedAt", age_ms::float8 as "ageMs", refused_ms::float8 as "refusedMs",
       closed_at as "closedAt", outcome, worker_is_back as "workerIsBack"
     from (select r.*, row_number() over (partition by r.pool order by r.id desc) as place
       from ${quoteIdentifier(session.schema)}.v_restarts r
       where r.closed_at is null or r.opened_at > clock_timestamp() - interval '7 days') recent
     where is_open or place <= $1 order by opened_at, id`,
    [PER_POOL],
  );
}
