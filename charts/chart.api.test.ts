import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROLES, SCOPE_NAMES, SCOPES } from "@jobqueue/admin/scopes";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { runJobqueue, startJobqueue } from "../cli/src/testing/run-jobqueue.ts";
import { waitFor } from "../test/cluster/wait-for.ts";
import { mayDo } from "../test/support/api-server/access-review.ts";
import { ApiClient, ApiError, type KubeObject } from "../test/support/api-server/api-client.ts";
import { ApiServer } from "../test/support/api-server/api-server.ts";
import { createNamespace } from "../test/support/api-server/namespace.ts";
import { readKubeconfig } from "../test/support/api-server/kubeconfig.ts";
import { createServiceAccount, type PolicyRule } from "../test/support/api-server/service-account.ts";
import { freePort } from "../test/support/free-port.ts";
import { createTestDatabase } from "../test/support/postgres/database.ts";
import { CHART, helm } from "./testing/helm.ts";
import { actAs, kubeconfigOf, rightsIn } from "./testing/rights.ts";

const KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const JOB_QUEUES = "jobqueues.jobqueue.dev";
const JOB_STORES = "jobstores.jobqueue.dev";
/** The release under test, in a namespace that enforces the restricted Pod Security Standard. */
const SYSTEM = "jobqueue-system";
const PATIENCE = { timeoutMs: 60_000 };
const IMAGE = ["--set", "image.repository=example.org/jobqueue-operator", "--set", "image.tag=test"];

let server: ApiServer;
let admin: ApiClient;

const release = async (...args: string[]): Promise<string> =>
  helm([...args, "--namespace", SYSTEM], { kubeconfig: server.kubeconfig });

/** What a service account may do, without what every account may, such as asking about itself. */
const rightsOf = async (system: string, account: string, namespace: string): Promise<string[]> => {
  const nobody = await actAs(server.kubeconfig, system, "default");
  const everybodys = new Set(await rightsIn(nobody, namespace));
  const own = await rightsIn(await actAs(server.kubeconfig, system, account), namespace);
  return own.filter((right) => !everybodys.has(right));
};

/** Gives a service account a built-in role in its namespace. */
const bind = async (namespace: string, account: string, role: string): Promise<void> => {
  await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
    metadata: { name: account },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ kind: "ServiceAccount", namespace, name: account }],
  });
};

beforeAll(async () => {
  server = await ApiServer.create();
  admin = new ApiClient(server.kubeconfig);
  // The server comes with our kinds; here the chart has to bring them.
  for (const name of [JOB_QUEUES, JOB_STORES]) await admin.delete(`${KINDS}/${name}`);
  await waitFor(
    "the kinds to be gone",
    async () => (await admin.get<{ items: unknown[] }>(KINDS)).items.length === 0,
    PATIENCE,
  );
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await admin.create("/api/v1/namespaces", { metadata: { name: SYSTEM, labels } });
}, 180_000);

afterAll(async () => {
  await server.destroy();
});

it("jobqueue version --cluster, which helm test runs, fails before the kinds are there", async () => {
  const { code, stderr } = await runJobqueue(["version", "--cluster"], { env: { KUBECONFIG: server.kubeconfig } });
  expect(code).toBe(3);
  expect(stderr).toContain("the cluster does not serve JobQueue and JobStore of jobqueue.dev/v1alpha1");
});

