/** A whole operator behind a proxy that spoils what passes between it and a real API server: faults K2, K5, K6, K7, O3, O8. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listHolds, type Database } from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { createServiceAccount, type PolicyRule } from "../../../test/support/api-server/service-account.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { loadAccess, type RequestObservation } from "../kube/index.ts";
import { about, FaultProxy } from "../kube/testing/fault-proxy.ts";
import type { Operator } from "../main.ts";
import { ask, ClusterUnderTest, openStore, workersSpec, writesOf } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));
/** Fast enough that no test waits long for a watch to be opened again. */
const reflectorTimes = { backoffBaseMs: 50, backoffMaxMs: 500 };

let directory: string;
let proxy: FaultProxy;
let through: string;
let database: TestDatabase;
let store: Database;
let cluster: ClusterUnderTest;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "api-faults-"));
  proxy = await FaultProxy.start(await loadAccess({ kubeconfig: inject("kubeconfig") }));
  through = await proxy.kubeconfig(join(directory, "kubeconfig"));
});

afterEach(async () => {
  proxy.clear();
  await cluster.stop();
  await store.close();
  await database.drop();
});

afterAll(async () => {
  await proxy.stop();
  rmSync(directory, { recursive: true });
});

/** A namespace and a database of its own, with a store that can be used; the operator that follows goes through the proxy. */
async function begin(prefix: string): Promise<void> {
  database = await createTestDatabase(adminUrl);
  store = openStore(database.url);
  cluster = await ClusterUnderTest.create(prefix);
  await cluster.secret("default", database.url);
  await cluster.jobStore("default");
}

const operator = (options: Parameters<ClusterUnderTest["operator"]>[0] = {}): Promise<Operator> =>
  cluster.operator({ kubeconfig: through, reflectorTimes, ...options });
const replicasOf = async (pool: string): Promise<unknown> =>
  ((await cluster.api.get(cluster.path(`deployments/${pool}-workers`)))["spec"] as { replicas?: number }).replicas;
const status = (code: number, reason: string) => ({ kind: "Status", code, reason, message: "by the test" });
const seen = (wanted: Parameters<typeof about>[0]) =>
  proxy.requests.filter((request) => request.namespace === cluster.namespace && about(wanted)(request));

describe("K2: an API server that refuses", () => {
  it("K2: conflicts over one Deployment without end: it is tried with growing pauses, and the others go on", async () => {
    await begin("conflict");
    const stuck = { verb: "patch", resource: "deployments", name: "stuck-workers" } as const;
    proxy.add({ when: about(stuck), fault: { kind: "answer", code: 409, body: status(409, "Conflict") } });
    await operator();
    await cluster.jobQueue("stuck", { workers: workersSpec() });
    await eventually("some tries", async () => (seen(stuck).length >= 3 ? true : undefined));
    await cluster.jobQueue("sound", { workers: workersSpec() });
    await cluster.object("deployments/sound-workers");
    const tries = await eventually("more tries", async () => (seen(stuck).length >= 5 ? seen(stuck) : undefined));
    const [first, last] = [tries[0]?.at ?? 0, tries.at(-1)?.at ?? 0];
    expect(last - first).toBeGreaterThan(200 + 400); // its own status wakes it once or twice beside that
    proxy.clear();
    await cluster.object("deployments/stuck-workers");
  });

  it("K2: throttles more objects than there are workers: each waits as long as it was told, and nobody waits for them", async () => {
    await begin("throttled");
    const isHot = (name: string) => name.startsWith("hot-");
    const headers = { "retry-after": "5" };
    const fault = { kind: "answer", code: 429, headers, body: status(429, "TooManyRequests") } as const;
    proxy.add({
      when: (request) => about({ verb: "patch", resource: "deployments" })(request) && isHot(request.name),
      fault,
    });
    await operator();
    await cluster.condition("jobstores/default", "Ready", "True");
    const names = Array.from({ length: 12 }, (_, number) => `hot-${number}`);
    await Promise.all(names.map((name) => cluster.jobQueue(name, { workers: workersSpec() })));
    const tries = () => seen({ verb: "patch", resource: "deployments" }).filter(({ name }) => isHot(name));
    await eventually("all to be throttled", async () =>
      new Set(tries().map(({ name }) => name)).size === 12 ? true : undefined,
    );
    const began = performance.now();
    await cluster.jobQueue("calm", { workers: workersSpec() });
    await cluster.object("deployments/calm-workers");
    expect(performance.now() - began).toBeLessThan(4_000);
    const again = await eventually("a second try", async () => {
      const [first, second] = tries().filter(({ name }) => name === "hot-0-workers");
      return first && second ? second.at - first.at : undefined;
    });
    expect(again).toBeGreaterThanOrEqual(5_000);
  });

  it("K2: fails with 500 and 503 for a while: all is made once it does not", async () => {
    await begin("burst");
    const isWrite = (code: number, times: number): void => {
      const when = (request: { method: string; resource: string }) =>
        request.method !== "GET" && request.resource !== "leases";
      proxy.add({ when, fault: { kind: "answer", code, body: status(code, "InternalError") }, times });
    };
    isWrite(500, 4);
    isWrite(503, 4);
    await operator();
    await cluster.jobQueue("mailers", { state: "Paused", workers: workersSpec() });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    await cluster.object("deployments/mailers-workers");
    expect(proxy.requests.length).toBeLessThan(2_000);
  });
});

