/** Composition root: the only file that knows all others. Makes the parts, starts them in order, stops them in reverse. */
import { LABEL_POOL } from "@jobqueue/crds";
import { shareMetrics } from "@jobqueue/store";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Config } from "./config.ts";
import { BY_POOL } from "./controllers/job-queue/observe.ts";
import { SeenPods } from "./controllers/job-queue/seen-pods.ts";
import { trimPod } from "./controllers/job-queue/pods.ts";
import { JOB_QUEUE_INDEXES, wokenByPod } from "./controllers/job-queue/wake.ts";
import type { MonitorTimes } from "./controllers/job-store/monitor.ts";
import { DEPLOYMENTS, DISRUPTION_BUDGETS, JOB_QUEUES, JOB_STORES, NAMESPACES, PODS } from "./controllers/kinds.ts";
import type { Namespace, Pod } from "./controllers/kubernetes-objects.ts";
import { HttpServer } from "./http/server.ts";
import {
  EventRecorder,
  Informer,
  KubeClient,
  kubeMetrics,
  LeaderElector,
  loadAccess,
  Transport,
  type Change,
  type InformerOptions,
  type KubeObject,
  type LeaderElectorOptions,
  type ReflectorTimes,
  type RequestObservation,
  type Stored,
  type Term,
} from "./kube/index.ts";
import { Leadership, type Informers } from "./leadership.ts";
import { OPERATOR_METRICS, showKnown } from "./metrics.ts";
import {
  BaseService,
  exposition,
  registerMetrics,
  RUNTIME_METRICS,
  systemClock,
  type Log,
  type Service,
} from "./runtime/index.ts";

/** Name of the Lease; the chart's RBAC names it too. */
const LEASE_NAME = "jobqueue-operator";

/** How an operator is made. */
export interface OperatorOptions {
  readonly config: Config;
  readonly log: Log;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the times of the Lease that client-go uses. */
  readonly leaseTimes?: Pick<LeaderElectorOptions, "leaseDurationMs" | "renewDeadlineMs" | "retryPeriodMs">;
  /** Default: see `controllers/job-store/monitor.ts`. */
  readonly monitorTimes?: Partial<MonitorTimes>;
  /** Default: see `kube/reflector.ts`. */
  readonly reflectorTimes?: Partial<ReflectorTimes>;
  /** Told of every exchange with the API server; for tests that count writes. */
  readonly onRequest?: (observation: RequestObservation) => void;
}

/**
 * The whole operator as one service. `start` resolves when it serves HTTP and works on its caches and its candidacy; it does
 * not wait for the API server or for a database. `stop` finishes what is under way (20 s at most), gives the Lease back and
 * closes everything.
 */
export class Operator extends BaseService {
  readonly #options: OperatorOptions;
  readonly #parts: Service[] = [];
  #transport: Transport | undefined;
  #http: HttpServer | undefined;
  #leadership: Leadership | undefined;
  #endTelemetry: (() => Promise<void>) | undefined;

  constructor(options: OperatorOptions) {
    super("operator");
    this.#options = options;
  }

  /** Port of /livez, /readyz and /metrics. */
  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  /** Whether this process acts now. */
  get leads(): boolean {
    return this.#leadership !== undefined;
  }

