/**
 * Everything that exists only while this process leads: connections to stores, queues of keys, controllers. It is made anew
 * for each term, so nothing that one term knew can be acted on in another. Caches, and the memory of which pods were
 * seen, belong to the process and stay warm on a replica that waits.
 */
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { NamespaceLabels } from "./controllers/allowed-namespaces.ts";
import { conditionOf } from "./controllers/conditions.ts";
import { createObserve } from "./controllers/job-queue/observe.ts";
import { reconcileJobQueues } from "./controllers/job-queue/reconcile.ts";
import { Storms } from "./controllers/job-queue/health/storms.ts";
import { ScaleMemory } from "./controllers/job-queue/scale/scale.ts";
import type { SeenPods } from "./controllers/job-queue/seen-pods.ts";
import {
  BY_SLOT,
  slotOf,
  wokenByChild,
  wokenByJobQueue,
  wokenByNamespace,
  wokenByPod,
  wokenByStore,
  type FindQueues,
} from "./controllers/job-queue/wake.ts";
import type { StoreChange } from "./controllers/job-store/changes.ts";
import { secretReader } from "./controllers/job-store/credentials.ts";
import type { MonitorTimes } from "./controllers/job-store/monitor.ts";
import { Monitors } from "./controllers/job-store/monitors.ts";
import { createObserveStore } from "./controllers/job-store/observe.ts";
import { reconcileJobStores } from "./controllers/job-store/reconcile.ts";
import { poolOf, queueNameOf, storeKeyOf } from "./controllers/job-queue/desired/names.ts";
import type { Deployment, DisruptionBudget, Namespace, Pod } from "./controllers/kubernetes-objects.ts";
import { keyOf, type Change, type EventRecorder, type Informer, type KubeClient, type Term } from "./kube/index.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { createApply } from "./plan/apply.ts";
import { WrittenObjects } from "./plan/written-objects.ts";
import {
  BaseService,
  Controller,
  TokenBucket,
  WorkQueue,
  type Clock,
  type Log,
  type Priority,
  type RuntimeMetrics,
} from "./runtime/index.ts";

/**
 * Keys worked on at once. They wait mostly for the API server and their store. Those of one store that have written to it wait
 * for the same look at it: the more of them, the fewer looks there are (bench B10).
 */
const WORKERS = { jobQueues: 32, jobStores: 8 } as const;

/** What the first look at a store may take, milliseconds: some connections and a dozen queries. */
const FIRST_LOOK_MS = 3_000;

/** Failures are mostly somebody else's outage: from a fifth of a second, never longer than a minute. */
const BACKOFF = { baseMs: 200, maxMs: 60_000 } as const;

/**
 * A watch that brought nothing, not even a bookmark, for so long tells nothing of how pods are: bookmarks come about every
 * minute.
 */
const WATCH_CURRENT_MS = 150_000;

/** The caches of the process. */
export interface Informers {
  readonly jobStores: Informer<JobStore>;
  readonly jobQueues: Informer<JobQueue>;
  readonly deployments: Informer<Deployment>;
  readonly disruptionBudgets: Informer<DisruptionBudget>;
  readonly pods: Informer<Pod>;
  /** Absent in an operator that works in some namespaces only: it has no right to read them. */
  readonly namespaces?: Informer<Namespace>;
}

/** What leading needs. */
export interface LeadershipOptions {
  readonly term: Pick<Term, "lost" | "isCurrent">;
  /** Who this process is, for people. */
  readonly identity: string;
  readonly client: KubeClient;
  readonly informers: Informers;
  readonly seenPods: SeenPods;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly runtimeMetrics: RuntimeMetrics;
  readonly metrics: OperatorMetrics;
  readonly monitorTimes?: Partial<MonitorTimes>;
}

