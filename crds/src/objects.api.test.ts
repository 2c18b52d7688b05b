import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import { waitFor } from "../../test/cluster/wait-for.ts";
import { ApiClient, ApiError, type KubeObject } from "../../test/support/api-server/api-client.ts";
import { readKubeconfig } from "../../test/support/api-server/kubeconfig.ts";
import { createNamespace } from "../../test/support/api-server/namespace.ts";
import { API_VERSION, GROUP, VERSION, type Condition, type JobQueueStatus } from "./index.ts";

const client = new ApiClient(inject("kubeconfig"));
const POOL = { template: { spec: { containers: [{ name: "worker", image: "example.com/worker:1" }] } } };

let namespace: string;
let jobQueues: string;
let jobStores: string;

beforeAll(async () => {
  namespace = await createNamespace(inject("kubeconfig"), "objects");
  jobQueues = `/apis/${API_VERSION}/namespaces/${namespace}/jobqueues`;
  jobStores = `/apis/${API_VERSION}/namespaces/${namespace}/jobstores`;
});

const jobQueue = (name: string, spec: object) => ({
  apiVersion: API_VERSION,
  kind: "JobQueue",
  metadata: { name },
  spec,
});
const create = async (name: string, spec: object) => client.create(jobQueues, jobQueue(name, spec));

/** Server-side apply of a part of the spec, without taking fields from others. */
async function applyAs(manager: string, name: string, spec: object, path = jobQueues): Promise<KubeObject> {
  const target = `${path}/${name}?fieldManager=${manager}&fieldValidation=Strict`;
  return client.send("PATCH", target, jobQueue(name, spec), "application/apply-patch+yaml");
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const outcome = await attempt.catch((error: unknown) => error);
  if (outcome instanceof ApiError) return outcome.message;
  throw new Error(`was not refused: ${JSON.stringify(outcome)}`);
}

interface Scale {
  metadata: { name: string };
  spec: { replicas: number };
  status: { replicas: number; selector: string };
}

