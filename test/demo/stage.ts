import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Database, parseStoreUrl } from "@jobqueue/store";
import { run } from "../cluster/command.ts";
import { eventually } from "../support/eventually.ts";
import {
  ADMIN_SERVER,
  type ClusterAccess,
  installOperator,
  kubectlFor,
  OPERATOR_NAMESPACE,
  REPOSITORY,
} from "../support/kubernetes/installation.ts";
import type { Kubectl, PortForward } from "../support/kubernetes/kubectl.ts";
import { postgresManifests } from "../support/kubernetes/playground.ts";
import { prepareCluster } from "../support/kubernetes/prepare.ts";
import { DEMO_NAMESPACE } from "./names.ts";
import type { Story } from "./story.ts";

/** The queues of the quickstart, in the order in which the pool of `high` serves them. */
export const QUEUES = ["high", "default", "low"] as const;

/** Secret with the address of the store, as the quickstart names it. */
const STORE_SECRET = "jobqueue-store";

/** Where the demo plays: a cluster, a namespace in it, a connection to its store, and the tag of this run's jobs. */
export class Stage {
  readonly access: ClusterAccess;
  readonly kubectl: Kubectl;
  /** Tag of every job of this run, so that a second run counts its own. */
  readonly run = `demo-${randomBytes(3).toString("hex")}`;
  #url: string | undefined;
  #forward: PortForward | undefined;
  #database: Database | undefined;

  private constructor(access: ClusterAccess) {
    this.access = access;
    this.kubectl = kubectlFor(access, DEMO_NAMESPACE);
  }

  /** Starts or reuses the cluster, and builds and loads the images. */
  static async prepare(story: Story): Promise<Stage> {
    const access = await prepareCluster();
    story.say(`kubeconfig: ${access.kubeconfig}`);
    return new Stage(access);
  }

  /** The namespace, Postgres in it, and the operator by helm. Keeps what an earlier run made. */
  async install(story: Story): Promise<void> {
    if ((await this.kubectl.get("namespace", DEMO_NAMESPACE)) === undefined) {
      await this.kubectl.run("create", "namespace", DEMO_NAMESPACE);
    }
    const secret = await this.kubectl.get("secret", "demo-postgres");
    const data = (secret as { data?: { password?: string } } | undefined)?.data;
    const password =
      data?.password === undefined ? randomBytes(12).toString("hex") : Buffer.from(data.password, "base64").toString();
    await this.kubectl.apply(postgresManifests(this.access, password));
    this.#url = `postgres://postgres:${password}@demo-postgres.${DEMO_NAMESPACE}.svc:5432/postgres`;
    await this.#applyStoreSecret(story);
    story.command(
      `helm install jobqueue-operator charts/jobqueue-operator -n ${OPERATOR_NAMESPACE} --create-namespace \\
      --set admin.enabled=true,admin.namespace=${DEMO_NAMESPACE} \\
      --set admin.store.connection.uriSecretRef.name=${STORE_SECRET},admin.store.connection.tls.mode=Disabled`,
    );
    const connection = { uriSecretRef: { name: STORE_SECRET }, tls: { mode: "Disabled" } };
    await Promise.all([
      installOperator(this.access, { admin: { enabled: true, namespace: DEMO_NAMESPACE, store: { connection } } }),
      this.kubectl.run("rollout", "status", "statefulset/demo-postgres", "--timeout=180s"),
    ]);
    story.say(await kubectlFor(this.access, OPERATOR_NAMESPACE).run("get", "pods"));
    story.say(await this.kubectl.run("get", "pods"));
  }

