import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { connectOnce, type KubeClient } from "@jobqueue/operator/kube";
import { BaseService, type Log, registerMetrics } from "@jobqueue/operator/runtime";
import {
  activeJobs,
  Database,
  endedPerMinute,
  jobCounts,
  type QueueStats,
  queueStats,
  SCHEMA_VERSION,
  schemaVersion,
  shareMetrics,
} from "@jobqueue/store";
import { Authenticator } from "./auth/authenticator.ts";
import { KubernetesAuth } from "./auth/kubernetes.ts";
import { rewriteUrl } from "./contracts/rewrite.ts";
import { type Config, isLoopback } from "./config.ts";
import { DepthHistory } from "./depth-history.ts";
import { EndedHistory } from "./ended-history.ts";
import { createHttp } from "./http.ts";
import { LiveQueues } from "./live/live-queues.ts";
import { ADMIN_METRICS } from "./metrics.ts";
import { measureQueues, type QueuesSeen } from "./queue-metrics.ts";
import { openApiDocument } from "./openapi/document.ts";
import { Reveals } from "./reveals.ts";
import type { Api } from "./route.ts";
import { readQueues } from "./routes/queues.ts";
import { SERIES_MINUTES } from "./routes/series.ts";
import { readWorkers } from "./routes/workers.ts";
import { ROUTES } from "./routes.ts";
import { Snapshot } from "./snapshot.ts";
import { VERSION } from "./version.ts";

/** How long whoever asks for counts waits for those of this moment. */
const PATIENCE_MS = 250;
/** How long the store may count all jobs, for everybody at once and in the background. */
const COUNT_TIMEOUT_MS = 60_000;
/** How long the store may read its history for charts. */
const ENDED_TIMEOUT_MS = 20_000;

/** What an admin server is made of. */
export interface AdminServerOptions {
  readonly config: Config;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
}

/** The admin server: HTTP over one store. See README.md. */
export class AdminServer extends BaseService {
  readonly #options: AdminServerOptions;
  readonly #registry = new Registry();
  #http: FastifyInstance | undefined;
  #endTelemetry: (() => Promise<void>) | undefined;
  #database: Database | undefined;
  #live: LiveQueues | undefined;
  #depths: DepthHistory | undefined;
  #slow: readonly { settle(): Promise<void> }[] = [];
  #kube: KubeClient | undefined;

  constructor(options: AdminServerOptions) {
    super("admin server");
    this.#options = options;
  }

