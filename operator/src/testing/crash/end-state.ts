/**
 * The world as a scenario leaves it, without what differs between two runs of the same: identities, times, names of
 * namespaces and databases. Two runs that came to the same give the same text.
 */
import type { Database } from "@jobqueue/store";
import type { ApiClient, KubeObject } from "../../../../test/support/api-server/api-client.ts";
import { comparable, maskOf } from "../comparable.ts";

/** Kinds whose every object in the namespace is compared, pods only by how many there are. */
const KINDS = {
  jobstores: "/apis/jobqueue.dev/v1alpha1",
  jobqueues: "/apis/jobqueue.dev/v1alpha1",
  deployments: "/apis/apps/v1",
  poddisruptionbudgets: "/apis/policy/v1",
} as const;

/**
 * Of tables: who leads and when somebody looked is no part of what a scenario is about. The lease of a job that was handed on
 * stays until a sweep tidies up; who runs a job is compared by the job's own state.
 */
const NOT_COMPARED = new Set(["leaders", "migrations", "leases"]);

/** Audit events that tell of operators, not of what they did. */
const LEADING = "action = 'take_term'";

/**
 * A pod that goes while no operator looks was seen to go by none: its worker is over when its lease is, and its jobs are handed on
 * by whoever sweeps next (design: at once when a pod is seen gone, by lease otherwise). Who said it is not compared, nor what
 * the row of a worker without a pod says; what became of the jobs, how often they were handed on, and how many workers there were, is.
 */
const BY_WHOEVER_SAW = "action in ('workers_gone', 'recover_stale')";

/**
 * That a pod was evicted stands in the audit trail if the operator lived to hear the answer; else its successor sees the pod
 * gone, and the restart ends without that step. Both are right, and the kills are counted by the API server's own log.
 */
const UNCERTAIN_STEP = "action = 'advance_restart' and after->>'state' = 'evicted'";

/** Columns that no two runs share: identities from sequences, tokens, terms, hashes, how long something took or is ago. */
const UNCOMPARED_COLUMN = /^id$|_id$|token|^term$|^template_hash$|_ms$|^pid$|^ppid$|^hostname$|^last_recovery$/;

/** The same inside of values, and how long something lasted in a sentence. */
const UNCOMPARED_INSIDE = [/"(?:term|intent|silentMs)":"?\d+"?,?/g, /(?<= for )\d+(?= s\b)/g];

/** Reads the state of a namespace and of a store in its schema `jobqueue`. */
export async function endState(world: {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly store: Database;
  /** Texts that are this run's own, and what stands for them. */
  readonly own: Readonly<Record<string, string>>;
}): Promise<string> {
  const masked = maskOf(world.own);
  const lines: string[] = [];
  for (const [kind, group] of Object.entries(KINDS)) {
    const { items } = await world.api.get<{ items: KubeObject[] }>(`${group}/namespaces/${world.namespace}/${kind}`);
    const texts = items.map((object) => JSON.stringify(comparable(withoutCounts(object)), undefined, 1));
    lines.push(...texts.map((text) => masked(`${kind} ${text}`)).sort());
  }
  const pods = await podsOf(world.api, world.namespace);
  lines.push(`pods ${pods.length}`);
  lines.push(
    ...(await storeRows(world.store, new Set(pods.map(({ metadata }) => metadata.uid ?? "")))).map(masked).sort(),
  );
  return lines.join("\n");
}

/** Counts in a status may be half a minute late, by design; the jobs and workers themselves are compared in the store. */
function withoutCounts(object: KubeObject): KubeObject {
  const { status, ...rest } = object as KubeObject & { readonly status?: Record<string, unknown> };
  if (status === undefined) return object;
  const { jobs: _jobs, oldestPendingSince: _since, workers, ...others } = status;
  const {
    busy: _busy,
    draining: _draining,
    pools: _pools,
    alive: _alive,
    lapsed: _lapsed,
    ...kept
  } = (workers ?? {}) as Record<string, unknown>;
  return { ...rest, status: { ...others, workers: kept } };
}

async function podsOf(api: ApiClient, namespace: string): Promise<KubeObject[]> {
  const { items } = await api.get<{ items: KubeObject[] }>(`/api/v1/namespaces/${namespace}/pods`);
  return items.filter(({ metadata }) => metadata["deletionTimestamp"] === undefined);
}

async function storeRows(store: Database, pods: ReadonlySet<string>): Promise<string[]> {
  const tables = await store.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'jobqueue'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition order by 1`,
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    if (NOT_COMPARED.has(name)) continue;
    const where =
      name === "audit_events" ? `where not (${LEADING}) and not (${UNCERTAIN_STEP}) and not (${BY_WHOEVER_SAW})` : "";
    const found = await store.query<{ row: Record<string, unknown> }>(
      `select to_jsonb(t) as row from jobqueue.${name} t ${where}`,
    );
    rows.push(
      ...found.map(({ row }) => {
        if (name === "workers" && !pods.has(String(row["pod_uid"]))) return "workers without a pod";
        const isStep = row["action"] === "advance_restart";
        const kept = Object.entries(row).filter(
          ([column]) => !UNCOMPARED_COLUMN.test(column) && !(isStep && column === "before"),
        );
        const text = `${name} ${JSON.stringify(Object.fromEntries(kept))}`;
        return UNCOMPARED_INSIDE.reduce((shorter, inside) => shorter.replaceAll(inside, ""), text);
      }),
    );
  }
  return rows;
}