describe("defaults", () => {
  it("the least JobQueue is stored with its state, store and replicas, and without workers", async () => {
    const { spec } = await create("least", {});
    expect(spec).toEqual({ deletionPolicy: "Retain", replicas: 1, state: "Active", storeRef: { name: "default" } });
  });

  it("a pool of just an image is stored with slots, drain time and health; its template stays as it was written", async () => {
    const { spec } = await create("pool", { workers: POOL });
    expect(spec).toEqual({
      deletionPolicy: "Retain",
      replicas: 1,
      state: "Active",
      storeRef: { name: "default" },
      workers: {
        slots: 10,
        drainTimeoutSeconds: 30,
        minReadySeconds: 0,
        progressDeadlineSeconds: 600,
        strategy: { type: "RollingUpdate", maxSurge: "25%", maxUnavailable: 0 },
        health: {
          mode: "Restart",
          heartbeatTimeoutSeconds: 90,
          loopStallSeconds: 30,
          startupGraceSeconds: 120,
          maxUnhealthy: "50%",
          maxConcurrentRestarts: 1,
          minSecondsBetweenRestarts: 30,
          stormCooldownSeconds: 600,
          evictionTimeoutSeconds: 300,
        },
        ...POOL,
      },
    });
  });

  it("a JobStore is stored with its schema and with full verification of the server", async () => {
    const connection = { uriSecretRef: { name: "db", key: "uri" } };
    const store = (name: string, given: object) =>
      client.create(jobStores, {
        apiVersion: API_VERSION,
        kind: "JobStore",
        metadata: { name },
        spec: { connection: given },
      });
    const { spec } = await store("least", connection);
    expect(spec).toEqual({
      schema: "jobqueue",
      connection: { ...connection, tls: { mode: "VerifyFull" } },
      migrations: "Auto",
      state: "Active",
      poolSize: 4,
      pollIntervalSeconds: 5,
      statementTimeoutSeconds: 5,
      staleLockRecovery: { mode: "Recover", graceSeconds: 0, intervalSeconds: 10, limit: 1_000 },
      allowedNamespaces: { from: "Same" },
    });
    const tls = { caSecretRef: { name: "ca", key: "ca.crt" } };
    const { spec: withCa } = await store("with-ca", { ...connection, tls });
    expect(withCa).toMatchObject({ connection: { tls: { mode: "VerifyFull", ...tls } } });
  });

  it("a manifest that is applied again changes nothing", async () => {
    const spec = { workers: { ...POOL, alsoServes: ["low"] } };
    const first = await applyAs("git", "unchanged", spec);
    const second = await applyAs("git", "unchanged", spec);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it("the default of queueName and storeRef may be written out later: the names stay what they are", async () => {
    await create("written-out", {});
    const spec = { queueName: "written-out", storeRef: { name: "default" } };
    expect(await client.patch(`${jobQueues}/written-out`, { spec })).toMatchObject({ spec });
  });
});

describe("pause and resume", () => {
  it("a resume is never refused, also when the reason stays because somebody else wrote it", async () => {
    await applyAs("git", "resumed", { state: "Paused" });
    await applyAs("ana", "resumed", { pauseReason: "SMTP is down" });
    const { spec } = await applyAs("git", "resumed", { state: "Active" });
    expect(spec).toMatchObject({ state: "Active", pauseReason: "SMTP is down" });
  });

  it("the reason that stayed behind stops nothing else: labels, status, scale and the next pause", async () => {
    await create("left-behind", { state: "Paused", pauseReason: "old", workers: POOL });
    const path = `${jobQueues}/left-behind`;
    await client.patch(path, { spec: { state: "Active" } });
    await client.patch(path, { metadata: { labels: { team: "growth" } } });
    await client.patch(`${path}/status`, { status: { queueName: "left-behind" } });
    await client.patch(`${path}/scale`, { spec: { replicas: 2 } });
    await client.patch(path, { spec: { state: "Paused" } });
    expect(await client.patch(path, { spec: { state: "Active" } })).toMatchObject({
      metadata: { labels: { team: "growth" } },
      spec: { state: "Active", replicas: 2 },
      status: { queueName: "left-behind" },
    });
  });

  it("a reason that is new needs the pause beside it", async () => {
    await create("reason-later", {});
    const message = await refusal(client.patch(`${jobQueues}/reason-later`, { spec: { pauseReason: "x" } }));
    expect(message).toContain("pauseReason pauses nothing by itself; write state: Paused or Stopped beside it");
  });

  it("one manager pauses from Git while another scales, and neither takes the other's field", async () => {
    await applyAs("git", "shared", { state: "Active", workers: POOL });
    await applyAs("scaler", "shared", { replicas: 7 });
    await applyAs("git", "shared", { state: "Paused", workers: POOL });
    const { spec } = await applyAs("git", "shared", { state: "Active", workers: POOL });
    expect(spec).toMatchObject({ replicas: 7, state: "Active" });
    expect(await refusal(applyAs("scaler", "shared", { replicas: 7, state: "Paused" }))).toContain(
      'conflict with "git"',
    );
  });
});

describe("an object from before a rule existed", () => {
  const group = `before.${GROUP}`;
  // Not those of JobQueue: kubectl in other tests would take the one for the other.
  const names = { plural: "formerqueues", singular: "formerqueue", kind: "FormerQueue", listKind: "FormerQueueList" };
  const definitionPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${names.plural}.${group}`;
  let path: string;

  const worker = {
    name: "worker",
    image: "example.com/worker:1",
    env: [{ name: "POD_UID", value: "other" }],
    securityContext: { privileged: true },
    volumeMounts: [{ name: "missing", mountPath: "/data" }],
  };
  const template = { metadata: { labels: { "jobqueue.dev/pool": "other" } }, spec: { containers: [worker] } };
  const breaksManyRules = {
    pauseReason: "pauses nothing",
    queueName: "Mailers",
    workers: { alsoServes: ["low", "low"], template },
  };
  const object = (name: string) => ({
    ...jobQueue(name, breaksManyRules),
    apiVersion: `${group}/${VERSION}`,
    kind: names.kind,
  });

  /** The definition of JobQueue under another group and name: with our rules, or with none but the given one at the given place. */
  function definition(rules: "ours" | { at: string; rule: object } | "none"): KubeObject {
    const text = readFileSync(join(import.meta.dirname, "../jobqueues.yaml"), "utf8");
    const crd = parse(text, (key, value: unknown) =>
      key === "x-kubernetes-validations" && rules !== "ours" ? undefined : value,
    ) as KubeObject & {
      spec: {
        group: string;
        names: typeof names;
        versions: { schema: { openAPIV3Schema: Record<string, unknown> } }[];
      };
    };
    crd.metadata.name = `${names.plural}.${group}`;
    crd.spec.group = group;
    crd.spec.names = names;
    if (typeof rules === "object") {
      let schema = crd.spec.versions[0]?.schema.openAPIV3Schema as Record<string, unknown>;
      for (const field of rules.at.split(".").filter(Boolean)) {
        schema = (schema["properties"] as Record<string, Record<string, unknown>>)[field] as Record<string, unknown>;
      }
      schema["x-kubernetes-validations"] = [rules.rule];
    }
    return crd;
  }

  /** Puts a definition in force: waits until what the new rule is about is refused. */
  async function putInForce(rules: Parameters<typeof definition>[0], sentence: string): Promise<void> {
    await client.send(
      "PATCH",
      `${definitionPath}?fieldManager=test&force=true`,
      definition(rules),
      "application/apply-patch+yaml",
    );
    const isInForce = async () => {
      const answer: unknown = await client
        .send("POST", `${path}?dryRun=All`, object("fresh"))
        .catch((error: unknown) => error);
      return answer instanceof ApiError && answer.message.includes(sentence);
    };
    await waitFor(`"${sentence}"`, isInForce, { timeoutMs: 30_000, everyMs: 50 });
  }

  beforeAll(async () => {
    path = `/apis/${group}/${VERSION}/namespaces/${namespace}/${names.plural}`;
    await client.apply(definitionPath, definition("none"));
    const isStored = async () => client.create(path, object("old")).then(Boolean, () => false);
    await waitFor("the definition without rules to be served", isStored, { timeoutMs: 30_000, everyMs: 50 });
  });

  afterAll(async () => client.delete(definitionPath));

  it("can still be labelled, paused, resumed and scaled, its status written; only what breaks a rule is stuck", async () => {
    await putInForce("ours", "list every queue once");
    const old = `${path}/old`;
    await client.patch(old, { metadata: { labels: { team: "growth" } } });
    await client.patch(`${old}/status`, { status: { queueName: "Mailers" } });
    await client.patch(old, { spec: { state: "Paused" } });
    await client.patch(old, { spec: { state: "Active" } });
    await client.patch(`${old}/scale`, { spec: { replicas: 3 } });
    await client.patch(old, { spec: { workers: { slots: 3 } } });
    const edit = client.patch(old, { spec: { workers: { alsoServes: ["low", "low", "low"] } } });
    expect(await refusal(edit)).toContain("list every queue once");
  });

  // The table of crds/README.md.
  const never = { rule: "!has(self.%s)", message: "this rule came later" };
  const about = (field: string) => ({ ...never, rule: never.rule.replace("%s", field) });
  it.each([
    { at: "spec.workers", rule: about("slots"), refused: ["image"] },
    { at: "spec", rule: about("workers"), refused: ["state", "scale", "image"] },
    { at: "", rule: about("spec"), refused: ["label", "status", "state", "scale", "image"] },
    {
      at: "spec",
      rule: { ...never, rule: "!has(self.workers) || oldSelf.hasValue()", optionalOldSelf: true },
      refused: [],
    },
  ])("a rule added at $at ($rule.rule) refuses exactly $refused", async ({ at, rule, refused }) => {
    // A sentence of its own, or a rule that is on its way out would pass for the one that is awaited.
    const message = `${rule.message}: ${at} ${rule.rule}`;
    await putInForce({ at, rule: { ...rule, message } }, message);
    const old = `${path}/old`;
    const edits: Record<string, () => Promise<unknown>> = {
      label: () => client.patch(`${old}?dryRun=All`, { metadata: { labels: { team: "other" } } }),
      status: () => client.patch(`${old}/status?dryRun=All`, { status: { queueName: "other" } }),
      state: () => client.patch(`${old}?dryRun=All`, { spec: { state: "Paused" } }),
      scale: () => client.patch(`${old}/scale?dryRun=All`, { spec: { replicas: 9 } }),
      image: () =>
        client.patch(`${old}?dryRun=All`, {
          spec: { workers: { template: { spec: { containers: [{ ...worker, image: "example.com/worker:2" }] } } } },
        }),
    };
    const outcomes: string[] = [];
    for (const [name, edit] of Object.entries(edits)) await edit().catch(() => outcomes.push(name));
    expect(outcomes).toEqual(refused);
  });
});

describe("/scale", () => {
  it("reads and writes spec.replicas, and shows the operator's count and selector to an HPA", async () => {
    await create("scaled", { workers: POOL });
    const path = `${jobQueues}/scaled`;
    await client.patch(`${path}/status`, { status: { replicas: 1, selector: "jobqueue.dev/pool=scaled" } });
    await client.patch(`${path}/scale`, { spec: { replicas: 7 } });
    expect((await client.get<{ spec: object }>(path)).spec).toMatchObject({ replicas: 7 });
    const scale = await client.get<Scale>(`${path}/scale`);
    expect(scale.spec).toEqual({ replicas: 7 });
    expect(scale.status).toEqual({ replicas: 1, selector: "jobqueue.dev/pool=scaled" });
    expect(await refusal(client.patch(`${path}/scale`, { spec: { replicas: 1001 } }))).toContain("1000");
  });

  it("answers for a queue without workers, too: generic scalers meet no error", async () => {
    await create("unscaled", {});
    expect((await client.get<Scale>(`${jobQueues}/unscaled/scale`)).spec).toEqual({ replicas: 1 });
  });

  it("a pool can be dropped from Git after an HPA has taken the number over", async () => {
    await applyAs("git", "dropped", { replicas: 3, workers: POOL });
    await client.patch(`${jobQueues}/dropped/scale?fieldManager=hpa`, { spec: { replicas: 5 } });
    await applyAs("git", "dropped", { workers: POOL });
    const { spec } = await applyAs("git", "dropped", {});
    expect(spec).toEqual({ deletionPolicy: "Retain", replicas: 5, state: "Active", storeRef: { name: "default" } });
  });
});

describe("lists that merge", () => {
  it("two managers each own an environment variable of the same container", async () => {
    const worker = (name: string) => ({
      workers: {
        template: {
          spec: { containers: [{ name: "worker", image: "example.com/worker:1", env: [{ name, value: "x" }] }] },
        },
      },
    });
    await applyAs("git", "merged", worker("A"));
    const { spec } = (await applyAs("platform", "merged", worker("B"))) as unknown as {
      spec: { workers: typeof POOL };
    };
    expect(spec.workers.template.spec.containers).toEqual([
      {
        name: "worker",
        image: "example.com/worker:1",
        env: [
          { name: "A", value: "x" },
          { name: "B", value: "x" },
        ],
      },
    ]);
  });
});

describe("the status", () => {
  const since = "2026-01-01T00:00:00Z";
  const condition = (type: string, status: Condition["status"], reason: string): Condition => ({
    type,
    status,
    reason,
    message: "",
    lastTransitionTime: since,
  });

  it("takes the same hold name on the queue and on the whole store, and reasons of 256 characters of any script", async () => {
    await create("held", {});
    const holds = ["*", "held"].map((queue) => ({ queue, name: "incident", reason: "é".repeat(256), since }));
    const status: JobQueueStatus = { holds, pausedBy: "incident,incident" };
    expect(await client.patch(`${jobQueues}/held/status`, { status })).toMatchObject({ status });
  });

  it("a 17th hold or a reason that is too long refuses the whole write, so the operator must cut", async () => {
    await create("too-much", {});
    const path = `${jobQueues}/too-much/status`;
    const holds = Array.from({ length: 17 }, (_, n) => ({ queue: "*", name: `h${n}` }));
    expect(await refusal(client.patch(path, { status: { holds } }))).toContain("must have at most 16 items");
    const long = [{ queue: "*", name: "h", reason: "x".repeat(257) }];
    expect(await refusal(client.patch(path, { status: { holds: long } }))).toContain("may not be more than 256");
  });

  it("survives a change of the spec, and a change of the status leaves the generation alone", async () => {
    await create("generations", {});
    const path = `${jobQueues}/generations`;
    const { metadata } = await client.patch(`${path}/status`, { status: { queueName: "generations" } });
    expect(metadata["generation"]).toBe(1);
    expect(await client.patch(path, { spec: { state: "Paused" }, status: { queueName: "forged" } })).toMatchObject({
      metadata: { generation: 2 },
      status: { queueName: "generations" },
    });
  });

  it("is what queues are found by: state, store and the name in the store", async () => {
    await create("findable", { queueName: "found_me", storeRef: { name: "elsewhere" }, state: "Paused" });
    await client.patch(`${jobQueues}/findable/status`, { status: { queueName: "found_me" } });
    for (const selector of ["spec.state=Paused,spec.storeRef.name=elsewhere", "status.queueName=found_me"]) {
      const query = `${jobQueues}?fieldSelector=${encodeURIComponent(selector)}`;
      const { items } = await client.get<{ items: KubeObject[] }>(query);
      expect(items.map(({ metadata }) => metadata.name)).toEqual(["findable"]);
    }
  });

  it("gives kubectl get jobqueues its columns", async () => {
    await create("shown", { state: "Paused", workers: POOL });
    const status: JobQueueStatus = {
      queueName: "shown",
      store: `${namespace}/default`,
      workers: { desired: 3, ready: 2, busy: 2, hung: 1, draining: 0 },
      jobs: { pending: 1200, scheduled: 4, running: 20, dead: 1 },
      oldestPendingSince: new Date(Date.now() - 3 * 86_400_000).toISOString(),
      pausedBy: "spec,incident-42",
      conditions: [condition("Paused", "True", "PausedBySpecAndHold"), condition("Ready", "True", "Reconciled")],
    };
    await client.patch(`${jobQueues}/shown/status`, { status });
    const { columns, rows } = await table(`${jobQueues}?fieldSelector=metadata.name%3Dshown`);
    expect(columns.filter(({ priority }) => priority === 0).map(({ name }) => name.toUpperCase())).toEqual(
      "NAME READY PAUSED PENDING RUNNING OLDEST WORKERS DESIRED AGE".split(" "),
    );
    expect(columns.filter(({ priority }) => priority === 1).map(({ name }) => name.toUpperCase())).toEqual(
      "STORE QUEUE DEAD HUNG REASON PAUSED-BY".split(" "),
    );
    const cells = rows[0]?.cells as unknown[];
    expect(cells.slice(0, 8)).toEqual(["shown", "True", "True", 1200, 20, "3d", 2, 3]);
    expect(cells.slice(9)).toEqual([`${namespace}/default`, "shown", 1, 1, "Reconciled", "spec,incident-42"]);
  });

  it("gives kubectl get jobstores its columns", async () => {
    const spec = { connection: { uriSecretRef: { name: "db", key: "uri" } } };
    await client.create(jobStores, { apiVersion: API_VERSION, kind: "JobStore", metadata: { name: "shown" }, spec });
    const conditions = [condition("Ready", "False", "StoreUnreachable"), condition("Paused", "True", "PausedBySpec")];
    await client.patch(`${jobStores}/shown/status`, {
      status: { schemaVersion: 1, serverVersion: "18.1", queues: 3, conditions },
    });
    const { columns, rows } = await table(`${jobStores}?fieldSelector=metadata.name%3Dshown`);
    expect(columns.map(({ name }) => name.toUpperCase())).toEqual(
      "NAME READY PAUSED SCHEMA QUEUES AGE VERSION SERVER REASON".split(" "),
    );
    const cells = rows[0]?.cells as unknown[];
    expect([...cells.slice(0, 5), ...cells.slice(6)]).toEqual([
      "shown",
      "False",
      "True",
      "jobqueue",
      3,
      1,
      "18.1",
      "StoreUnreachable",
    ]);
  });
});

interface Table {
  columns: { name: string; type: string; priority: number }[];
  rows: { cells: unknown[] }[];
}

/** What `kubectl get` asks for: the rows as the API server lays them out. */
async function table(path: string): Promise<Table> {
  const { server, ca, token, clientCertificate, clientKey } = readKubeconfig(inject("kubeconfig"));
  const answer = await new Promise<string>((resolve, reject) => {
    const call = request(new URL(path, server), {
      ca,
      agent: false,
      ...(clientCertificate && clientKey && { cert: clientCertificate, key: clientKey }),
      headers: {
        accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
        ...(token && { authorization: `Bearer ${token}` }),
      },
    });
    call.once("error", reject);
    call.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve(text));
    });
    call.end();
  });
  const { columnDefinitions, rows } = JSON.parse(answer) as {
    columnDefinitions: Table["columns"];
    rows: Table["rows"];
  };
  return { columns: columnDefinitions, rows };
}
