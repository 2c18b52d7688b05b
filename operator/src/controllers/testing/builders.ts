/** Objects for tests, in words: `aJobQueue({ state: "Paused" })`, `observed({ store: aReadyStore() })`. */
import {
  API_VERSION,
  type JobQueueAutoscaling,
  type JobQueueSpec,
  type JobQueueWorkers,
  type JobStoreSpec,
} from "@jobqueue/crds";
import type { StoredDeployment, StoredJobQueue, StoredJobStore } from "../kubernetes-objects.ts";
import { desiredDeployment } from "../job-queue/desired/deployment.ts";
import { ScaleMemory, scaleOf } from "../job-queue/scale/scale.ts";
import type { DeploymentObserved, Observed, PodObserved, StoreObserved } from "../job-queue/observed.ts";
import type {
  HoldSeen,
  PolicySeen,
  QueueSeen,
  RestartSeen,
  SettingsSeen,
  StoreSnapshot,
  WorkerProgress,
  WorkerSeen,
} from "../job-store/store-view.ts";
import type { CanarySeen } from "../job-store/canary.ts";
import { specActor } from "../spec-hold.ts";

/** The time in tests: milliseconds since the epoch. */
export const NOW = Date.parse("2026-08-01T12:00:00Z");

/** A pool of one container. */
export function someWorkers(more: Partial<JobQueueWorkers> = {}): JobQueueWorkers {
  return {
    slots: 10,
    drainTimeoutSeconds: 30,
    minReadySeconds: 0,
    progressDeadlineSeconds: 600,
    strategy: { type: "RollingUpdate", maxSurge: "25%", maxUnavailable: 0 },
    health: someHealth(),
    template: { spec: { containers: [{ name: "worker", image: "registry.example/mailer:1" }] } },
    ...more,
  };
}

/** `spec.workers.autoscaling` as the API server fills it in. */
export function someAutoscaling(more: Partial<JobQueueAutoscaling> = {}): JobQueueAutoscaling {
  return {
    minReplicas: 1,
    maxReplicas: 20,
    jobsPerWorker: 10,
    scaleUp: { stabilizationSeconds: 0, maxPerStep: "100%" },
    scaleDown: { stabilizationSeconds: 300, maxPerStep: "25%", cooldownToZeroSeconds: 600 },
    ...more,
  };
}

/** `spec.workers.health` as the API server fills it in. */
function someHealth(): JobQueueWorkers["health"] {
  return {
    mode: "Restart",
    heartbeatTimeoutSeconds: 90,
    loopStallSeconds: 30,
    startupGraceSeconds: 120,
    maxUnhealthy: "50%",
    maxConcurrentRestarts: 1,
    minSecondsBetweenRestarts: 30,
    stormCooldownSeconds: 600,
    evictionTimeoutSeconds: 300,
  };
}

/** The JobQueue shop/mailers as the API server stores it; `null` as `workers` leaves them out. */
export function aJobQueue(
  spec: Partial<Omit<JobQueueSpec, "workers">> & { readonly workers?: JobQueueWorkers | null } = {},
  rest: {
    readonly metadata?: Partial<StoredJobQueue["metadata"]>;
    readonly status?: StoredJobQueue["status"] | undefined;
  } = {},
): StoredJobQueue {
  const { workers, ...others } = spec;
  return {
    apiVersion: API_VERSION,
    kind: "JobQueue",
    metadata: {
      name: "mailers",
      namespace: "shop",
      uid: "11111111-aaaa-4aaa-8aaa-000000000001",
      resourceVersion: "100",
      generation: 1,
      creationTimestamp: "2026-08-01T10:00:00Z",
      ...rest.metadata,
    },
    spec: {
      storeRef: { name: "default" },
      state: "Active",
      deletionPolicy: "Retain",
      replicas: 1,
      ...(workers === null ? {} : { workers: workers ?? someWorkers() }),
      ...others,
    },
    ...(rest.status && { status: rest.status }),
  };
}