  protected override async onStart(): Promise<void> {
    const { config, env, log } = this.#options;
    const clock = systemClock;
    const registry = new Registry();
    const edge = { clock, log, metrics: kubeMetrics(registry) };
    const runtimeMetrics = registerMetrics(registry, RUNTIME_METRICS);
    const metrics = registerMetrics(registry, OPERATOR_METRICS);
    collectDefaultMetrics({ register: registry });

    const access = await loadAccess({
      ...(env && { env }),
      ...(config.kubeconfig !== undefined && { kubeconfig: config.kubeconfig }),
    });
    log.info({ access: access.source, namespaces: config.watchNamespaces, identity: config.identity }, "starting");
    this.#transport = new Transport({
      access,
      clock,
      metrics: edge.metrics,
      userAgent: "jobqueue-operator",
      ...(this.#options.onRequest && { onRequest: this.#options.onRequest }),
    });
    const client = new KubeClient(this.#transport);
    const seenPods = new SeenPods();
    const informers = this.#informers(client, edge, seenPods);
    showKnown(metrics, () => ({
      monitors: this.#leadership?.monitors,
      jobQueues: informers.jobQueues.cache,
      jobStores: informers.jobStores.cache,
      now: clock.wall(),
    }));
    this.#http = new HttpServer({
      port: config.httpPort,
      waitingFor: () => [
        ...Object.values(informers)
          .filter(({ hasSynced }) => !hasSynced)
          .map(({ name, trouble }) => (trouble === undefined ? name : `${name} (${trouble})`)),
        ...(this.stopping.aborted ? ["the process to end"] : []),
      ],
      metrics: () => ({ pieces: exposition(registry), contentType: registry.contentType }),
    });
    // A store that this one watches no more is not down.
    this.#endTelemetry = shareMetrics(registry, { notZero: [OPERATOR_METRICS.storeUp.name] });
    const events = new EventRecorder({
      client,
      controller: "jobqueue.dev/operator",
      instance: config.identity,
      ...edge,
    });

    const lead = async (term: Term): Promise<void> => {
      // What a standby, or a leader that was cut off, remembers may be old: a term begins with what is there now (K1, K5).
      if (!(await allCaughtUp(informers, term.ending))) return;
      const leadership = new Leadership({
        term,
        identity: config.identity,
        client: new KubeClient(client.transport, { retries: 0 }), // a key that is throttled backs off, its worker does not wait
        informers,
        seenPods,
        events,
        runtimeMetrics,
        ...edge,
        metrics,
        ...this.#monitorTimes(),
      });
      log.info({ identity: config.identity, term: term.fence }, "the controllers begin");
      this.#leadership = leadership;
      try {
        await leadership.start();
        await aborted(term.ending);
      } finally {
        this.#leadership = undefined;
        await leadership.stop();
        log.info(
          { identity: config.identity, term: term.fence, lost: term.lost.aborted },
          "the controllers have ended",
        );
      }
    };
    const candidate = config.leaderElection
      ? new LeaderElector({
          client,
          namespace: config.namespace,
          leaseName: LEASE_NAME,
          identity: config.identity,
          lead,
          ...edge,
          ...this.#options.leaseTimes,
        })
      : new Alone(lead);
    for (const part of [this.#http, ...Object.values(informers), events, candidate]) {
      this.#parts.push(part);
      await part.start();
    }
  }

  protected override async onStop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop();
    await this.#endTelemetry?.();
    await this.#transport?.close();
  }

  #monitorTimes(): { readonly monitorTimes?: Partial<MonitorTimes> } {
    return this.#options.monitorTimes ? { monitorTimes: this.#options.monitorTimes } : {};
  }

  #informers(
    client: KubeClient,
    edge: Pick<InformerOptions<KubeObject>, "clock" | "log" | "metrics">,
    seenPods: SeenPods,
  ): Informers {
    const { config, reflectorTimes: times } = this.#options;
    const common = { client, ...edge, namespaces: config.watchNamespaces, ...(times && { times }) };
    const ours = { ...common, labelSelector: LABEL_POOL }; // a cache of all pods of a cluster would be hundreds of MiB
    const onPod = (change: Change<Pod>): void => {
      for (const pool of wokenByPod(change.object)) seenPods.add(pool, change.object.metadata.uid);
      this.#leadership?.podChanged(change);
    };
    const everywhere = this.#options.config.watchNamespaces.length === 0;
    return {
      ...(everywhere && {
        namespaces: new Informer({
          client,
          ...edge,
          resource: NAMESPACES,
          namespaces: [],
          trim: labelsOnly,
          onChange: (change) => this.#leadership?.namespaceChanged(change),
        }),
      }),
      jobStores: new Informer({
        ...common,
        resource: JOB_STORES,
        onChange: (change) => this.#leadership?.jobStoreChanged(change),
      }),
      jobQueues: new Informer({
        ...common,
        resource: JOB_QUEUES,
        indexes: JOB_QUEUE_INDEXES,
        onChange: (change) => this.#leadership?.jobQueueChanged(change),
      }),
      deployments: new Informer({
        ...ours,
        resource: DEPLOYMENTS,
        onChange: (change) => this.#leadership?.deploymentChanged(change),
      }),
      disruptionBudgets: new Informer({
        ...ours,
        resource: DISRUPTION_BUDGETS,
        onChange: (change) => this.#leadership?.disruptionBudgetChanged(change),
      }),
      pods: new Informer({
        ...ours,
        resource: PODS,
        indexes: { [BY_POOL]: (pod) => [...wokenByPod(pod)] },
        trim: trimPod,
        onChange: onPod,
      }),
    };
  }
}

/** Leads from start to stop without asking anybody. */
class Alone extends BaseService {
  readonly #lead: (term: Term) => Promise<void>;

  constructor(lead: (term: Term) => Promise<void>) {
    super("leader without election");
    this.#lead = lead;
  }

  protected override onStart(): void {
    const never = new AbortController().signal;
    const { stopping } = this;
    this.run(() => this.#lead({ fence: 1, transitions: 0, lost: never, ending: stopping, isCurrent: () => true }));
  }
}

/** Of a namespace only its labels are read. */
function labelsOnly({ apiVersion, kind, metadata }: Stored<Namespace>): Stored<Namespace> {
  const { name, uid, resourceVersion, creationTimestamp, labels = {} } = metadata;
  return { apiVersion, kind, metadata: { name, uid, resourceVersion, creationTimestamp, labels } };
}

async function allCaughtUp(informers: Informers, ending: AbortSignal): Promise<boolean> {
  const caughtUp = Promise.all(Object.values(informers).map((informer) => informer.catchUp()));
  return Promise.race([caughtUp.then((all) => all.every(Boolean)), aborted(ending).then(() => false)]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