  /** Where it listens: `http://127.0.0.1:8090`. */
  get url(): string {
    const address = (this.#http?.server.address() ?? undefined) as AddressInfo | undefined;
    if (address === undefined) throw new Error("the admin server does not listen");
    return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
  }

  protected override async onStart(): Promise<void> {
    const { config, log } = this.#options;
    const database = this.#openStore();
    const metrics = registerMetrics(this.#registry, ADMIN_METRICS);
    const now = (): Date => new Date();
    // The slow questions are asked with a time of their own: one at a time, whatever the callers' patience.
    const slowly = <T>(ask: (session: Parameters<typeof jobCounts>[0]) => Promise<T>) =>
      new Snapshot({
        load: async () => database.transaction(ask, { timeoutMs: COUNT_TIMEOUT_MS }),
        now,
        patienceMs: PATIENCE_MS,
      });
    const snapshots = { queueStats: slowly(queueStats), jobCounts: slowly(jobCounts) };
    const ended = new EndedHistory({
      load: async () =>
        database.transaction(async (session) => endedPerMinute(session, SERIES_MINUTES), {
          timeoutMs: ENDED_TIMEOUT_MS,
        }),
      now,
      patienceMs: PATIENCE_MS,
      log,
    });
    this.#slow = [...Object.values(snapshots), ended];
    // So that in a large store the first who asks need not wait for the first count.
    for (const snapshot of Object.values(snapshots)) snapshot.read().catch(() => {});
    const live = new LiveQueues({
      database,
      log,
      view: async () => ({
        queues: await readQueues({ database, ...snapshots }),
        workers: { workers: await readWorkers({ database }) },
      }),
    });
    this.#live = live;
    await live.start();
    const depths = new DepthHistory({ read: async () => snapshots.queueStats.read(), log });
    this.#depths = depths;
    await depths.start();
    const measureNow = async (): Promise<void> => {
      metrics.streams.set(live.streams);
      measureQueues(metrics, await queuesSeen(database, snapshots.queueStats));
    };
    this.#endTelemetry = shareMetrics(this.#registry, { measure: measureNow });
    const api: Api = {
      database,
      ...snapshots,
      ended,
      depths,
      live,
      reveals: new Reveals(database, () => performance.now()),
      document: JSON.stringify(openApiDocument(ROUTES, VERSION)),
      waitingFor: async () => waitingFor(database),
      metrics: async () => {
        await measureNow();
        return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
      },
    };
    const authenticator = await this.#authenticator(database);
    const local = isLoopback(config.host);
    const http = createHttp({ routes: ROUTES, api, authenticator, metrics, log, local, rewrite: rewriteUrl });
    this.#http = http;
    await http.listen({ host: config.host, port: config.port });
    log.info({ url: this.url, auth: config.auth, anonymous: config.anonymous }, "the admin server listens");
  }

  protected override async onStop(): Promise<void> {
    await this.#endTelemetry?.();
    await this.#live?.stop();
    await this.#depths?.stop();
    await this.#http?.close();
    await Promise.all(this.#slow.map(async (reading) => reading.settle()));
    await this.#database?.close();
    await this.#kube?.transport.close();
  }

  #openStore(): Database {
    const { config, log } = this.#options;
    this.#database = new Database({
      connection: config.connection,
      schema: config.schema,
      applicationName: "jobqueue-admin",
      poolSize: config.poolSize,
      statementTimeoutMs: config.statementTimeoutMs,
      onIdleError: (error) => {
        log.debug({ err: error }, "an idle connection to the store broke");
      },
    });
    return this.#database;
  }

  async #authenticator(database: Database): Promise<Authenticator> {
    const { config, env } = this.#options;
    const { auth, anonymous, kubeconfig, namespace, audience } = config;
    let kubernetes: KubernetesAuth | undefined;
    if (auth.includes("kubernetes")) {
      const { client } = await connectOnce({ env, kubeconfig, userAgent: "jobqueue-admin" });
      this.#kube = client;
      kubernetes = new KubernetesAuth({ client, namespace, audience, now: () => performance.now() });
    }
    return new Authenticator({
      keys: auth.includes("keys") ? database : undefined,
      kubernetes,
      anonymous,
      now: () => performance.now(),
    });
  }
}

/** How long a scrape waits for the store: who scrapes waits ten seconds for all of it. */
const SCRAPE_PATIENCE_MS = 5_000;

/** What a scrape tells of queues; undefined when the store does not answer, which is no reason not to answer the scrape. */
async function queuesSeen(database: Database, counts: Snapshot<QueueStats[]>): Promise<QueuesSeen> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, SCRAPE_PATIENCE_MS, undefined);
  });
  const looking = Promise.all([counts.read(), activeJobs(database)]).then(
    ([stats, active]) => ({ stats, active }),
    () => undefined,
  );
  try {
    return await Promise.race([looking, patience]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the server lacks to do its work, in words. */
async function waitingFor(database: Database): Promise<readonly string[]> {
  try {
    const installed = await schemaVersion(database);
    if (installed === undefined) return ["the store to be installed (jobqueue migrate)"];
    if (installed === SCHEMA_VERSION) return [];
    return [
      installed < SCHEMA_VERSION
        ? `the store to be upgraded from version ${installed} to ${SCHEMA_VERSION} (jobqueue migrate)`
        : `a newer admin server: the store has version ${installed}, this one knows ${SCHEMA_VERSION}`,
    ];
  } catch {
    return ["the store to answer"];
  }
}