describe("K6: answers are lost after the API server has acted", () => {
  it("K6: on create, patch and delete, of Deployment, status and events: each happens once", async () => {
    await begin("lost");
    const lost = (wanted: Parameters<typeof about>[0]) =>
      proxy.add({ when: about(wanted), fault: { kind: "lost answer" }, times: 1 }).spent;
    const [made, told, recorded] = [
      lost({ verb: "patch", resource: "deployments" }),
      lost({ verb: "patch", resource: "jobqueues", subresource: "status" }),
      lost({ verb: "create", resource: "events" }),
    ];
    await operator();
    await cluster.jobQueue("mailers", { state: "Paused", replicas: 2, workers: workersSpec() });
    await Promise.all([made, told, recorded]);
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    const first = await cluster.object("deployments/mailers-workers");
    expect(first.metadata["generation"]).toBe(1);

    const scaled = lost({ verb: "patch", resource: "deployments" });
    await cluster.jobQueue("mailers", { state: "Paused", replicas: 3, workers: workersSpec() });
    await scaled;
    const second = await cluster.object(
      "deployments/mailers-workers",
      ({ spec }) => (spec as { replicas: number }).replicas === 3,
    );
    expect(second.metadata.uid).toBe(first.metadata.uid);

    const removed = lost({ verb: "delete", resource: "deployments" });
    await cluster.jobQueue("mailers", { state: "Paused", replicas: 3 });
    await removed;
    await cluster.condition("jobqueues/mailers", "WorkersAvailable", "False", "NoWorkersConfigured");
    // It goes after its pods, when the garbage collector has seen to them.
    await expect.poll(async () => cluster.api.find(cluster.path("deployments/mailers-workers"))).toBeUndefined();
    const { items } = await cluster.api.get<{ items: { reason: string; regarding: { name: string } }[] }>(
      cluster.path("events"),
    );
    const reasons = items.filter(({ regarding }) => regarding.name === "mailers").map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === "QueuePaused")).toHaveLength(1);
    expect(seen({ verb: "delete", resource: "deployments" }).length).toBeLessThan(10); // while its cache still shows it
  });
});

describe("K5: an operator that sees the past", () => {
  it("K5: releases no pause, shrinks no pool and deletes no Deployment on the word of an old list", async () => {
    await begin("past");
    await cluster.jobQueue("paused", { workers: workersSpec() });
    await cluster.jobQueue("grown", { replicas: 1, workers: workersSpec() });
    await cluster.jobQueue("new", {});
    proxy.remember();
    await operator({ identity: "before" });
    await cluster.object("deployments/grown-workers");
    await cluster.stopOne("before");

    await cluster.operator({ identity: "present" });
    await cluster.jobQueue("paused", { state: "Paused", workers: workersSpec() });
    await cluster.jobQueue("grown", { replicas: 3, workers: workersSpec() });
    await cluster.jobQueue("new", { workers: workersSpec() });
    await cluster.condition("jobqueues/paused", "Paused", "True", "PausedBySpec");
    const grown = await cluster.object(
      "deployments/grown-workers",
      ({ spec }) => (spec as { replicas: number }).replicas === 3,
    );
    const made = await cluster.object("deployments/new-workers");
    await cluster.stopOne("present");

    proxy.add({ when: about({ verb: "list", resource: "jobqueues" }), fault: { kind: "stale" } });
    proxy.add({ when: about({ verb: "watch", resource: "jobqueues" }), fault: { kind: "silence" } });
    const reads = () => seen({ verb: "get", resource: "jobqueues" }).map(({ name }) => name);
    const before = reads().length;
    const late = await operator({ identity: "late" });
    await eventually(
      "it to have asked before it takes workers away",
      async () => reads().slice(before).includes("new") || undefined,
    );
    expect((await listHolds(store, "paused")).map(({ name }) => name)).toEqual(["spec"]);
    expect(await replicasOf("grown")).toBe(3);
    expect((await cluster.object("deployments/new-workers")).metadata.uid).toBe(made.metadata.uid);
    expect(await ask(late, "/livez")).toBe("ok\n");

    proxy.clear();
    proxy.resetConnections();
    await cluster.jobQueue("new", { replicas: 2, workers: workersSpec() });
    await cluster.object("deployments/new-workers", ({ spec }) => (spec as { replicas: number }).replicas === 2);
    expect((await listHolds(store, "paused")).map(({ name }) => name)).toEqual(["spec"]);
    const { metadata } = await cluster.object("deployments/grown-workers");
    expect(metadata["generation"]).toBe(grown.metadata["generation"]); // it was never smaller in between
    const audit = await store.query<{ action: string }>(
      "select action from jobqueue.audit_events where target = 'paused' and action like '%release%'",
    );
    expect(audit).toEqual([]);
  });

  it("K1, K5: one that was cut off begins again with what is there now, not with what it remembers", async () => {
    await begin("cut-off");
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    const cut = await operator();
    await cluster.condition("jobqueues/mailers", "Paused", "False", "Active");
    proxy.add({ when: () => true, fault: { kind: "reset" } });
    proxy.resetConnections();
    await eventually("it to lead no more", async () => (cut.leads ? undefined : true));
    // As another leader would have done meanwhile.
    await cluster.jobQueue("mailers", { state: "Paused", pauseReason: "night", workers: workersSpec() });
    await store.query("select jobqueue.hold('mailers', 'spec', 'night', 'jobqueue-operator:other', 'spec', null)");
    const holds = async () => (await listHolds(store, "mailers")).map(({ name }) => name);
    // The watch stays dead: only a list of its own can tell the new term of the change.
    proxy.clear();
    proxy.add({ when: about({ verb: "watch", resource: "jobqueues" }), fault: { kind: "silence" } });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    expect(await holds()).toEqual(["spec"]);
    const released = await store.query(
      "select 1 from jobqueue.audit_events where target = 'mailers' and action like '%release%'",
    );
    expect(released).toEqual([]);
  });
});

