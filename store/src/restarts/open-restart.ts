import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import { toJsonText } from "../jobs/json-value.ts";
import type { Session } from "../session.ts";

/** What a worker can be hung by; the words are those of `open_restart`. */
export type HungVerdict = "lapsed" | "blocked" | "stalled" | "all-slots-stuck";

/** A restart to be decided. */
export interface NewRestart {
  /** "namespace/name" of the JobQueue whose pool it is. */
  readonly pool: string;
  readonly queue: string;
  /** Which pod template the pod was made from. */
  readonly templateHash: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly node?: string | undefined;
  /** One word that people and metrics see. */
  readonly reason: string;
  /** What was seen: numbers and words, never payloads. */
  readonly evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** Term of leadership, where there is one. */
  readonly term?: string | undefined;
  /** The worker of the pod, where a person asked and it is known. */
  readonly worker?: string | undefined;
  /** Absent: a person asked for the restart, so that neither a verdict nor the budget counts. */
  readonly hung?:
    | {
        readonly worker: string;
        readonly verdict: HungVerdict;
        /** For how long it must have been so, milliseconds by the database's clock. */
        readonly silentMs: number;
      }
    | undefined;
}

/** How much may be restarted in one pool. */
export interface RestartBudget {
  /** Most restarts that are under way at a time. */
  readonly concurrent: number;
  /** Shortest time since the last one, milliseconds. */
  readonly spacingMs: number;
  /** At most `windowMost` in any `windowMs` milliseconds. */
  readonly windowMs: number;
  readonly windowMost: number;
}

/**
 * Why the store refused: the pod has an intent already, the worker is not (or not any more) what it was judged to be, or a
 * part of the budget is spent.
 */
export type RestartRefusal = "known" | "not_hung" | "concurrent" | "spacing" | "window";

/** The intent that was written, or why there is none. */
export type OpenedRestart = { readonly id: string } | { readonly refused: RestartRefusal };

/**
 * Decides to restart the worker of a pod, before anything is done to it. Verdict and budget are looked at again in the store,
 * under a lock per pool, so that two operators at once spend it once. One audit event with the intent (G19).
 */
export async function openRestart(
  session: Session,
  restart: NewRestart,
  budget: RestartBudget,
  act: Act,
): Promise<OpenedRestart> {
  const { hung } = restart;
  const rows = await session.query<{ id: string | null; refused: RestartRefusal | null }>(
    `select id, refused from ${quoteIdentifier(session.schema)}.open_restart($1::jsonb, $2::jsonb, $3, $4)`,
    [
      toJsonText(
        {
          pool: restart.pool,
          queue: restart.queue,
          template_hash: restart.templateHash,
          namespace: restart.namespace,
          pod: restart.pod,
          pod_uid: restart.podUid,
          node: restart.node,
          reason: restart.reason,
          evidence: restart.evidence,
          term: restart.term,
          ...(hung
            ? { worker: hung.worker, verdict: hung.verdict, silent_ms: Math.round(hung.silentMs) }
            : { asked: true, worker: restart.worker }),
        },
        "intent",
      ),
      JSON.stringify({
        concurrent: budget.concurrent,
        spacing_ms: Math.round(budget.spacingMs),
        window_ms: Math.round(budget.windowMs),
        window_most: budget.windowMost,
      }),
      act.actor,
      act.reason,
    ],
  );
  const [{ id, refused } = { id: null, refused: null }] = rows;
  if (id !== null) return { id };
  if (refused === null) throw new TypeError("the store said neither yes nor no");
  return { refused };
}
