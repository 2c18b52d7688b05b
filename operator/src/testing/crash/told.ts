import type { Condition, JobQueueStatus, JobStoreStatus } from "@jobqueue/crds";
import { listWorkers, type Database } from "@jobqueue/store";
import type { KubeObject } from "../../../../test/support/api-server/api-client.ts";
import type { OperatorFacts } from "../../../../test/support/history/history.ts";

/** An object with the status that the operator gives it. */
export type WithStatus<Status extends JobQueueStatus | JobStoreStatus> = KubeObject & { readonly status?: Status };

/** Whether an operator has seen the last change of a spec, and knows what it needs to know. */
export function isObserved({ metadata, status }: WithStatus<JobQueueStatus | JobStoreStatus>): boolean {
  const conditions: readonly Condition[] = status?.conditions ?? [];
  return status?.observedGeneration === metadata["generation"] && conditions.every((one) => one.status !== "Unknown");
}

/** Whether a store can be asked. */
export function isReady({ status }: WithStatus<JobStoreStatus>): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
}

/**
 * The counts in the statuses, and what SQL says; -1: none is shown. Those that change soon after others were written are held
 * back for 15 s, and then written: until that has happened an operator is not at rest.
 */
export async function summariesOf(
  store: Database,
  jobStores: readonly WithStatus<JobStoreStatus>[],
  jobQueues: readonly WithStatus<JobQueueStatus>[],
): Promise<OperatorFacts["summaries"]> {
  const at = Date.now();
  const queues = await store.query<{ queue: string } & JobCounts>(COUNTS);
  const workers = await listWorkers(store);
  const alive = workers.filter(({ isLive }) => isLive);
  const pairs = (what: string, shown: object | undefined, truth: Counts): OperatorFacts["summaries"] => {
    const seen = new Map<string, number>(Object.entries(shown ?? {}));
    return Object.entries(truth).map(([count, value]) => ({
      what: `${count} of ${what}`,
      at,
      shown: seen.get(count) ?? -1,
      truth: value,
    }));
  };
  const sum = (rows: readonly JobCounts[]): Counts =>
    Object.fromEntries(JOB_COUNTS.map((count) => [count, rows.reduce((total, row) => total + row[count], 0)]));
  const ofStore = ({ metadata: { name }, status }: WithStatus<JobStoreStatus>): OperatorFacts["summaries"] => [
    ...pairs(`jobs of JobStore ${name}`, status?.jobs, sum(queues)),
    ...pairs(`workers of JobStore ${name}`, status?.workers, {
      pools: new Set(workers.flatMap(({ pool }) => pool ?? [])).size,
      alive: alive.length,
      lapsed: workers.length - alive.length,
    }),
  ];
  const ofQueue = ({
    metadata: { namespace, name },
    status,
  }: WithStatus<JobQueueStatus>): OperatorFacts["summaries"] => {
    const own = alive.filter(({ pool }) => pool === `${namespace}/${name}`);
    return [
      ...pairs(
        `jobs of JobQueue ${name}`,
        status?.jobs,
        sum(queues.filter(({ queue }) => queue === status?.queueName)),
      ),
      ...(status?.workers
        ? pairs(`workers of JobQueue ${name}`, status.workers, {
            busy: own.filter(({ running }) => running > 0).length,
            draining: own.filter(({ state, drainSince }) => state === "draining" || drainSince !== null).length,
          })
        : []),
    ];
  };
  return [...jobStores.flatMap(ofStore), ...jobQueues.flatMap(ofQueue)];
}

type Counts = Readonly<Record<string, number>>;

const JOB_COUNTS = ["pending", "scheduled", "running", "dead"] as const;

type JobCounts = Readonly<Record<(typeof JOB_COUNTS)[number], number>>;

/** Of the tables themselves, not of what the operator reads: its own mistake would agree with itself. */
const COUNTS = `
  select queue, count(*) filter (where is_due)::int as pending, count(*) filter (where state in (2, 3) and not is_due)::int as scheduled,
    count(*) filter (where state = 1)::int as running, count(*) filter (where state = 12)::int as dead
  from (
    select queue, state, state = 0 or (state in (2, 3) and run_at <= clock_timestamp()) as is_due from jobqueue.jobs
    union all select queue, state, false from jobqueue.job_history where not superseded) j
  group by queue`;