describe("helm install with defaults", () => {
  let notes: string;

  beforeAll(async () => {
    notes = await release("install", "jobqueue-operator", CHART, ...IMAGE);
    await waitFor(
      "both kinds to be served",
      async () => {
        const list = await admin.find<{ resources: unknown[] }>("/apis/jobqueue.dev/v1alpha1");
        return (list?.resources.length ?? 0) >= 5;
      },
      PATIENCE,
    );
  }, 180_000);

  it("makes the kinds, which helm test then finds", async () => {
    expect((await runJobqueue(["version", "--cluster"], { env: { KUBECONFIG: server.kubeconfig } })).code).toBe(0);
  });

  it("makes two operator pods that the restricted Pod Security Standard admits", async () => {
    const pods = async (): Promise<KubeObject[]> =>
      (
        await admin.get<{ items: KubeObject[] }>(
          `/api/v1/namespaces/${SYSTEM}/pods?labelSelector=app.kubernetes.io/component=operator`,
        )
      ).items;
    await waitFor("two pods", async () => (await pods()).length === 2, PATIENCE);
    const [pod] = (await pods()) as unknown as {
      spec: { containers: { image: string; args: string[] }[]; serviceAccountName: string };
    }[];
    expect(pod?.spec.containers).toMatchObject([{ image: "example.org/jobqueue-operator:test", args: ["operator"] }]);
    expect(pod?.spec.serviceAccountName).toBe("jobqueue-operator");
  });

  it("says what to do next: wait, test, a Secret and a JobStore, a JobQueue", () => {
    expect(notes).toContain(`kubectl -n ${SYSTEM} rollout status deployment/jobqueue-operator`);
    expect(notes).toContain(`helm -n ${SYSTEM} test jobqueue-operator`);
    expect(notes).toContain("looks after all namespaces");
    expect(notes).toContain("kind: JobStore");
    expect(notes).toContain("`helm uninstall` leaves the kinds");
    expect(notes).not.toContain("WARNING");
  });

  it("gives manifests in its notes that the API server accepts", async () => {
    const namespace = await createNamespace(server.kubeconfig, "notes");
    const manifests = [...notes.matchAll(/<<'EOF'\n([^]*?)\n *EOF/g)].map((match) =>
      (match[1] ?? "").replaceAll(/^ {5}/gm, ""),
    );
    expect(manifests).toHaveLength(2);
    const { parse } = await import("yaml");
    for (const manifest of manifests) {
      const object = parse(manifest) as KubeObject;
      const plural = object.kind === "JobStore" ? "jobstores" : "jobqueues";
      await admin.create(
        `/apis/jobqueue.dev/v1alpha1/namespaces/${namespace}/${plural}?fieldValidation=Strict`,
        object,
      );
    }
  });
});

