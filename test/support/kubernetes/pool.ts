import { eventually } from "../eventually.ts";
import type { Resource } from "./kubectl.ts";
import type { Playground } from "./playground.ts";

/** A container as a pod's status shows it. */
interface ContainerStatus {
  readonly name: string;
  readonly containerID: string;
  readonly restartCount: number;
}

/** What became of some jobs: how often they were completed, attempts spent and attempts lost. */
export interface Fate {
  readonly completed: number;
  /** Ended more often than once. */
  readonly twice: number;
  /** The most attempts one of them took. */
  readonly attempt: number;
  readonly recoveries: number;
}

/** How often a pod is moved before its node is to blame. */
const MOVES = 5;

/** The pods of a pool and the jobs they run, as tests follow them. */
export class Pool {
  readonly ground: Playground;
  readonly name: string;

  constructor(ground: Playground, name: string) {
    this.ground = ground;
    this.name = name;
  }

  /** Its pods, those on their way out too. */
  async pods(): Promise<Resource[]> {
    return this.ground.kubectl.list("pods", `jobqueue.dev/pool=${this.name}`);
  }

  /** Waits for so many ready pods that nobody has asked to go; returns them. */
  async ready(count: number, timeoutMs = 120_000): Promise<Resource[]> {
    return eventually(
      `${count} ready pods of ${this.name}`,
      async () => {
        const ready = (await this.pods()).filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
        return ready.length === count ? ready : undefined;
      },
      { timeoutMs, everyMs: 300 },
    );
  }

  /**
   * Waits for so many ready pods, each on a node of its own. Nothing moves a pod back to a node that had failed, so one of two
   * on the same node has to go; a node that takes none afterwards does not work.
   */
  async oneOnEach(count: number): Promise<Resource[]> {
    for (let moved = 0; moved < MOVES; moved += 1) {
      const pods = await this.ready(count);
      if (new Set(pods.map(nodeOf)).size === count) return pods;
      await this.ground.kubectl.run("delete", "pod", pods[0]?.metadata.name ?? "");
    }
    const where = (await this.pods()).map((pod) => `${pod.metadata.name} on ${nodeOf(pod)}`).join(", ");
    throw new Error(
      `pods do not spread over ${count} nodes: ${where}\n${await this.ground.kubectl.run("get", "nodes")}`,
    );
  }

  /** Waits until one of the jobs runs in the pod, or in any; returns the job and the pod. */
  async running(ids: readonly string[], pod?: string): Promise<{ readonly id: string; readonly pod: string }> {
    const store = await this.ground.store();
    return eventually(`a job that runs ${pod === undefined ? "" : `in ${pod}`}`, async () => {
      const rows = await store.query<{ id: string; pod: string }>(
        `select j.id, w.pod from jobqueue.jobs j join jobqueue.workers w on w.id = j.worker_id
         where j.id = any($1::bigint[]) and ($2::text is null or w.pod = $2) and j.claimed_at is not null limit 1`,
        [ids, pod ?? null],
      );
      return rows[0];
    });
  }

  /** Waits until every one of the jobs is in the history as completed; returns what became of them. */
  async completed(ids: readonly string[], timeoutMs = 120_000): Promise<Fate> {
    return eventually(
      `${ids.length} jobs of ${this.name} to be completed`,
      async () => {
        const fate = await this.fate(ids);
        return fate.completed === ids.length ? fate : undefined;
      },
      { timeoutMs, everyMs: 300 },
    );
  }

  /** What became of some jobs so far. */
  async fate(ids: readonly string[]): Promise<Fate> {
    const store = await this.ground.store();
    const [row] = await store.query<Fate>(
      `select count(*) filter (where state = 'completed')::int as completed,
              (select count(*) - count(distinct id) from jobqueue.job_history where id = any($1::bigint[]))::int as twice,
              coalesce(max(attempt), 0)::int as attempt, coalesce(sum(recoveries), 0)::int as recoveries
       from jobqueue.v_jobs where id = any($1::bigint[])`,
      [ids],
    );
    return row ?? { completed: 0, twice: 0, attempt: 0, recoveries: 0 };
  }

  /** Message of a condition of the JobQueue. */
  async message(type: string): Promise<string> {
    const queue = await this.ground.kubectl.get("jobqueue", this.name);
    const conditions = (queue?.status?.conditions ?? []) as { type: string; message: string }[];
    return conditions.find((condition) => condition.type === type)?.message ?? "";
  }
}

/** The node that a pod was given. */
function nodeOf({ spec }: Resource): string {
  return (spec as { nodeName: string }).nodeName;
}

/** Whether Kubernetes counts the pod as ready. */
export function isReady(pod: Resource): boolean {
  const conditions = (pod.status?.conditions ?? []) as { type: string; status: string }[];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** A container of a pod; throws when it has none of the name. */
export function containerOf(pod: Resource, name = "worker"): ContainerStatus & { readonly node: string } {
  const all = (pod.status?.containerStatuses ?? []) as ContainerStatus[];
  const container = all.find((status) => status.name === name);
  if (container === undefined) throw new Error(`pod ${pod.metadata.name} has no container ${name}`);
  return { ...container, node: nodeOf(pod) };
}

/** How often containers of these pods were restarted, by pod UID: a new pod is as much a restart as a new container. */
export function restarts(pods: readonly Resource[]): Record<string, number> {
  return Object.fromEntries(
    pods.map((pod) => [
      pod.metadata.uid,
      ((pod.status?.containerStatuses ?? []) as ContainerStatus[]).reduce((sum, one) => sum + one.restartCount, 0),
    ]),
  );
}
