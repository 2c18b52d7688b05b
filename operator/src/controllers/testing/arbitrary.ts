/** Any observation of a JobQueue, for properties: also such as no cluster would ever show. */
import { ANNOTATIONS } from "@jobqueue/crds";
import * as fc from "fast-check";
import type {
  DeploymentObserved,
  Observed,
  PodObserved,
  StoreObserved,
  TemplateVerdict,
} from "../job-queue/observed.ts";
import type { HoldSeen, QueueSeen, StoreView, WorkerSeen } from "../job-store/store-view.ts";
import type { StoredJobQueue } from "../kubernetes-objects.ts";
import {
  aHold,
  aJobQueue,
  aPod,
  aPolicy,
  aReadyStore,
  aJobStore,
  aWorker,
  itsDeployment,
  NOW,
  scaled,
  someWorkers,
  theSpecHold,
} from "./builders.ts";

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const jobQueue: fc.Arbitrary<StoredJobQueue> = fc
  .record({
    state: fc.constantFrom("Active" as const, "Paused" as const, "Stopped" as const),
    pausedUntil: maybe(fc.constantFrom("2026-08-01T11:00:00Z", "2026-08-01T12:00:00Z", "2026-08-01T18:00:00Z")),
    concurrency: maybe(fc.constantFrom(3, 5)),
    pauseReason: maybe(fc.constantFrom("", "SMTP is down")),
    replicas: fc.nat({ max: 4 }),
    workers: fc.constantFrom(null, someWorkers(), someWorkers({ slots: 3 }), someWorkers({ alsoServes: ["mailers"] })),
    deleted: fc.boolean(),
    told: fc.boolean(),
    annotations: fc.constantFrom(
      {},
      {},
      { [ANNOTATIONS.recoverRequested.name]: "now" },
      { [ANNOTATIONS.reconcile.name]: "suspended" },
    ),
  })
  .map(({ state, pausedUntil, concurrency, pauseReason, replicas, workers, deleted, told, annotations }) =>
    aJobQueue(
      {
        state,
        replicas,
        workers,
        ...(pausedUntil !== undefined && { pausedUntil }),
        ...(concurrency !== undefined && { concurrency, onWorkerLoss: "Hold" as const }),
        ...(pauseReason !== undefined && { pauseReason }),
      },
      {
        metadata: { annotations, ...(deleted && { deletionTimestamp: "2026-08-01T11:00:00Z" }) },
        ...(told && { status: { conditions: [] } }),
      },
    ),
  );

const count = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 100_000 }));
const queueSeen: fc.Arbitrary<QueueSeen> = fc
  .record({
    pending: count,
    scheduled: count,
    running: count,
    dead: count,
    stale: count,
    age: fc.nat({ max: 1_000_000 }),
  })
  .map(({ age, ...counts }) => ({ ...counts, ...(counts.pending > 0 && { oldestPendingSeconds: age }) }));

const holdSeen: fc.Arbitrary<HoldSeen> = fc.constantFrom(
  theSpecHold(),
  theSpecHold({ reason: "SMTP is down" }),
  theSpecHold({ actor: "ana" }),
  theSpecHold({ until: "2026-08-01T18:00:00Z" }),
  aHold(),
  aHold({ name: "freeze", queue: "*", until: "2026-08-01T18:00:00Z" }),
);

const workerSeen: fc.Arbitrary<WorkerSeen> = fc
  .record({
    id: fc.nat({ max: 9 }).map(String),
    pool: fc.constantFrom("shop/mailers", "shop/other"),
    podUid: fc.constantFrom("pod-1", "pod-2", "pod-3"),
    alive: fc.boolean(),
    silentMs: fc.nat({ max: 200_000 }),
    drained: fc.boolean(),
    running: fc.nat({ max: 1 }),
  })
  .map((some) => aWorker({ ...some, pod: `mailers-workers-${some.podUid}` }));

const view: fc.Arbitrary<Exclude<StoreView, { is: "up" }>> = fc.constantFrom(
  { is: "starting" },
  { is: "down", reason: "Timeout", sentence: "Postgres does not answer in time." },
  { is: "down", reason: "AuthFailed", sentence: "Postgres refuses the user or the password." },
);