describe("the operator's account", () => {
  /** What it may do in a namespace that it looks after. Whoever adds a line explains it in the chart's _helpers.tpl. */
  const WORK = [
    "create apps/deployments",
    "create events.k8s.io/events",
    "create pods/eviction",
    "create policy/poddisruptionbudgets",
    "delete apps/deployments",
    "delete pods",
    "delete policy/poddisruptionbudgets",
    "get apps/deployments",
    "get jobqueue.dev/jobqueues",
    "get jobqueue.dev/jobstores",
    "get pods",
    "get policy/poddisruptionbudgets",
    "get secrets",
    "list apps/deployments",
    "list jobqueue.dev/jobqueues",
    "list jobqueue.dev/jobstores",
    "list pods",
    "list policy/poddisruptionbudgets",
    "patch apps/deployments",
    "patch events.k8s.io/events",
    "patch jobqueue.dev/jobqueues",
    "patch jobqueue.dev/jobqueues/status",
    "patch jobqueue.dev/jobstores/status",
    "patch pods",
    "patch policy/poddisruptionbudgets",
    "watch apps/deployments",
    "watch jobqueue.dev/jobqueues",
    "watch jobqueue.dev/jobstores",
    "watch pods",
    "watch policy/poddisruptionbudgets",
  ];
  /** What it may do besides where it looks after all namespaces: their labels may decide who may use a JobStore. */
  const EVERYWHERE = [...WORK, "list namespaces", "watch namespaces"];

  it("may do exactly this in every namespace", async () => {
    const namespace = await createNamespace(server.kubeconfig, "tenant");
    expect(await rightsOf(SYSTEM, "jobqueue-operator", namespace)).toEqual(EVERYWHERE.toSorted());
  });

  it("may also create, read and renew its one Lease in its own namespace, and no other Lease", async () => {
    const lease = [
      "create coordination.k8s.io/leases",
      "get coordination.k8s.io/leases named jobqueue-operator",
      "update coordination.k8s.io/leases named jobqueue-operator",
    ];
    expect(await rightsOf(SYSTEM, "jobqueue-operator", SYSTEM)).toEqual([...EVERYWHERE, ...lease].toSorted());
  });

  it.each([
    [{ verb: "list", resource: "secrets" }],
    [{ verb: "watch", resource: "secrets" }],
    [{ verb: "list", resource: "secrets", namespace: SYSTEM }],
    [{ verb: "create", resource: "pods" }],
    [{ verb: "create", resource: "pods", subresource: "exec" }],
    [{ verb: "create", resource: "serviceaccounts", subresource: "token" }],
    [{ verb: "impersonate", resource: "users" }],
    [{ verb: "create", group: "rbac.authorization.k8s.io", resource: "rolebindings" }],
    [{ verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles" }],
    [{ verb: "bind", group: "rbac.authorization.k8s.io", resource: "clusterroles" }],
    [{ verb: "update", group: "jobqueue.dev", resource: "jobqueues" }],
    [{ verb: "patch", group: "jobqueue.dev", resource: "jobstores" }],
    [{ verb: "update", group: "apiextensions.k8s.io", resource: "customresourcedefinitions" }],
    [{ verb: "update", group: "coordination.k8s.io", resource: "leases", namespace: SYSTEM, name: "another" }],
  ])("may not do %j", async (question) => {
    expect(await mayDo(admin, `system:serviceaccount:${SYSTEM}:jobqueue-operator`, question)).toBe(false);
  });

  it("with watchNamespaces may do exactly this there, and nothing anywhere else", async () => {
    const shop = await createNamespace(server.kubeconfig, "shop");
    const other = await createNamespace(server.kubeconfig, "other");
    const system = await createNamespace(server.kubeconfig, "scoped");
    const values = [
      "--set",
      "crds.enabled=false",
      "--set",
      "rbac.aggregate=false",
      "--set",
      `watchNamespaces={${shop}}`,
    ];
    const target = ["--namespace", system];
    const notes = await helm(["install", "scoped", CHART, ...target, ...IMAGE, ...values], {
      kubeconfig: server.kubeconfig,
    });
    expect(notes).toContain(`looks after namespace ${shop}.`);
    // helm does not wait until the API server goes by the roles it made.
    await expect.poll(async () => rightsOf(system, "scoped-jobqueue-operator", shop)).toEqual(WORK);
    expect(await rightsOf(system, "scoped-jobqueue-operator", other)).toEqual([]);
    const everywhere = { verb: "list", group: "jobqueue.dev", resource: "jobqueues" };
    expect(await mayDo(admin, `system:serviceaccount:${system}:scoped-jobqueue-operator`, everywhere)).toBe(false);
    await helm(["uninstall", "scoped", ...target], { kubeconfig: server.kubeconfig });
  });
});

describe("the admin server's account", () => {
  const TOKENS = "create authentication.k8s.io/tokenreviews";
  const RIGHTS = "create authorization.k8s.io/localsubjectaccessreviews";
  const ACCOUNT = "desk-jobqueue-operator-admin";
  /** The namespace of the JobStore, which is another than that of the release. */
  let shop: string;
  let system: string;
  let notes: string;
  const desk = async (...args: string[]): Promise<string> =>
    helm([...args, "--namespace", system], { kubeconfig: server.kubeconfig });
  /** A token of a new service account of the JobStore's namespace that has a built-in role there. */
  const personWith = async (role: string): Promise<string> => {
    const kubeconfig = await createServiceAccount(server.kubeconfig, { namespace: shop, name: role });
    await bind(shop, role, role);
    return readKubeconfig(kubeconfig).token ?? "";
  };

  beforeAll(async () => {
    shop = await createNamespace(server.kubeconfig, "shop");
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await admin.patch(`/api/v1/namespaces/${shop}`, { metadata: { labels } });
    system = await createNamespace(server.kubeconfig, "desk");
    const without = ["crds.enabled", "rbac.aggregate", "admissionPolicies.enabled"].map((value) => `${value}=false`);
    const values = ["admin.enabled=true", `admin.namespace=${shop}`, "replicas=0", ...without];
    const secret = ["admin.store.connection.uriSecretRef.name=db", "admin.store.connection.tls.mode=Disabled"];
    const set = [...values, ...secret].flatMap((value) => ["--set", value]);
    notes = await desk("install", "desk", CHART, ...IMAGE, ...set);
  }, 180_000);
  afterAll(async () => {
    await desk("uninstall", "desk");
  });

  it("may ask whose a token is, and in the namespace of its JobStore what they may do: no Secret, no object, no more", async () => {
    const other = await createNamespace(server.kubeconfig, "other");
    expect(await rightsOf(shop, ACCOUNT, shop)).toEqual([TOKENS, RIGHTS]);
    expect(await rightsOf(shop, ACCOUNT, other)).toEqual([TOKENS]);
    expect(await rightsOf(shop, ACCOUNT, system)).toEqual([TOKENS]);
  });

  it.each([
    [{ verb: "get", resource: "secrets" }],
    [{ verb: "list", resource: "secrets" }],
    [{ verb: "get", group: "jobqueue.dev", resource: "jobstores" }],
    [{ verb: "create", group: "authorization.k8s.io", resource: "subjectaccessreviews" }],
    [{ verb: "create", resource: "serviceaccounts", subresource: "token" }],
    [{ verb: "impersonate", resource: "users" }],
  ])("may not do %j", async (question) => {
    expect(await mayDo(admin, `system:serviceaccount:${shop}:${ACCOUNT}`, { ...question, namespace: shop })).toBe(
      false,
    );
  });

  it("has a pod that the restricted Pod Security Standard admits, beside the Secret of its store", async () => {
    const pods = `/api/v1/namespaces/${shop}/pods?labelSelector=app.kubernetes.io/component=admin`;
    const first = async () => (await admin.get<{ items: KubeObject[] }>(pods)).items[0];
    expect(await waitFor("a pod", first, PATIENCE)).toMatchObject({
      spec: { containers: [{ args: ["admin"] }], serviceAccountName: ACCOUNT },
    });
  });

  it("is enough: people with view look, people with edit act, and whoever may not is told what is missing", async () => {
    const database = await createTestDatabase(Object.values(inject("postgres"))[0] ?? "");
    const directory = await mkdtemp(join(tmpdir(), "jobqueue-desk-"));
    await writeFile(join(directory, "uri"), database.url);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const desktop = startJobqueue(["admin"], {
      KUBECONFIG: await kubeconfigOf(server.kubeconfig, shop, ACCOUNT),
      POD_NAMESPACE: shop,
      JOBQUEUE_STORE_DIRECTORY: directory,
      JOBQUEUE_TLS_MODE: "Disabled",
      JOBQUEUE_ADMIN_LISTEN: `127.0.0.1:${port}`,
      JOBQUEUE_ADMIN_AUTH: "kubernetes",
    });
    const ask = async (token: string, method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) };
      const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      return { status: answer.status, json: (await answer.json()) as { scopes?: string[]; error?: string } };
    };
    try {
      const ready = async (): Promise<boolean> => (await fetch(`${url}/livez`).catch(() => undefined))?.status === 200;
      await waitFor("the admin server to listen", ready, { ...PATIENCE, explain: desktop.output });
      const [view, edit] = [await personWith("view"), await personWith("edit")];
      const scopesOf = async (token: string) => (await ask(token, "GET", "/api/v1/whoami")).json.scopes?.toSorted();
      // The controller that adds our roles to the built-in ones may still be at it.
      await expect.poll(async () => scopesOf(view), { timeout: 60_000 }).toEqual([...ROLES.viewer].toSorted());
      await expect.poll(async () => scopesOf(edit), { timeout: 60_000 }).toEqual([...SCOPE_NAMES].toSorted());
      const pause = { reason: "lunch" };
      expect((await ask(view, "GET", "/api/v1/queues")).status).toBe(200);
      expect(await ask(view, "PUT", "/api/v1/queues/*/holds/lunch", pause)).toMatchObject({
        status: 403,
        json: { error: expect.stringContaining("the right to update jobqueues.jobqueue.dev/pause * in namespace") },
      });
      expect((await ask(edit, "PUT", "/api/v1/queues/*/holds/lunch", pause)).status).toBe(200);
      expect((await ask("forged", "GET", "/api/v1/queues")).status).toBe(401);
      expect(await desktop.stop()).toBe(0);
    } finally {
      await desktop.stop();
      await database.drop();
      await rm(directory, { recursive: true });
    }
  });

  it("is not needed by people: the notes say how they get in", () => {
    expect(notes).toContain(`kubectl -n ${shop} port-forward service/${ACCOUNT} 8090`);
    expect(notes).toContain(`kubectl -n ${shop} create token on-call --duration=8h`);
    expect(notes).toContain("rbac.aggregate=false: no built-in role opens it");
  });
});

