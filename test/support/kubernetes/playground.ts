import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Database, enqueueMany, migrate, parseStoreUrl } from "@jobqueue/store";
import { eventually } from "../eventually.ts";
import { type ClusterAccess, kubectlFor, REPOSITORY } from "./installation.ts";
import type { Kubectl, PortForward, Resource } from "./kubectl.ts";

/** Handlers of the end-to-end tests: a job that takes a given time, in a language that is not JavaScript. */
const HANDLERS = `
handlers:
  nap:
    command:
      - python3
      - -c
      - |
        import json, sys, time
        seconds = json.load(sys.stdin)["seconds"]
        time.sleep(seconds)
        print(json.dumps({"slept": seconds}))
`;

/** Handlers in TypeScript, some of which make a worker hang. */
const FAULTY_HANDLERS = readFileSync(join(import.meta.dirname, "faulty-handlers.ts"), "utf8");

/** What {@link Playground.queue} makes a manifest of. */
export interface QueueManifest {
  readonly name: string;
  readonly store?: string;
  readonly state?: "Active" | "Paused";
  readonly pauseReason?: string;
  readonly replicas?: number;
  /** Leave out for a queue without workers. */
  readonly workers?: {
    readonly slots?: number;
    readonly drainTimeoutSeconds?: number;
    readonly alsoServes?: readonly string[];
    /** Annotations of the pod template: changing one is a rolling update. */
    readonly annotations?: Record<string, string>;
    /** Arguments after `worker --handlers …`, such as `--lease 10`. */
    readonly args?: readonly string[];
    /** Another image than that of the demo's workers. */
    readonly image?: string;
    /** More of the pods' spec: nodeSelector, tolerations, affinity … */
    readonly pod?: object;
    /** spec.workers.health, autoscaling and disruptionBudget, as in a manifest. */
    readonly health?: object;
    readonly autoscaling?: object;
    readonly disruptionBudget?: object;
  };
}

/** Where the Postgres of a playground runs, when that matters. */
interface PlaygroundOptions {
  /** Its node; else whichever the scheduler takes. */
  readonly postgresNode?: string;
}

/** A namespace with a Postgres of its own and a JobStore `default` on it; gone after `destroy`. */
export class Playground {
  readonly kubectl: Kubectl;
  readonly access: ClusterAccess;
  #password: string;
  #forward: PortForward | undefined;
  #database: Database | undefined;

  private constructor(access: ClusterAccess, kubectl: Kubectl, password: string) {
    this.access = access;
    this.kubectl = kubectl;
    this.#password = password;
  }

  /** Makes the namespace, waits for its Postgres, and applies the Secret and the JobStore. */
  static async create(access: ClusterAccess, prefix: string, options: PlaygroundOptions = {}): Promise<Playground> {
    const namespace = `${prefix}-${randomBytes(3).toString("hex")}`;
    const kubectl = kubectlFor(access, namespace);
    await kubectl.run("create", "namespace", namespace);
    const ground = new Playground(access, kubectl, randomBytes(12).toString("hex"));
    try {
      await ground.#fill(options);
    } catch (error) {
      await ground.destroy();
      throw error;
    }
    return ground;
  }

