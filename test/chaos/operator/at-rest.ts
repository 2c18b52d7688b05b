/** The end of a round with operators: how it comes to rest, and what is shown then, beside what is true. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Condition, JobQueueStatus, JobStoreStatus } from "@jobqueue/crds";
import { type Database, listHolds, listRestarts } from "@jobqueue/store";
import { roundedCount } from "../../../operator/src/controllers/rounded-count.ts";
import type { ClusterUnderTest } from "../../../operator/src/testing/cluster-under-test.ts";
import type { Kubelets } from "../../../operator/src/testing/kubelets.ts";
import { rowVersions } from "../../../operator/src/testing/row-versions.ts";
import type { KubeObject } from "../../support/api-server/api-client.ts";
import type { OperatorFacts } from "../../support/history/history.ts";
import { nowMs } from "../../support/history/process-log.ts";
import type { Wanted } from "./author.ts";
import type { Replicas } from "./replicas.ts";

/** What a round rests on. */
export interface Resting {
  readonly cluster: ClusterUnderTest;
  readonly direct: Database;
  readonly replicas: Replicas;
  readonly kubelets: Kubelets;
  readonly wanted: ReadonlyMap<string, Wanted>;
}

type Queue = KubeObject & { readonly status?: JobQueueStatus };
type Summary = OperatorFacts["summaries"][number];

/** How long it may take after the last fault until everything is as the spec says: a minute, and a busy machine. */
const SETTLE_MS = 180_000;

/** No operator wrote anything for so long: several looks at the store. */
const STILL_MS = 4_000;

/** Tables that workers and canaries write all the time, whatever happens. */
const ALIVE = new Set(["workers", "leaders"]);

/** Waits until everything is as the spec says and nobody has written for a while; what is not so in the end. */
export async function comeToRest(resting: Resting, stillMs = STILL_MS): Promise<OperatorFacts["unsettled"]> {
  return settle(missingOf, resting, stillMs);
}

/** Waits until all JobQueues are Ready and no restart is under way, while there is load; what is not so in the end. */
export async function becomeReady(resting: Resting): Promise<OperatorFacts["unsettled"]> {
  return settle(unreadyOf, resting, 0);
}

async function settle(
  whatIsMissing: (resting: Resting) => Promise<string[]>,
  resting: Resting,
  stillMs: number,
): Promise<OperatorFacts["unsettled"]> {
  const until = performance.now() + SETTLE_MS;
  let missing: readonly string[] = [];
  let writes = -1;
  let since = performance.now();
  while (performance.now() < until) {
    missing = await whatIsMissing(resting).catch((error: unknown) => [String(error)]);
    if (stillMs > 0 && resting.replicas.writes !== writes) missing = [...missing, "the operators write"];
    writes = resting.replicas.writes;
    if (missing.length > 0) since = performance.now();
    else if (performance.now() - since >= stillMs) return [];
    await sleep(500);
  }
  return missing.map((what) => ({ what, at: nowMs() }));
}

/** What is not yet as it should be. */
async function missingOf(resting: Resting): Promise<string[]> {
  const missing = await unreadyOf(resting);
  const wrong = (await summaries(resting)).filter(({ shown, truth }) => shown !== truth);
  return [...missing, ...wrong.map(({ what, shown, truth }) => `${what}: ${shown} is shown, ${truth} is true`)];
}

/** What does not run as it should. */
async function unreadyOf(resting: Resting): Promise<string[]> {
  const { cluster, direct, replicas } = resting;
  const missing: string[] = [];
  if ((await replicas.leader()) === undefined) missing.push("nobody leads");
  const store = await cluster.api.get<KubeObject & { status?: JobStoreStatus }>(cluster.path("jobstores/default"));
  missing.push(...unready("jobstores/default", store));
  for (const name of resting.wanted.keys()) {
    const queue = await cluster.api.get<Queue>(cluster.path(`jobqueues/${name}`));
    missing.push(...unready(`jobqueues/${name}`, queue));
  }
  if ((await listRestarts(direct)).some(({ isOpen }) => isOpen)) missing.push("a restart is under way");
  return missing;
}

function unready(what: string, object: KubeObject & { status?: JobQueueStatus | JobStoreStatus }): string[] {
  const { observedGeneration, conditions = [] } = object.status ?? {};
  if (observedGeneration !== object.metadata["generation"]) return [`${what} was not observed`];
  const unknown = conditions.filter(({ status }) => status === "Unknown").map(({ type }) => `${type} is Unknown`);
  const ready = conditions.find(({ type }) => type === "Ready");
  const wrong = ready?.status === "True" ? unknown : [...unknown, `Ready is ${ready?.status}: ${ready?.message}`];
  return wrong.map((why) => `${what}: ${why}`);
}