describe("an operator with the rights of the chart", () => {
  it("has what it needs: store, hold, Deployment, status, events, Lease, and meets no refusal", async () => {
    const database = await createTestDatabase(Object.values(inject("postgres"))[0] ?? "", { migrated: false });
    const namespace = await createNamespace(server.kubeconfig, "works");
    const group = `/apis/jobqueue.dev/v1alpha1/namespaces/${namespace}`;
    const kubeconfig = await kubeconfigOf(server.kubeconfig, SYSTEM, "jobqueue-operator");
    const env = { JOBQUEUE_OPERATOR_NAMESPACE: SYSTEM, KUBECONFIG: kubeconfig, POD_NAME: "one", HTTP_PORT: "0" };
    const operator = startJobqueue(["operator"], env);
    try {
      await admin.create(`/api/v1/namespaces/${namespace}/secrets`, {
        metadata: { name: "db" },
        stringData: { uri: database.url },
      });
      const connection = { uriSecretRef: { name: "db", key: "uri" }, tls: { mode: "Disabled" } };
      const kind = { apiVersion: "jobqueue.dev/v1alpha1" };
      await admin.create(`${group}/jobstores`, {
        ...kind,
        kind: "JobStore",
        metadata: { name: "default" },
        spec: { connection },
      });
      const template = { spec: { containers: [{ name: "worker", image: "example.org/worker:1" }] } };
      await admin.create(`${group}/jobqueues`, {
        ...kind,
        kind: "JobQueue",
        metadata: { name: "mailers" },
        spec: { state: "Paused", workers: { template } },
      });
      interface Seen extends KubeObject {
        status?: { pausedBy?: string; workers?: { desired?: number } };
      }
      await waitFor(
        "the JobQueue to be paused, with a pool",
        async () => {
          const { status } = await admin.get<Seen>(`${group}/jobqueues/mailers`);
          return status?.pausedBy === "spec" && status.workers?.desired === 1;
        },
        { ...PATIENCE, explain: operator.output },
      );
      expect(await admin.find(`/apis/apps/v1/namespaces/${namespace}/deployments/mailers-workers`)).toBeDefined();
      expect(
        await admin.find(`/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/jobqueue-operator`),
      ).toBeDefined();
      // Events are sent after the status they tell of, and nothing waits for them.
      await waitFor(
        "an event of the JobQueue",
        async () => {
          const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
          const { items } = await admin.get<{ items: { regarding?: { kind?: string } }[] }>(events);
          return items.some(({ regarding }) => regarding?.kind === "JobQueue");
        },
        { ...PATIENCE, explain: operator.output },
      );
      // What a JobQueue no longer wants, the operator deletes.
      await admin.patch(`${group}/jobqueues/mailers`, { spec: { workers: null } });
      await waitFor(
        "the Deployment to be gone",
        async () =>
          (await admin.find(`/apis/apps/v1/namespaces/${namespace}/deployments/mailers-workers`)) === undefined,
        { ...PATIENCE, explain: operator.output },
      );
      expect(await operator.stop()).toBe(0);
      expect(operator.output()).not.toMatch(/forbidden/i);
    } finally {
      await operator.stop();
      await database.drop();
    }
  });
});