  async #fill({ postgresNode }: PlaygroundOptions): Promise<void> {
    const { kubectl } = this;
    await kubectl.apply(postgresManifests(this.access, this.#password, postgresNode));
    await kubectl.run("rollout", "status", "statefulset/demo-postgres", "--timeout=300s");
    await kubectl.apply(storeManifests("default", this.clusterUrl));
    const files = { "handlers.yaml": HANDLERS, "faulty.ts": FAULTY_HANDLERS };
    const literals = Object.entries(files).map(([name, text]) => `--from-literal=${name}=${text}`);
    await kubectl.run("create", "configmap", "handlers", ...literals);
  }

  /** Connection URL of the Postgres of this namespace as seen from a host and port. */
  url(host: string, port: number): string {
    return `postgres://postgres:${this.#password}@${host}:${port}/postgres`;
  }

  /** The same as pods see it; the operator runs in another namespace, so the name says which one. */
  get clusterUrl(): string {
    return this.url(`demo-postgres.${this.kubectl.namespace}.svc`, 5432);
  }

  /** A connection to the store from here, through a port-forward; opened anew after Postgres was restarted. */
  async store(): Promise<Database> {
    if (this.#database !== undefined) return this.#database;
    this.#forward = await this.kubectl.portForward("pod/demo-postgres-0", 5432);
    const connection = parseStoreUrl(this.url("127.0.0.1", this.#forward.port), { mode: "Disabled" });
    this.#database = new Database({ connection, applicationName: "e2e", connectTimeoutMs: 30_000 });
    return this.#database;
  }

  /**
   * Gives the user of Postgres another password, ends every connection, and writes the new one into the Secret of the
   * JobStore `default`, all at once: whoever is not told by its Secret is locked out.
   */
  async rotatePassword(): Promise<void> {
    const store = await this.store();
    this.#password = randomBytes(12).toString("hex");
    await store.query(`alter role postgres password '${this.#password}'`);
    await this.disconnect();
    await (
      await this.store()
    ).query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
    );
    await this.kubectl.apply(storeManifests("default", this.clusterUrl));
  }

  /** Restarts of workers that the operator has begun, the oldest first. */
  async restarts(): Promise<{ readonly pod: string; readonly reason: string; readonly state: string }[]> {
    return (await this.store()).query("select pod, reason, state from jobqueue.v_restarts order by id");
  }

  /** Closes the connection to the store, so that the next use makes a new one. */
  async disconnect(): Promise<void> {
    await this.#database?.close();
    this.#database = undefined;
    await this.#forward?.stop();
    this.#forward = undefined;
  }

  /** Waits until the operator has migrated the store, or migrates it from here. */
  async migrated(): Promise<Database> {
    const database = await this.store();
    await migrate(database);
    return database;
  }

  /** Applies a JobQueue. */
  async queue(manifest: QueueManifest): Promise<void> {
    await this.kubectl.apply(JSON.stringify(this.manifest(manifest)));
  }

  /** The JobQueue that {@link queue} applies. */
  manifest({ name, store, workers, ...spec }: QueueManifest): object {
    return {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobQueue",
      metadata: { name },
      spec: {
        ...spec,
        ...(store === undefined ? {} : { storeRef: { name: store } }),
        ...(workers === undefined ? {} : { workers: this.#workers(workers) }),
      },
    };
  }

  #workers({ annotations, args = [], image, pod, ...workers }: NonNullable<QueueManifest["workers"]>): object {
    return {
      ...workers,
      template: {
        ...(annotations === undefined ? {} : { metadata: { annotations } }),
        spec: {
          ...pod,
          volumes: [{ name: "handlers", configMap: { name: "handlers" } }],
          containers: [
            {
              name: "worker",
              image: image ?? this.access.images.demoWorker,
              args: ["worker", "--handlers", "/handlers/handlers.yaml,/handlers/faulty.ts", ...args],
              volumeMounts: [{ name: "handlers", mountPath: "/handlers" }],
            },
          ],
        },
      },
    };
  }

  /** Enqueues jobs of kind `nap`; returns their ids. */
  async naps(queue: string, count: number, seconds: number): Promise<string[]> {
    return this.jobs(queue, "nap", { seconds }, count);
  }

  /** Enqueues jobs of any kind; returns their ids. */
  async jobs(queue: string, kind: string, payload: object, count = 1): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => ({ queue, kind, payload }));
    return (await enqueueMany(await this.store(), jobs)).map(({ id }) => id);
  }

  /** Waits for a condition of an object to have a status and, when given, a reason; returns the object. */
  async condition(kind: string, name: string, type: string, status: string, reason?: string): Promise<Resource> {
    return eventually(
      `${kind} ${name} to be ${type}=${status}${reason === undefined ? "" : `/${reason}`}`,
      async () => {
        const object = await this.kubectl.get(kind, name);
        const conditions = (object?.status?.conditions ?? []) as { type: string; status: string; reason: string }[];
        const found = conditions.find((condition) => condition.type === type);
        return found?.status === status && (reason === undefined || found.reason === reason) ? object : undefined;
      },
      { timeoutMs: 180_000, everyMs: 300 },
    );
  }

  /** Removes the namespace with everything in it. */
  async destroy(): Promise<void> {
    await this.disconnect();
    await this.kubectl.run("delete", "namespace", this.kubectl.namespace, "--wait=false");
  }
}

/** Postgres for a namespace, with the Secret of its password; on a certain node, if one is given. */
export function postgresManifests(access: ClusterAccess, password: string, node?: string): string {
  const manifest = readFileSync(join(REPOSITORY, "images/demo-postgres/postgres.yaml"), "utf8");
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "demo-postgres" }, stringData: { password } };
  const withImage = manifest.replace(/image: demo-postgres$/m, `image: ${access.images.demoPostgres}`);
  const selector = `      nodeSelector: { kubernetes.io/hostname: ${node} }\n      containers:\n`;
  const placed = node === undefined ? withImage : withImage.replace(/^ {6}containers:\n/m, selector);
  return `${JSON.stringify(secret)}\n---\n${placed}`;
}

/** A JobStore with the Secret that it names. The Postgres of a playground speaks no TLS. */
export function storeManifests(name: string, uri: string): string {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: `${name}-uri` }, stringData: { uri } };
  const store = {
    apiVersion: "jobqueue.dev/v1alpha1",
    kind: "JobStore",
    metadata: { name },
    spec: { connection: { uriSecretRef: { name: `${name}-uri`, key: "uri" }, tls: { mode: "Disabled" } } },
  };
  return `${JSON.stringify(secret)}\n---\n${JSON.stringify(store)}`;
}