/** The JobStore shop/default. */
export function aJobStore(
  spec: Partial<JobStoreSpec> = {},
  rest: { readonly metadata?: Partial<StoredJobStore["metadata"]>; readonly status?: StoredJobStore["status"] } = {},
): StoredJobStore {
  return {
    apiVersion: API_VERSION,
    kind: "JobStore",
    metadata: {
      name: "default",
      namespace: "shop",
      uid: "1f9a2b3c-bbbb-4bbb-8bbb-000000000002",
      resourceVersion: "90",
      generation: 1,
      creationTimestamp: "2026-08-01T09:00:00Z",
      ...rest.metadata,
    },
    spec: {
      connection: { uriSecretRef: { name: "shop-db", key: "uri" }, tls: { mode: "VerifyFull" } },
      schema: "jobqueue",
      migrations: "Auto",
      state: "Active",
      poolSize: 4,
      pollIntervalSeconds: 5,
      statementTimeoutSeconds: 5,
      allowedNamespaces: { from: "Same" },
      staleLockRecovery: { mode: "Recover", graceSeconds: 0, intervalSeconds: 10, limit: 1_000 },
      ...spec,
    },
    ...(rest.status && { status: rest.status }),
  };
}

/** Counts of a queue; an idle one unless told otherwise. */
export function counts(some: Partial<QueueSeen> = {}): QueueSeen {
  return { pending: 0, scheduled: 0, running: 0, dead: 0, stale: 0, ...some };
}

/** A hold on mailers; ana's unless told otherwise. */
export function aHold(some: Partial<HoldSeen> = {}): HoldSeen {
  return {
    queue: "mailers",
    name: "incident-42",
    source: "cli",
    actor: "ana",
    reason: "SMTP is down",
    since: "2026-08-01T11:00:00Z",
    ...some,
  };
}

/** The hold `spec` as the operator sets it for shop/mailers. */
export function theSpecHold(some: Partial<HoldSeen> = {}): HoldSeen {
  return aHold({
    name: "spec",
    source: "spec",
    actor: specActor("shop/mailers", aJobStore()),
    reason: "spec.state is Paused",
    ...some,
  });
}

/** A live worker of the pool shop/mailers, in pod `pod-1`. */
export function aWorker(some: Partial<WorkerSeen> = {}): WorkerSeen {
  return {
    id: "7",
    pool: "shop/mailers",
    podUid: "pod-1",
    pod: "mailers-workers-1",
    namespace: "shop",
    queues: ["mailers"],
    drained: false,
    draining: false,
    running: 0,
    alive: true,
    leaseMs: 30_000,
    silentMs: 2_000,
    progress: someProgress({ heartbeatAt: NOW - (some.silentMs ?? 2_000) }),
    ...some,
  };
}

/** What a worker says that has been well for an hour. */
export function someProgress(some: Partial<WorkerProgress> = {}): WorkerProgress {
  return {
    state: "active",
    heartbeatAt: NOW - 2_000,
    startedAt: NOW - 3_600_000,
    renewing: true,
    loopAgeMs: 3,
    lastClaimAgeMs: 500,
    lastFinishAgeMs: 700,
    slots: 10,
    slotsBusy: 3,
    slotsStuck: 0,
    ...some,
  };
}

/** A restart of pod `pod-9` that was done a day ago. */
export function aRestart(some: Partial<RestartSeen> = {}): RestartSeen {
  const openedAt = some.openedAt ?? NOW - 86_400_000;
  const isOpen = some.isOpen ?? false;
  return {
    id: "1",
    pool: "shop/mailers",
    templateHash: "abc",
    pod: "mailers-workers-9",
    podUid: "pod-9",
    workerId: "3",
    reason: "HeartbeatLapsed",
    asked: false,
    state: isOpen ? "open" : "closed",
    isOpen,
    workerIsBack: false,
    evidence: { hung: true, finished: true },
    openedAt,
    ...(isOpen ? {} : { closedAt: openedAt + 30_000 }),
    outcome: isOpen ? null : "gone",
    ...some,
  };
}

/** The pod of {@link aWorker}: it runs, and nothing is wrong with it. */
export function aPod(some: Partial<PodObserved> = {}): PodObserved {
  return {
    uid: "pod-1",
    name: "mailers-workers-a",
    over: false,
    leaving: false,
    node: "node-1",
    ready: true,
    running: true,
    templateHash: "abc",
    createdAt: NOW - 3_600_000,
    ...some,
  };
}

/** A worker that a person started, in no pod and for no pool. */
export function aWorkerByHand(): WorkerSeen {
  return {
    id: "9",
    queues: ["mailers"],
    drained: false,
    draining: false,
    running: 0,
    alive: true,
    leaseMs: 30_000,
    silentMs: 2_000,
    progress: someProgress(),
  };
}

/** One look at a store that has nothing in it. */
export function aSnapshot(some: Partial<StoreSnapshot> = {}): StoreSnapshot {
  return {
    at: NOW,
    clockAheadMs: 0,
    canary: steadyCanary(),
    queues: new Map(),
    holds: [],
    workers: [],
    policies: new Map(),
    schedules: [],
    settings: someSettings(),
    restarts: [],
    pools: new Map(),
    oldSnapshots: [],
    vacuumTroubles: [],
    ...some,
  };
}