/** See the head of this file. */
export class Leadership extends BaseService {
  readonly monitors: Monitors;
  readonly #informers: Informers;
  readonly #written: {
    readonly deployments: WrittenObjects<Deployment>;
    readonly disruptionBudgets: WrittenObjects<DisruptionBudget>;
    readonly jobQueues: WrittenObjects<JobQueue>;
    readonly jobStores: WrittenObjects<JobStore>;
  };
  readonly #storms = new Storms();
  readonly #countsWritten = new Map<string, number>();
  readonly #storeCountsWritten = new Map<string, number>();
  readonly #queueKeys: WorkQueue;
  readonly #storeKeys: WorkQueue;
  readonly #controllers: readonly Controller[];
  readonly #find: FindQueues;

  constructor(options: LeadershipOptions) {
    super("leadership");
    const { client, clock, informers, log, metrics, seenPods, term } = options;
    this.#informers = informers;
    this.#find = (index, value) => informers.jobQueues.cache.byIndex(index, value);
    this.#written = {
      deployments: new WrittenObjects(clock),
      disruptionBudgets: new WrittenObjects(clock),
      jobQueues: new WrittenObjects(clock),
      jobStores: new WrittenObjects(clock),
    };
    this.monitors = new Monitors({
      readSecret: secretReader(client),
      leader: { holder: options.identity, mayAct: () => term.isCurrent() },
      onChange: (key, change) => {
        this.#storeChanged(key, change);
      },
      onLook: (_key, seconds, succeeded) => {
        metrics.storeLookSeconds.observe({ result: succeeded ? "success" : "failure" }, seconds);
      },
      onFired: (_key, { fired, skipped }) => {
        metrics.scheduleTicks.inc({ outcome: "fired" }, fired);
        metrics.scheduleTicks.inc({ outcome: "skipped" }, skipped);
      },
      clock,
      log,
      ...(options.monitorTimes && { times: options.monitorTimes }),
    });
    const apply = createApply({
      client,
      monitors: this.monitors,
      events: options.events,
      written: this.#written,
      countWrites: new TokenBucket({ clock, perSecond: 20, burst: 20 }),
      mayAct: () => term.isCurrent(),
      onStatusWrite: (kind, result) => metrics.statusWrites.inc({ kind, result }),
      onRestarted: (reason) => {
        metrics.restarts.inc({ reason });
      },
      onRecovered: (jobs, reason) => metrics.recovered.inc({ reason }, jobs),
    });
    const sources = {
      client,
      jobQueues: informers.jobQueues.cache,
      jobStores: informers.jobStores.cache,
      labelsOfNamespace: (name: string): NamespaceLabels =>
        informers.namespaces ? informers.namespaces.cache.get(name)?.metadata.labels : "unknown",
      deployments: informers.deployments.cache,
      disruptionBudgets: informers.disruptionBudgets.cache,
      pods: informers.pods.cache,
      podsListed: () => informers.pods.hasSynced,
      monitors: this.monitors,
      written: this.#written,
      seenPods,
      storms: this.#storms,
      watchesCurrent: () => Object.values(informers).every((informer) => informer.isCurrent(WATCH_CURRENT_MS)),
      scaleMemory: new ScaleMemory(),
      countsWrittenAt: (key: string) => this.#countsWritten.get(key),
      storeCountsWrittenAt: (key: string) => this.#storeCountsWritten.get(key),
      clock,
    };
    const common = { clock, metrics: options.runtimeMetrics };
    this.#queueKeys = new WorkQueue({ name: "jobqueue", backoff: BACKOFF, ...common });
    this.#storeKeys = new WorkQueue({ name: "jobstore", backoff: BACKOFF, ...common });
    const onCountsWritten = (key: string, at: number): void => {
      this.#countsWritten.set(key, at);
    };
    this.#controllers = [
      new Controller({
        name: "jobqueue",
        queue: this.#queueKeys,
        reconcile: reconcileJobQueues({ observe: createObserve(sources), apply, onCountsWritten, clock, log }),
        workers: WORKERS.jobQueues,
        abort: term.lost,
        log,
        ...common,
      }),
      new Controller({
        name: "jobstore",
        queue: this.#storeKeys,
        reconcile: reconcileJobStores({
          observe: createObserveStore(sources),
          apply,
          onCountsWritten: (key, at) => {
            this.#storeCountsWritten.set(key, at);
          },
          clock,
          log,
        }),
        workers: WORKERS.jobStores,
        abort: term.lost,
        log,
        ...common,
      }),
    ];
  }

  /** A JobQueue changed. */
  jobQueueChanged(change: Change<JobQueue>): void {
    const { object } = change;
    const previous = change.type === "updated" ? change.previous : undefined;
    if (change.type === "deleted") {
      const key = keyOf(object.metadata);
      this.#countsWritten.delete(key);
      this.#storms.forget(key);
      this.#written.jobQueues.forget(key);
    }
    this.#wakeQueues(wokenByJobQueue(object, previous, this.#find), priorityOf(change));
    // The JobStore counts its queues and releases the holds they leave behind.
    if (change.type !== "updated") this.#storeKeys.add(storeKeyOf(object), priorityOf(change));
  }

  /** A JobStore changed. */
  jobStoreChanged(change: Change<JobStore>): void {
    const key = keyOf(change.object.metadata);
    if (change.type === "deleted") {
      this.#written.jobStores.forget(key);
      this.#storeCountsWritten.delete(key);
    }
    this.#storeKeys.add(key, priorityOf(change));
    const statusOnly =
      change.type === "updated" &&
      change.previous.metadata.generation === change.object.metadata.generation &&
      readinessOf(change.previous) === readinessOf(change.object);
    if (!statusOnly) this.#wakeQueues(wokenByStore(key, EVERYTHING, this.#find), priorityOf(change));
  }

  /** A namespace changed: its labels decide which JobStores its JobQueues may use. */
  namespaceChanged({ object: { metadata } }: Change<Namespace>): void {
    const woken = wokenByNamespace(metadata.name, this.#find);
    this.#wakeQueues(woken, "normal");
    for (const key of woken) {
      const queue = this.#informers.jobQueues.cache.get(key);
      if (!queue) continue;
      this.#storeKeys.add(storeKeyOf(queue)); // it counts those that it lets in
      this.#wakeQueues(this.#find(BY_SLOT, slotOf(storeKeyOf(queue), queueNameOf(queue))).map(poolOf), "normal");
    }
  }

  /** A Deployment with our labels changed. */
  deploymentChanged(change: Change<Deployment>): void {
    if (change.type === "deleted") this.#written.deployments.forget(keyOf(change.object.metadata));
    this.#wakeQueues(wokenByChild(change.object), priorityOf(change));
  }

  /** A PodDisruptionBudget with our labels changed. */
  disruptionBudgetChanged(change: Change<DisruptionBudget>): void {
    if (change.type === "deleted") this.#written.disruptionBudgets.forget(keyOf(change.object.metadata));
    this.#wakeQueues(wokenByChild(change.object), priorityOf(change));
  }

  /** A pod with our labels changed. */
  podChanged(change: Change<Pod>): void {
    this.#wakeQueues(wokenByPod(change.object), priorityOf(change));
  }

  protected override async onStart(): Promise<void> {
    // Stores first: the first look at one wakes its queues. Before that there is nothing to do for them but to say so, which
    // would be a pass and a write for each of them; so it is said only where that look takes long, or never comes.
    for (const key of this.#informers.jobStores.cache.keys()) this.#storeKeys.add(key);
    for (const key of this.#informers.jobQueues.cache.keys()) this.#queueKeys.addAfter(key, FIRST_LOOK_MS, "low");
    for (const controller of this.#controllers) await controller.start();
  }

  protected override async onStop(): Promise<void> {
    await Promise.all(this.#controllers.map((controller) => controller.stop()));
    await this.monitors.stop();
  }

  #storeChanged(key: string, change: StoreChange): void {
    if (change.store) this.#storeKeys.add(key);
    this.#wakeQueues(wokenByStore(key, change, this.#find), "normal");
  }

  #wakeQueues(keys: Iterable<string>, priority: Priority): void {
    for (const key of keys) this.#queueKeys.add(key, priority);
  }
}

const EVERYTHING: StoreChange = { store: true, all: true, queues: new Set(), pools: new Set() };

const readinessOf = (store: JobStore): string | undefined => conditionOf(store.status?.conditions, "Ready")?.reason;

/** A first list tells of everything; what changes now must not wait behind it. */
function priorityOf(change: { readonly type: string; readonly initial?: boolean }): Priority {
  return change.type === "added" && change.initial === true ? "low" : "normal";
}
