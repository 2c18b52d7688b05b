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
  };
}

/** A namespace with a Postgres of its own and a JobStore `default` on it; gone after `destroy`. */
export class Playground {
  readonly kubectl: Kubectl;
  readonly access: ClusterAccess;
  readonly #password: string;
  #forward: PortForward | undefined;
  #database: Database | undefined;

  private constructor(access: ClusterAccess, kubectl: Kubectl, password: string) {
    this.access = access;
    this.kubectl = kubectl;
    this.#password = password;
  }

  /** Makes the namespace, waits for its Postgres, and applies the Secret and the JobStore. */
  static async create(access: ClusterAccess, prefix: string): Promise<Playground> {
    const namespace = `${prefix}-${randomBytes(3).toString("hex")}`;
    const kubectl = kubectlFor(access, namespace);
    await kubectl.run("create", "namespace", namespace);
    const ground = new Playground(access, kubectl, randomBytes(12).toString("hex"));
    await kubectl.apply(postgresManifests(access, ground.#password));
    await kubectl.run("rollout", "status", "statefulset/demo-postgres", "--timeout=120s");
    await kubectl.apply(storeManifests("default", ground.clusterUrl));
    await kubectl.run("create", "configmap", "handlers", `--from-literal=handlers.yaml=${HANDLERS}`);
    return ground;
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
    this.#database = new Database({ connection, applicationName: "e2e" });
    return this.#database;
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

  #workers({ annotations, ...workers }: NonNullable<QueueManifest["workers"]>): object {
    return {
      ...workers,
      template: {
        ...(annotations === undefined ? {} : { metadata: { annotations } }),
        spec: {
          volumes: [{ name: "handlers", configMap: { name: "handlers" } }],
          containers: [
            {
              name: "worker",
              image: this.access.images.demoWorker,
              args: ["worker", "--handlers", "/handlers/handlers.yaml"],
              volumeMounts: [{ name: "handlers", mountPath: "/handlers" }],
            },
          ],
        },
      },
    };
  }

  /** Enqueues jobs of kind `nap`; returns their ids. */
  async naps(queue: string, count: number, seconds: number): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => ({ queue, kind: "nap", payload: { seconds } }));
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
    );
  }

  /** Removes the namespace with everything in it. */
  async destroy(): Promise<void> {
    await this.disconnect();
    await this.kubectl.run("delete", "namespace", this.kubectl.namespace, "--wait=false");
  }
}

/** Postgres for a namespace, with the Secret of its password. */
export function postgresManifests(access: ClusterAccess, password: string): string {
  const manifest = readFileSync(join(REPOSITORY, "images/demo-postgres/postgres.yaml"), "utf8");
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "demo-postgres" }, stringData: { password } };
  return `${JSON.stringify(secret)}\n---\n${manifest.replace(/image: demo-postgres$/m, `image: ${access.images.demoPostgres}`)}`;
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
