import { spawn } from "node:child_process";
import { once } from "node:events";
import { listHolds, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { KUBE_METRICS, type RequestObservation } from "../kube/index.ts";
import { OPERATOR_METRICS } from "../metrics.ts";
import { RUNTIME_METRICS } from "../runtime/index.ts";
import { ClusterUnderTest, openStore, writesOf } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("one operator acts, another one waits", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("leadership");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    // What the API server stores in another spelling, or not at all, must not look like somebody's change.
    const odd = {
      name: "worker",
      image: "registry.example/worker:1",
      args: [],
      env: [{ name: "EMPTY", value: "" }],
      resources: { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { cpu: "1000m" } },
      volumeMounts: [
        { name: "work", mountPath: "/b", readOnly: false },
        { name: "work", mountPath: "/a" },
      ],
      ports: [{ containerPort: 9000 }],
      startupProbe: { exec: { command: ["true"] }, initialDelaySeconds: 0 },
    };
    const template = { spec: { containers: [odd], volumes: [{ name: "work", emptyDir: { sizeLimit: "2048Mi" } }] } };
    await cluster.jobQueue("mailers", { replicas: 2, workers: { template, alsoServes: ["low"] } });
    await cluster.jobQueue("low", { state: "Paused", pauseReason: "nightly" });
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  const allWell = async (): Promise<void> => {
    await cluster.condition("jobqueues/mailers", "Ready", "True");
    await cluster.condition("jobqueues/low", "Paused", "True");
    await cluster.condition("jobqueues/low", "WorkersAvailable", "True", "ServedByOther");
  };
  const versions = async (): Promise<string> => {
    const objects = await Promise.all(
      ["jobqueues", "jobstores", "deployments", "pods", "events"].map((kind) =>
        cluster.api.get<{ items: { metadata: { name: string; resourceVersion: string } }[] }>(cluster.path(kind)),
      ),
    );
    return JSON.stringify(
      objects.flatMap(({ items }) => items.map(({ metadata }) => [metadata.name, metadata.resourceVersion])),
    );
  };
  const lease = async (): Promise<string | undefined> => {
    const found = await cluster.api.find(
      `/apis/coordination.k8s.io/v1/namespaces/${cluster.namespace}/leases/jobqueue-operator`,
    );
    return (found?.["spec"] as { holderIdentity?: string } | undefined)?.holderIdentity;
  };

  it("writes nothing for 20 seconds once all is as it should be", async () => {
    const requests: RequestObservation[] = [];
    await cluster.operator({ identity: "one", onRequest: (request) => requests.push(request) });
    await cluster.becomeReady("mailers", 2);
    await allWell();
    await sleep(2_000); // its events are written behind its back
    const before = await versions();
    requests.length = 0;
    await sleep(20_000); // the absence of something has no signal
    expect(writesOf(requests)).toEqual([]);
    expect(await versions()).toBe(before);
  }, 90_000);

  it("a standby is ready, with warm caches, but does not act", async () => {
    const standby = await cluster.operator({ identity: "two" });
    await waitFor(
      "the standby to be ready",
      async () => (await fetch(`http://127.0.0.1:${standby.httpPort}/readyz`)).status === 200,
      { timeoutMs: 20_000 },
    );
    expect(standby.leads).toBe(false);
    expect(await lease()).toBe("one");
    const metrics = await (await fetch(`http://127.0.0.1:${standby.httpPort}/metrics`)).text();
    expect(metrics).toContain('leader_election_master_status{name="jobqueue-operator"} 0');
    expect(metrics).not.toMatch(/^jobqueue_jobs\{/m);
  });

  it("when the leader stops it takes over at once, and changes nothing that is already right", async () => {
    const before = await versions();
    await cluster.stopOne("one");
    await waitFor("the other to lead", async () => (await lease()) === "two", { timeoutMs: 20_000 });
    await cluster.jobQueue("low", { state: "Active" });
    await cluster.condition("jobqueues/low", "Paused", "False", "Active");
    expect(await listHolds(store)).toEqual([]);
    const changed = (await versions()) !== before;
    expect(changed).toBe(true); // of course: low was resumed
    await cluster.condition("jobqueues/mailers", "Ready", "True");
  });

  it("a new leader of a cluster where all is well writes nothing at all", async () => {
    await cluster.jobQueue("low", { state: "Paused", pauseReason: "nightly" });
    await allWell();
    await cluster.stop();
    const before = await versions();
    const requests: RequestObservation[] = [];
    const third = await cluster.operator({ identity: "three", onRequest: (request) => requests.push(request) });
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${third.httpPort}/metrics`)).text();
    await waitFor(
      "the new leader to have seen the store",
      async () => (await metrics()).includes(`jobqueue_store_up{namespace="${cluster.namespace}",name="default"} 1`),
      { timeoutMs: 20_000 },
    );
    await waitFor(
      "the new leader to have looked at both queues",
      async () => {
        const said = await metrics();
        // They were woken with the look that made the store known.
        const none = [
          'workqueue_depth{name="jobqueue",priority="normal"} 0',
          'active_workers{controller="jobqueue"} 0',
        ];
        const looks = /controller_runtime_reconcile_total\{controller="jobqueue",result="requeue_after"\} ([2-9]|\d\d)/;
        return looks.test(said) && none.every((line) => said.includes(line));
      },
      { timeoutMs: 20_000, explain: metrics },
    );
    expect(writesOf(requests)).toEqual([]);
    expect(await versions()).toBe(before);
    expect(await metrics()).toContain(`jobqueue_paused{namespace="${cluster.namespace}",name="low"} 1`);
    const exported = [...(await metrics()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
    const tables = [KUBE_METRICS, RUNTIME_METRICS, OPERATOR_METRICS].flatMap((table) =>
      Object.values<{ name: string }>(table),
    );
    const ours = exported.filter((name) => !/^(process|nodejs)_/.test(name));
    expect(ours.toSorted()).toEqual(tables.map(({ name }) => name).toSorted()); // each once, and no other
    await cluster.stop();
  });

  it("as a command it serves until SIGTERM, then gives the Lease back and exits with 0", async () => {
    const script = `const { runOperatorCommand } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)}); process.exit(await runOperatorCommand(["--http-port=0", "--watch-namespaces", ${JSON.stringify(cluster.namespace)}]));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      env: {
        PATH: process.env["PATH"],
        JOBQUEUE_OPERATOR_NAMESPACE: cluster.namespace,
        POD_NAME: "command",
        KUBECONFIG: cluster.kubeconfig,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const exited = once(child, "exit");
    await waitFor("the command to lead", async () => (await lease()) === "command", {
      timeoutMs: 30_000,
      explain: () => output,
    });
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(await lease()).toBe("");
    expect(output).not.toContain("postgres://");
  });

  it("as a command it names everything that is wrong with its settings and exits with 2", async () => {
    const script = `const { runOperatorCommand } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)}); process.exit(await runOperatorCommand(["--nonsense"]));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let output = "";
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    expect(await once(child, "exit")).toEqual([2, null]);
    expect(output).toContain("--nonsense is not a flag");
    expect(output).toContain("JOBQUEUE_OPERATOR_NAMESPACE");
  });
});