describe("people with the built-in roles", () => {
  const ours = (rights: readonly string[]): string[] => rights.filter((right) => right.includes("jobqueue.dev/"));

  it.each([
    ["view", ["get", "list", "watch"], [], []],
    ["edit", ["get", "list", "watch"], ["create", "delete", "deletecollection", "patch", "update"], []],
    [
      "admin",
      ["get", "list", "watch"],
      ["create", "delete", "deletecollection", "patch", "update"],
      ["create", "delete", "deletecollection", "patch", "update"],
    ],
  ])("%s", async (role, read, writeQueues, writeStores) => {
    const namespace = await createNamespace(server.kubeconfig, role);
    await createServiceAccount(server.kubeconfig, { namespace, name: "person" });
    await bind(namespace, "person", role);
    const person = await actAs(server.kubeconfig, namespace, "person");
    const on = (resource: string, verbs: string[]): string[] => verbs.map((verb) => `${verb} jobqueue.dev/${resource}`);
    // Of the rights that only the admin server asks about, view has those of a viewer, and edit all.
    const scopes = (role === "view" ? ROLES.viewer : SCOPE_NAMES)
      .map((scope) => SCOPES[scope])
      .filter(({ subresource }) => subresource !== "")
      .map(({ verb, subresource }) => `${verb} jobqueue.dev/jobqueues/${subresource}`);
    const writeScale = writeQueues.filter((verb) => ["patch", "update"].includes(verb));
    const expected = [
      ...on("jobqueues", [...read, ...writeQueues]),
      ...on("jobqueues/scale", [...read, ...writeScale]),
      ...on("jobqueues/status", read),
      ...on("jobstores", [...read, ...writeStores]),
      ...on("jobstores/status", read),
      ...scopes,
    ].toSorted();
    // The controller that adds these roles to the built-in ones may still be at it.
    await expect
      .poll(async () => ours(await rightsIn(person, namespace)), { timeout: PATIENCE.timeoutMs })
      .toEqual(expected);
  });
});