  /** The Secret of the store's address: the JobStore names it, and the admin server mounts it. */
  async #applyStoreSecret(story: Story): Promise<void> {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: STORE_SECRET },
      stringData: { uri: this.url },
    };
    await this.kubectl.apply(JSON.stringify(secret));
    story.command(
      `kubectl -n ${DEMO_NAMESPACE} create secret generic ${STORE_SECRET} --from-literal=uri=postgres://…@demo-postgres.${DEMO_NAMESPACE}.svc:5432/postgres`,
    );
  }

  /** Address of the store inside the cluster. */
  get url(): string {
    if (this.#url === undefined) throw new Error("install comes first");
    return this.#url;
  }

  /** The quickstart's manifests, with the name of the image that was built. */
  async applyQuickstart(story: Story): Promise<void> {
    story.command("kubectl apply -f crds/examples/quickstart/");
    story.say(await this.applyExample("quickstart/1-store.yaml"));
    story.say(await this.applyExample("quickstart/2-queues.yaml"));
    await this.kubectl.run(
      "wait",
      "--for=condition=Ready",
      "jobstore/default",
      "jobqueue/high",
      "jobqueue/default",
      "jobqueue/low",
      "--timeout=120s",
    );
    await this.kubectl.run(
      "wait",
      "--for=condition=WorkersAvailable",
      "jobqueue/high",
      "jobqueue/low",
      "--timeout=180s",
    );
  }

  /** Applies an example of the repository; returns what kubectl said. */
  async applyExample(name: string): Promise<string> {
    const text = readFileSync(join(REPOSITORY, "crds/examples", name), "utf8");
    return this.kubectl.apply(text.replaceAll("jobqueue-demo-worker:dev", this.access.images.demoWorker));
  }

  /** Prints the queues as `kubectl get jobqueues` shows them. */
  async show(story: Story, when: string): Promise<void> {
    story.command(`kubectl get jobqueues   # ${when}`);
    story.say(await this.kubectl.run("get", "jobqueues"));
  }

  /** A connection to the store from here, through a port-forward. */
  async store(): Promise<Database> {
    if (this.#database !== undefined) return this.#database;
    this.#forward = await this.kubectl.portForward("pod/demo-postgres-0", 5432);
    const connection = parseStoreUrl(this.localUrl(this.#forward.port), { mode: "Disabled" });
    this.#database = new Database({ connection, applicationName: "demo" });
    return this.#database;
  }

  /** Address of the store through a port-forward to a local port. */
  localUrl(port: number): string {
    return this.url.replace(`@demo-postgres.${DEMO_NAMESPACE}.svc:5432`, `@127.0.0.1:${port}`);
  }

  /** Runs the `jobqueue` command against the store, as a person would. */
  async jobqueue(story: Story, ...args: string[]): Promise<string> {
    await this.store();
    const port = this.#forward?.port ?? 0;
    story.command(`npx jobqueue ${args.map((arg) => (/[{*]/.test(arg) ? `'${arg}'` : arg)).join(" ")}`);
    const environment = { DATABASE_URL: `${this.localUrl(port)}?sslmode=disable` };
    return run(process.execPath, [join(REPOSITORY, "cli/src/main.ts"), ...args], { env: environment });
  }

  /** Waits for something in the store. */
  async until<T>(what: string, look: (store: Database) => Promise<T | undefined>, timeoutMs = 120_000): Promise<T> {
    const store = await this.store();
    return eventually(what, async () => look(store), { timeoutMs });
  }

  async nextSteps(story: Story): Promise<void> {
    for (const line of [
      "export KUBECONFIG=$PWD/.cluster/kubeconfig PATH=$PWD/.cluster/bin:$PATH",
      `kubectl -n ${DEMO_NAMESPACE} get jobqueues -o wide`,
      `kubectl -n ${DEMO_NAMESPACE} describe jobqueue high`,
      "kubectl explain jobqueue.spec",
      `kubectl -n ${DEMO_NAMESPACE} scale jobqueue high --replicas=4`,
      `kubectl -n ${DEMO_NAMESPACE} apply -f crds/examples/paused.yaml`,
      `npx jobqueue status -n ${DEMO_NAMESPACE}`,
      `npx jobqueue pause '*' --reason "lunch" --for 5m -n ${DEMO_NAMESPACE}`,
      `kubectl -n ${OPERATOR_NAMESPACE} logs deployment/jobqueue-operator`,
      ...this.#dashboard(),
      "make demo-down   # removes everything",
    ]) {
      story.command(line);
    }
  }

  /** How a person opens the dashboard: nothing of the demo stays on this machine to do it for them. */
  #dashboard(): readonly string[] {
    return [
      `kubectl -n ${DEMO_NAMESPACE} create token on-call --duration=8h   # "Sign in" asks for it; that of viewer may only look`,
      `kubectl -n ${DEMO_NAMESPACE} port-forward service/${ADMIN_SERVER} 8090   # the dashboard is at http://127.0.0.1:8090`,
    ];
  }

  /** Closes connections; the cluster stays. */
  async leave(): Promise<void> {
    await this.#database?.close();
    await this.#forward?.stop();
  }
}