describe("K7: credentials", () => {
  it("K7: that are refused make no busy loop, and all goes on when they are accepted again", async () => {
    await begin("unauthorized");
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    const running = await operator({ reflectorTimes: {} });
    await cluster.object("deployments/mailers-workers");
    proxy.add({ when: () => true, fault: { kind: "answer", code: 401, body: status(401, "Unauthorized") } });
    proxy.resetConnections();
    await eventually("it to lead no more", async () => (running.leads ? undefined : true));
    const refused = proxy.requests.length;
    await eventually("a few more tries", async () => (proxy.requests.length > refused + 10 ? true : undefined));
    const [from, to] = [proxy.requests.at(-10)?.at ?? 0, proxy.requests.at(-1)?.at ?? 0];
    expect(to - from).toBeGreaterThan(500); // the election every 300 ms, and watches ever more rarely
    expect(await ask(running, "/livez")).toBe("ok\n");
    proxy.clear();
    await cluster.jobQueue("mailers", { replicas: 2, workers: workersSpec() });
    await cluster.object("deployments/mailers-workers", ({ spec }) => (spec as { replicas: number }).replicas === 2);
  });
});

describe("what the API server forbids", () => {
  const rules = (deployments: readonly string[]): readonly PolicyRule[] => [
    { apiGroups: ["jobqueue.dev"], resources: ["*"], verbs: ["*"] },
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["*"] },
    { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
    { apiGroups: ["", "policy"], resources: ["*"], verbs: ["*"] }, // whatever else it wants: that is the chart's test
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "watch", ...deployments] },
  ];

  it("K7: rights that are taken away are told on the JobQueue in the server's words, and used when they are back", async () => {
    await begin("rights");
    const { namespace } = cluster;
    const account = { namespace, name: "limited", rules: rules(["create", "patch", "delete"]) };
    const kubeconfig = await createServiceAccount(cluster.kubeconfig, account);
    const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/limited`;
    await operator({ kubeconfig });
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    await cluster.object("deployments/mailers-workers");
    await cluster.api.patch(role, { rules: rules([]) });
    await cluster.jobQueue("mailers", { replicas: 2, workers: workersSpec() });
    const { message } = await cluster.condition("jobqueues/mailers", "Stalled", "True", "WorkerRolloutFailed");
    expect(message).toMatch(/^The API server forbids the Deployment: .*cannot patch resource "deployments"/);
    await cluster.api.patch(role, { rules: rules(["create", "patch", "delete"]) });
    await cluster.jobQueue("mailers", { replicas: 3, workers: workersSpec() });
    await cluster.object("deployments/mailers-workers", ({ spec }) => (spec as { replicas: number }).replicas === 3);
  });

  it("K9: quotas on Deployments and on pods are told in the server's words, in a namespace that is restricted", async () => {
    await begin("quota");
    const enforce = { "pod-security.kubernetes.io/enforce": "restricted" };
    await cluster.api.patch(`/api/v1/namespaces/${cluster.namespace}`, { metadata: { labels: enforce } });
    const quotas = `/api/v1/namespaces/${cluster.namespace}/resourcequotas`;
    const quota = async (hard: Readonly<Record<string, string>>): Promise<void> => {
      await cluster.api.apply(`${quotas}/few`, {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "few" },
        spec: { hard },
      });
      const name = Object.keys(hard)[0] ?? "";
      await eventually("the quota to be in force", async () => {
        const { status: said } = await cluster.api.get<{ status?: { hard?: Record<string, string> } }>(`${quotas}/few`);
        return said?.hard?.[name];
      });
    };
    await operator();
    await quota({ "count/deployments.apps": "0" });
    await cluster.jobQueue("mailers", { replicas: 2, workers: workersSpec() });
    const none = await cluster.condition("jobqueues/mailers", "Stalled", "True", "WorkerRolloutFailed");
    expect(none.message).toMatch(/exceeded quota: few/);
    await quota({ pods: "1" });
    await cluster.jobQueue("reports", { replicas: 2, workers: workersSpec() });
    const { message } = await cluster.condition("jobqueues/reports", "Stalled", "True", "WorkerRolloutFailed");
    expect(message).toMatch(/^Pods of the workers cannot be created: a new pod is forbidden: exceeded quota: few/);
    expect(await cluster.pods("reports")).toHaveLength(1); // the template keeps to the restricted standard by itself
    const patches = seen({ verb: "patch", resource: "deployments", dryRun: true });
    expect(patches.length).toBeLessThan(10);
  });
});

describe("O3: access to the Lease alone", () => {
  it("O3: is lost by both replicas: neither acts, the caches stay warm, and one goes on when it is back", async () => {
    await begin("lease");
    const requests: RequestObservation[] = [];
    const onRequest = (request: RequestObservation): void => void requests.push(request);
    const both = await Promise.all(["one", "two"].map((identity) => operator({ identity, onRequest })));
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    await cluster.object("deployments/mailers-workers");
    const forbidden = proxy.add({
      when: ({ resource }) => resource === "leases",
      fault: { kind: "answer", code: 403, body: status(403, "Forbidden") },
    });
    await eventually("nobody to lead", async () => (both.some(({ leads }) => leads) ? undefined : true));
    const tries = () => seen({ resource: "leases" }).length;
    requests.length = 0;
    const since = tries();
    await cluster.jobQueue("mailers", { state: "Paused", replicas: 3, workers: workersSpec() });
    await eventually("several more tries to lead", async () => (tries() > since + 8 ? true : undefined));
    expect(writesOf(requests)).toEqual([]);
    expect(await listHolds(store, "mailers")).toEqual([]);
    expect(await ask(both[0] as Operator, "/readyz")).toBe("ok\n");
    proxy.clear();
    expect(forbidden).toBeDefined();
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    expect(both.filter(({ leads }) => leads)).toHaveLength(1);
  });
});

describe("O8: what is not ours", () => {
  it("O8: pods and Secrets of others, a hundred of each, never reach the operator", async () => {
    await begin("foreign");
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    await operator();
    await cluster.object("deployments/mailers-workers");
    await cluster.condition("jobqueues/mailers", "Ready", "False", "Progressing");
    const containers = [{ name: "main", image: "registry.example/other:1" }];
    const blob = "x".repeat(20_000);
    const before = proxy.bytes;
    const foreign = Array.from({ length: 100 }, async (_, number) => {
      await cluster.api.create(cluster.path("pods"), {
        metadata: { name: `foreign-${number}`, annotations: { blob } },
        spec: { containers },
      });
      await cluster.secretOf(`foreign-${number}`, { blob });
    });
    await Promise.all(foreign);
    await cluster.jobQueue("mailers", { replicas: 2, workers: workersSpec() });
    await cluster.object("deployments/mailers-workers", ({ spec }) => (spec as { replicas: number }).replicas === 2);
    expect(proxy.bytes - before).toBeLessThan(100 * 2_000); // of four million
    await cluster.stop();
    const since = proxy.requests.length;
    const bytes = proxy.bytes;
    await operator();
    await cluster.jobQueue("mailers", { replicas: 3, workers: workersSpec() });
    await cluster.object("deployments/mailers-workers", ({ spec }) => (spec as { replicas: number }).replicas === 3);
    expect(proxy.bytes - bytes).toBeLessThan(100 * 2_000);
    const lists = proxy.requests.slice(since).filter(({ verb }) => verb === "list" || verb === "watch");
    expect(lists.filter(({ resource }) => resource === "secrets")).toEqual([]);
  });
});