describe("the admission policies", () => {
  let namespace: string;
  const queues = (): string => `/apis/jobqueue.dev/v1alpha1/namespaces/${namespace}/jobqueues`;
  const stores = (): string => `/apis/jobqueue.dev/v1alpha1/namespaces/${namespace}/jobstores`;
  const WRITE: PolicyRule = {
    apiGroups: ["jobqueue.dev"],
    resources: ["jobqueues", "jobqueues/scale", "jobstores"],
    verbs: ["get", "create", "update", "patch"],
  };

  const user = async (name: string, ...more: PolicyRule[]): Promise<ApiClient> =>
    new ApiClient(await createServiceAccount(server.kubeconfig, { namespace, name, rules: [WRITE, ...more] }));
  const queue = (name: string, spec: object = {}) => ({
    apiVersion: "jobqueue.dev/v1alpha1",
    kind: "JobQueue",
    metadata: { name },
    spec,
  });
  const workers = (image: string) => ({ template: { spec: { containers: [{ name: "worker", image }] } } });
  const store = (name: string, connection: object) => ({
    apiVersion: "jobqueue.dev/v1alpha1",
    kind: "JobStore",
    metadata: { name },
    spec: { connection },
  });
  const uri = (name: string) => ({ uriSecretRef: { name, key: "uri" } });
  /** The message with which a request is refused. */
  const refused = async (request: Promise<unknown>): Promise<string> => {
    const error: unknown = await request.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof ApiError) || error.status !== 403) throw new Error("it was not refused", { cause: error });
    return error.message;
  };

  /** Ana may write our kinds and nothing else; Bob may also create Deployments; an autoscaler may scale things. */
  let ana: ApiClient;
  let bob: ApiClient;
  let scaler: ApiClient;

  beforeAll(async () => {
    namespace = await createNamespace(server.kubeconfig, "policies");
    ana = await user("ana");
    bob = await user("bob", { apiGroups: ["apps"], resources: ["deployments"], verbs: ["create"] });
    scaler = await user("scaler", { apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["update"] });
    // A policy is in force a moment after it was made.
    const tries = (): Promise<unknown> =>
      ana.create(`${queues()}?dryRun=All`, queue("probe", { workers: workers("a") }));
    const isRefused = async (): Promise<boolean> =>
      (await tries().catch((error: unknown) => error)) instanceof ApiError;
    await waitFor("the policies to be in force", isRefused, PATIENCE);
    await bob.create(queues(), queue("pool", { workers: workers("a"), replicas: 2 }));
  }, 180_000);

  it("let everybody who may write JobQueues make one without workers, and pause any", async () => {
    await ana.create(queues(), queue("plain"));
    await ana.patch(`${queues()}/plain`, { spec: { state: "Paused", pauseReason: "lunch" } });
    await ana.patch(`${queues()}/pool`, { spec: { state: "Paused", pauseReason: "lunch" } });
    await ana.patch(`${queues()}/plain`, { spec: { replicas: 4 } });
    const seen = await ana.patch(`${queues()}/pool`, { metadata: { labels: { seen: "yes" } } });
    expect(seen).toMatchObject({ spec: { state: "Paused" }, metadata: { labels: { seen: "yes" } } });
  });

  it("refuse workers, new or changed, from a user who may not create Deployments", async () => {
    const message = await refused(ana.create(queues(), queue("mine", { workers: workers("a") })));
    expect(message).toContain(
      `creating or changing spec.workers of a JobQueue runs pods: it needs the right to create deployments in namespace ${namespace}, which system:serviceaccount:${namespace}:ana does not have`,
    );
    expect(await refused(ana.patch(`${queues()}/plain`, { spec: { workers: workers("a") } }))).toContain("runs pods");
    expect(await refused(ana.patch(`${queues()}/pool`, { spec: { workers: workers("evil") } }))).toContain("runs pods");
    expect(await refused(scaler.patch(`${queues()}/pool`, { spec: { workers: workers("evil") } }))).toContain(
      "runs pods",
    );
    await bob.patch(`${queues()}/pool`, { spec: { workers: workers("b") } });
  });

  it("refuse another number of workers from a user who may neither create nor scale Deployments, in either way", async () => {
    const message = await refused(ana.patch(`${queues()}/pool/scale`, { spec: { replicas: 5 } }));
    expect(message).toContain("it needs the right to update deployments/scale");
    expect(await refused(ana.patch(`${queues()}/pool`, { spec: { replicas: 5 } }))).toContain("deployments/scale");
  });

  it("let an autoscaler scale, which may scale Deployments and not create them", async () => {
    await scaler.patch(`${queues()}/pool/scale`, { spec: { replicas: 5 } });
    await scaler.patch(`${queues()}/pool`, { spec: { replicas: 6 } });
    await bob.patch(`${queues()}/pool/scale`, { spec: { replicas: 7 } });
    expect(await bob.get(`${queues()}/pool`)).toMatchObject({ spec: { replicas: 7 } });
  });

  it("let the built-in autoscaler of Kubernetes scale: it may update the scale of everything", async () => {
    const scale = { verb: "update", group: "apps", resource: "deployments", subresource: "scale", namespace };
    expect(await mayDo(admin, "system:serviceaccount:kube-system:horizontal-pod-autoscaler", scale)).toBe(true);
  });

  it("refuse a JobStore that names a Secret which its author may not read, credentials and CA alike", async () => {
    const carol = await user("carol", {
      apiGroups: [""],
      resources: ["secrets"],
      resourceNames: ["hers"],
      verbs: ["get"],
    });
    expect(await refused(ana.create(stores(), store("theft", uri("hers"))))).toContain(
      `it needs the right to get secret hers in namespace ${namespace}, which system:serviceaccount:${namespace}:ana does not have`,
    );
    await carol.create(stores(), store("hers", uri("hers")));
    expect(await refused(carol.patch(`${stores()}/hers`, { spec: { connection: uri("his") } }))).toContain(
      "get secret his",
    );
    const withCa = { ...uri("his"), tls: { caSecretRef: { name: "ca", key: "ca.crt" } } };
    expect(await refused(carol.create(stores(), store("both", withCa)))).toContain("get secret his in namespace");
    const stolenCa = { ...uri("hers"), tls: { caSecretRef: { name: "ca", key: "ca.crt" } } };
    expect(await refused(carol.patch(`${stores()}/hers`, { spec: { connection: stolenCa } }))).toContain(
      "get secret ca in namespace",
    );
    // What is not about Secrets is not asked about.
    await ana.patch(`${stores()}/hers`, { metadata: { labels: { seen: "yes" } } });
  });
});