/** What the status of the JobStore and of each JobQueue shows, beside what the spec, the store and the kubelet say. */
export async function summaries(resting: Resting): Promise<Summary[]> {
  const found = await storeSummary(resting);
  for (const name of resting.wanted.keys()) found.push(...(await summaryOf(name, resting)));
  return found;
}

async function storeSummary({ cluster, direct }: Resting): Promise<Summary[]> {
  const at = nowMs();
  const { status } = await cluster.api.get<KubeObject & { status?: JobStoreStatus }>(cluster.path("jobstores/default"));
  const jobs = await jobsBy(direct);
  const [row] = await direct.query<{ alive: number }>(
    `select count(*)::int as alive from ${direct.schema}.v_workers where is_live`,
  );
  const facts: readonly Fact[] = [
    ...jobFacts(status?.jobs, jobs),
    ["alive workers", status?.workers?.alive, roundedCount(row?.alive ?? Number.NaN)],
  ];
  return facts.map(([what, shown, truth]) => ({ what: `${what} of the store`, at, shown: shown ?? Number.NaN, truth }));
}

/** What is counted, what is shown of it, what is true. */
type Fact = readonly [string, number | undefined, number];

/** How many jobs of one queue, or of all, are in one of some states. */
async function jobsBy(direct: Database, queue?: string): Promise<(...states: readonly string[]) => number> {
  const rows = await direct.query<{ state: string; count: number }>(
    `select state, count(*)::int as count from ${direct.schema}.v_jobs where $1::text is null or queue = $1 group by state`,
    [queue ?? null],
  );
  return (...states) => rows.filter(({ state }) => states.includes(state)).reduce((sum, { count }) => sum + count, 0);
}

function jobFacts(
  counts: JobStoreStatus["jobs"] | JobQueueStatus["jobs"],
  jobs: (...states: readonly string[]) => number,
): readonly Fact[] {
  return [
    ["pending jobs", counts?.pending, roundedCount(jobs("pending"))],
    ["scheduled jobs", counts?.scheduled, roundedCount(jobs("scheduled", "failed", "deferred"))],
    ["running jobs", counts?.running, roundedCount(jobs("running"))],
    ["dead jobs", counts?.dead, roundedCount(jobs("dead"))],
  ];
}

async function summaryOf(name: string, { cluster, direct, kubelets, wanted }: Resting): Promise<Summary[]> {
  const at = nowMs();
  const { status = {} } = await cluster.api.get<Queue>(cluster.path(`jobqueues/${name}`));
  const holds = (await listHolds(direct)).filter(({ queue }) => queue === name || queue === "*");
  const jobs = await jobsBy(direct, name);
  const replicas = wanted.get(name)?.replicas ?? 0;
  const { jobs: counts, workers } = status;
  const facts: readonly Fact[] = [
    ...jobFacts(counts, jobs),
    ["wanted workers", workers?.desired, replicas],
    ["ready workers", workers?.ready, kubelets.readyPods(name)],
    ["ready pods", kubelets.readyPods(name), replicas],
    ["replicas", status.replicas, replicas],
    ["hung workers", workers?.hung, 0],
    ["holds", status.holdsTotal ?? status.holds?.length ?? 0, holds.length],
    ["paused", isTrue(status.conditions, "Paused"), Math.min(1, holds.length)],
    ["healthy", isTrue(status.conditions, "Healthy"), 1],
  ];
  return facts.map(([what, shown, truth]) => ({ what: `${what} of ${name}`, at, shown: shown ?? Number.NaN, truth }));
}

const isTrue = (conditions: readonly Condition[] | undefined, type: string): number =>
  Number(conditions?.some((condition) => condition.type === type && condition.status === "True"));

/** Looks for so long whether the store is left alone; what was written there, and from when to when it was looked. */
export async function quietFor(
  ms: number,
  { direct }: Resting,
): Promise<{ readonly from: number; readonly to: number; readonly writes: OperatorFacts["lateWrites"] }> {
  const before = await rowVersions(direct);
  const from = nowMs();
  await sleep(ms); // the absence of something has no signal
  const to = nowMs();
  const after = await rowVersions(direct);
  const touched = Object.keys(after).filter((table) => !ALIVE.has(table) && after[table] !== before[table]);
  return { from, to, writes: touched.map((table) => ({ at: to, what: `a row of ${table}` })) };
}