const readyStore: fc.Arbitrary<StoreObserved> = fc
  .record({
    counts: maybe(queueSeen),
    holds: fc.uniqueArray(holdSeen, { maxLength: 3, selector: ({ queue, name }) => `${queue}/${name}` }),
    workers: fc.array(workerSeen, { maxLength: 5 }),
    policy: maybe(fc.constantFrom(aPolicy(), aPolicy({ maxRunning: 3 }), aPolicy({ onWorkerLoss: "hold" }))),
  })
  .map((seen) => aReadyStore({ ...seen, served: [{ held: seen.holds.length > 0, counts: seen.counts }] }));

const anyStore: fc.Arbitrary<StoreObserved> = fc.oneof(
  fc.constant({ is: "absent" as const }),
  fc.boolean().map((known) => ({ is: "notAllowed" as const, known, sentence: "…" })),
  view.map((seen) => ({ is: "unusable" as const, jobStore: aJobStore(), view: seen })),
  fc.boolean().map((settling) => ({ is: "incompatible" as const, jobStore: aJobStore(), settling, sentence: "…" })),
  readyStore,
  readyStore,
);

const deployment = (queue: StoredJobQueue): fc.Arbitrary<DeploymentObserved> => {
  const shaped = queue.spec.workers ? queue : aJobQueue();
  return fc.oneof(
    fc.constantFrom(NOW, NOW - 3_600_000).map((since) => ({ is: "absent" as const, since })),
    fc.constant({ is: "unknown" as const, sentence: "…" }),
    fc.constant({ is: "foreign" as const, owner: "Rollout x" }),
    fc.constant({ is: "leftover" as const, object: itsDeployment(shaped).object }),
    fc.constant(itsDeployment(shaped)),
    fc.constant(itsDeployment(shaped, { spec: { replicas: 9 } })),
    fc.constant(itsDeployment({ ...shaped, spec: { ...shaped.spec, replicas: shaped.spec.replicas + 1 } })),
  );
};

const template: fc.Arbitrary<TemplateVerdict> = fc.constantFrom(
  { is: "accepted" },
  { is: "refused", judged: true, sentence: "…" },
  { is: "refused", judged: false, sentence: "…" },
  { is: "unknown", sentence: "…" },
);

const pods: fc.Arbitrary<readonly PodObserved[] | "unknown"> = fc.oneof(
  fc.constant("unknown" as const),
  fc.uniqueArray(
    fc
      .record({
        uid: fc.constantFrom("pod-1", "pod-2", "pod-3"),
        over: fc.boolean(),
        leaving: fc.boolean(),
        ready: fc.boolean(),
      })
      .map((pod) => aPod(pod)),
    { maxLength: 3, selector: ({ uid }) => uid },
  ),
);

/** See the head of this file. `managed`: the queue exists, is nobody else's, and its store answers. */
export function anyObserved({ managed = false } = {}): fc.Arbitrary<Observed> {
  return fc
    .record({
      queue: managed ? jobQueue.map(alive) : maybe(jobQueue),
      store: managed ? readyStore : anyStore,
      template,
      pods,
      older: managed ? fc.constant(false) : fc.boolean(),
      seen: fc.subarray(["pod-1", "pod-2", "pod-3"]),
    })
    .chain(({ queue, store, older, seen, ...rest }) =>
      deployment(queue ?? aJobQueue()).map((found): Observed => {
        const world = {
          queue,
          store,
          deployment: found,
          disruptionBudget: { is: "absent" as const },
          scale: undefined,
          desired: undefined,
          rivals: older ? [{ name: "other", uid: "0", creationTimestamp: "2026-07-01T00:00:00Z" }] : [],
          servedBy: [],
          podsSeenBefore: new Set(seen),
          invalidSchedule: undefined,
          countsWrittenAt: undefined,
          watchesCurrent: true,
          stormAt: undefined,
          ...rest,
        };
        return queue?.spec.workers?.alsoServes?.includes("mailers") ? world : scaled(world);
      }),
    );
}

function alive({ spec, status }: StoredJobQueue): StoredJobQueue {
  return aJobQueue({ ...spec, workers: spec.workers ?? null }, { status });
}