describe("helm upgrade and uninstall", () => {
  it("leave kinds, JobQueues and JobStores alone, also through a second installation", async () => {
    const namespace = await createNamespace(server.kubeconfig, "kept");
    const path = `/apis/jobqueue.dev/v1alpha1/namespaces/${namespace}/jobqueues`;
    await admin.create(path, {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobQueue",
      metadata: { name: "kept" },
      spec: {},
    });
    const uid = (await admin.get(`${path}/kept`)).metadata.uid;
    const deployment = `/apis/apps/v1/namespaces/${SYSTEM}/deployments/jobqueue-operator`;

    await release("upgrade", "jobqueue-operator", CHART, ...IMAGE, "--set", "replicas=1");
    expect(await admin.get(deployment)).toMatchObject({ spec: { replicas: 1 } });
    expect((await admin.get(`${path}/kept`)).metadata.uid).toBe(uid);

    const said = await release("uninstall", "jobqueue-operator");
    expect(said).toContain("These resources were kept due to the resource policy");
    expect(await admin.find(deployment)).toBeUndefined();
    expect((await admin.get(`${path}/kept`)).metadata.uid).toBe(uid);
    for (const list of ["validatingadmissionpolicies", "validatingadmissionpolicybindings"]) {
      const { items } = await admin.get<{ items: KubeObject[] }>(`/apis/admissionregistration.k8s.io/v1/${list}`);
      expect(items.map((item) => item.metadata.name)).toEqual([]);
    }

    await release("install", "jobqueue-operator", CHART, ...IMAGE);
    expect((await admin.get(`${path}/kept`)).metadata.uid).toBe(uid);
    await release("uninstall", "jobqueue-operator");
  });

  it("take the kinds with them when crds.keep is false, of which the notes warn", async () => {
    const notes = await release("install", "jobqueue-operator", CHART, ...IMAGE, "--set", "crds.keep=false");
    expect(notes).toContain("WARNING: crds.keep=false");
    await release("uninstall", "jobqueue-operator");
    for (const kind of [JOB_QUEUES, JOB_STORES])
      await waitFor(`${kind} to be gone`, async () => (await admin.find(`${KINDS}/${kind}`)) === undefined, PATIENCE);
  });
});