/** A store that has been writable for an hour. */
export function steadyCanary(some: Partial<CanarySeen> = {}): CanarySeen {
  return { at: NOW, since: NOW - 3_600_000, outages: [], ...some };
}

/** The settings of a store that nobody changed. */
export function someSettings(some: Partial<SettingsSeen> = {}): SettingsSeen {
  return {
    completedSeconds: 604_800,
    cancelledSeconds: 604_800,
    deadSeconds: 2_592_000,
    auditSeconds: 31_536_000,
    recovery: "recover",
    recoveryGraceSeconds: 0,
    ...some,
  };
}

/** The policy of a queue that nobody said anything about. */
export function aPolicy(some: Partial<PolicySeen> = {}): PolicySeen {
  return {
    maxAttempts: null,
    timeoutSeconds: null,
    resultTtlSeconds: null,
    retry: null,
    onWorkerLoss: "retry",
    maxRecoveries: 3,
    maxRunning: null,
    maxRunningPerKey: null,
    fair: false,
    rate: null,
    ...some,
  };
}

/** A store that answers and knows the queue. */
export function aReadyStore(
  some: Partial<Omit<Extract<StoreObserved, { is: "ready" }>, "is">> = {},
): Extract<StoreObserved, { is: "ready" }> {
  return {
    is: "ready",
    jobStore: aJobStore(),
    at: NOW,
    clockAheadMs: 0,
    counts: counts(),
    holds: [],
    served: [{ held: (some.holds ?? []).length > 0, counts: some.counts ?? counts() }],
    workers: [],
    policy: aPolicy(),
    schedules: [],
    canary: steadyCanary(),
    fleet: { workers: 1, lapsed: 0, beating: new Set(["7"]) },
    restarts: [],
    toldLoopStallMs: undefined,
    ...some,
  };
}

/** A store that does not answer. */
export function aDownStore(): StoreObserved {
  const view = { is: "down", reason: "ConnectFailed", sentence: "No connection to Postgres (ECONNREFUSED)." } as const;
  return { is: "unusable", jobStore: aJobStore(), view };
}

/** The Deployment of a JobQueue as it was applied, rolled out unless told otherwise. */
export function itsDeployment(
  queue: StoredJobQueue,
  some: { readonly metadata?: object; readonly spec?: object; readonly status?: object } = {},
): Extract<DeploymentObserved, { is: "ours" }> {
  const desired = desiredDeployment(queue, aJobStore());
  const { replicas } = desired.spec;
  const rolledOut = {
    observedGeneration: 4,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
  const object = {
    ...desired,
    metadata: {
      ...desired.metadata,
      uid: "22222222-cccc-4ccc-8ccc-000000000003",
      resourceVersion: "110",
      generation: 4,
      creationTimestamp: "2026-08-01T10:00:01Z",
      ...some.metadata,
    },
    spec: { ...desired.spec, ...some.spec },
    status: some.status ?? rolledOut,
  } as unknown as StoredDeployment;
  return { is: "ours", object, appliedGeneration: undefined };
}

/** An observation in which nothing is left to do, unless told otherwise. */
export function observed(some: Partial<Observed> = {}): Observed {
  const queue = "queue" in some ? some.queue : aJobQueue();
  const store = some.store ?? aReadyStore();
  const deployment = some.deployment ?? (queue?.spec.workers ? itsDeployment(queue) : { is: "absent" });
  return scaled(
    {
      queue,
      rivals: [],
      servedBy: [],
      store,
      deployment,
      disruptionBudget: { is: "absent" },
      scale: undefined,
      desired: undefined,
      template: { is: "accepted" },
      pods: [],
      watchesCurrent: true,
      stormAt: undefined,
      podsSeenBefore: new Set(),
      invalidSchedule: undefined,
      countsWrittenAt: undefined,
      ...some,
    },
    some,
  );
}

/** The same with what follows from it: the size of the pool and its Deployment, unless `given` has them. */
export function scaled(
  world: Observed,
  given: Partial<Observed> = {},
  memory: ScaleMemory = new ScaleMemory(),
  now: number = NOW,
): Observed {
  const { queue, store } = world;
  if (!queue?.spec.workers || store.is === "absent" || store.is === "notAllowed") return { ...world, ...given };
  const scale = scaleOf(queue, world, memory, now);
  const desired = desiredDeployment(queue, store.jobStore, scale.step.replicas);
  return { ...world, scale, desired, ...given };
}
