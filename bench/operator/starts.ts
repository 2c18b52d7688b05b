import { setTimeout as sleep } from "node:timers/promises";
import { LABEL_POOL } from "../../crds/src/index.ts";
import { DEPLOYMENTS } from "../../operator/src/controllers/kinds.ts";
import type { Edge } from "../../operator/src/kube/testing/edge.ts";
import { eventually } from "../../test/support/eventually.ts";
import { median } from "../statistics.ts";
import type { OperatorProcess } from "./operator-process.ts";
import type { Pauses } from "./pauses.ts";
import { addJobs, type BenchQueue } from "./population.ts";
import type { RequestCounts } from "./requests.ts";
import { untilQuiet } from "./rest.ts";
import type { Stage } from "./stage.ts";

/** How an operator began where nothing was there but the objects. */
export interface FirstStart {
  /** From the start of the process until it leads and its caches are full, seconds. */
  readonly leadsAfter: number;
  /** Until the last Deployment had been made, by its creationTimestamp: what comes after that is the cluster's doing. */
  readonly deployedAfter: number;
  /** Until the last JobQueue was Ready. */
  readonly readyAfter: number;
  readonly cpuSeconds: number;
  readonly peakMib: number;
  readonly requests: RequestCounts;
  readonly bytes: { readonly sent: number; readonly received: number };
  readonly connections: number;
  /** What the stand-in for the workers says when all are there. */
  readonly workers: object;
}

/** Counts are written 20 a second at most: those of 10,000 queues would take longer than everything else. */
const QUEUES_WITH_JOBS = 1_000;

/** How often the bench says how far it is, milliseconds. */
const SAY_MS = 10_000;

/**
 * Seconds without a write until an operator counts as at rest: more than the 15 s that counts of a status may be held back. Where a
 * smoke test goes on to something else, more than there are between two looks at a store. After `patience` the bench gives up.
 */
const QUIET = { seconds: 20, smokeSeconds: 7, patience: 900 } as const;

/** Starts the first operator of a stage and waits until everything is as it is to be, and at rest. */
export async function firstStart(stage: Stage): Promise<{ operator: OperatorProcess; start: FirstStart }> {
  const { queues, statuses, requests, cluster, population, stores } = stage;
  const beganAt = performance.now();
  const beganAtWall = Date.now();
  const since = (): number => (performance.now() - beganAt) / 1000;
  const operator = await stage.startOperator();
  await operator.leads;
  const leadsAfter = since();
  let saidAt = beganAt;
  await eventually(
    `${queues.length} JobQueues to be Ready`,
    async () => {
      const ready = statuses.ready();
      if (performance.now() - saidAt > SAY_MS) {
        saidAt = performance.now();
        stage.say(`${ready} Ready after ${since().toFixed(0)} s`);
      }
      return ready === queues.length ? true : undefined;
    },
    { timeoutMs: 120_000 + 1_000 * queues.length },
  );
  const readyAfter = since();
  const start = {
    leadsAfter,
    deployedAfter: ((await lastDeployment(cluster.edge)) - beganAtWall) / 1000,
    readyAfter,
    cpuSeconds: operator.cpuSeconds(),
    peakMib: operator.peakMib(),
    requests: requests.take(),
    bytes: { sent: cluster.relay.sent, received: cluster.relay.received },
    connections: cluster.relay.connections,
  };
  stage.say(`all Ready after ${start.readyAfter.toFixed(1)} s`);
  const withJobs = queues.slice(0, QUEUES_WITH_JOBS);
  for (const [namespace, store] of stores) {
    await addJobs(
      store,
      withJobs.filter((queue) => queue.namespace === namespace),
    );
  }
  const workers = await eventually(
    `${population.pods} workers to beat`,
    async () => {
      const counts = await stage.beats();
      return counts.registered >= population.pods ? counts : undefined;
    },
    { timeoutMs: 600_000 },
  );
  await untilQuiet(requests, QUIET.seconds, QUIET.patience);
  return { operator, start: { ...start, workers } };
}

/** When the last Deployment was made, milliseconds of the wall clock, which the API server cuts to whole seconds. */
async function lastDeployment({ client }: Edge): Promise<number> {
  const { items } = await client.list(DEPLOYMENTS, { labelSelector: LABEL_POOL });
  return Math.max(...items.map(({ metadata }) => Date.parse(metadata.creationTimestamp)));
}

/** Waits until the operator writes nothing any more. */
export async function settled({ requests, setup }: Stage): Promise<void> {
  await untilQuiet(requests, setup.smoke ? QUIET.smokeSeconds : QUIET.seconds, QUIET.patience);
}

/** How an operator began where another one had left everything in order. */
export interface Restart {
  readonly leadsAfter: number;
  /** Until the last of the pauses that were asked for meanwhile showed, seconds. */
  readonly pausedAfter: number;
  readonly pauses: number;
  /** When it was at rest again. */
  readonly rssMib: number;
  readonly peakMib: number;
}

/** How long memory is looked at after a restart, seconds. */
const LOOK_SECONDS = 20;

/** Ends an operator and starts another one; `queues` are paused while there is none. */
export async function restart(
  stage: Stage,
  before: OperatorProcess,
  pauses: Pauses,
  queues: readonly BenchQueue[],
): Promise<Restart> {
  await before.end();
  const asked = await Promise.all(queues.map((queue) => pauses.set(queue, "Paused")));
  const startedAt = Date.now();
  const operator = await stage.startOperator();
  await operator.leads;
  const leadsAfter = (Date.now() - startedAt) / 1000;
  const shownAt = await Promise.all(asked.map(({ shown }) => shown));
  await pauses.resume(queues);
  await settled(stage);
  const rss: number[] = [];
  for (let second = 0; second < (stage.setup.smoke ? 1 : LOOK_SECONDS); second++) {
    await sleep(1000);
    rss.push(operator.rssMib());
  }
  return {
    leadsAfter,
    pausedAfter: (Math.max(...shownAt) - startedAt) / 1000,
    pauses: queues.length,
    rssMib: median(rss),
    peakMib: operator.peakMib(),
  };
}
