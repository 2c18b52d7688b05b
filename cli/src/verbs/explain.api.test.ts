import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Explanation } from "@jobqueue/operator/explain";
import { Database, listAuditEvents, parseStoreUrl, queueStats } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import { ClusterUnderTest, workersSpec } from "../../../operator/src/testing/cluster-under-test.ts";
import { tool } from "../../../test/cluster/binaries/binaries.ts";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { createServiceAccount } from "../../../test/support/api-server/service-account.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { BINARY, type Ended, runJobqueue } from "../testing/run-jobqueue.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));
/** Rights of somebody who may look and apply, and nothing else. */
const LOOKING = [
  { apiGroups: ["jobqueue.dev"], resources: ["jobstores", "jobqueues"], verbs: ["get", "list"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
];

describe("jobqueue explain", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;
  let directory: string;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("explain");
    database = await createTestDatabase(adminUrl);
    store = new Database({ connection: parseStoreUrl(database.url), applicationName: "test", poolSize: 1 });
    directory = mkdtempSync(join(tmpdir(), "jobqueue-explain-"));
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.jobQueue("mailers", { state: "Paused", concurrency: 3, replicas: 2, workers: workersSpec() });
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
    rmSync(directory, { recursive: true });
  });

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): Promise<Ended> =>
    runJobqueue(["explain", ...args], { env: { KUBECONFIG: cluster.kubeconfig, ...env }, input });
  const here = (...args: string[]): Promise<Ended> => run([...args, "-n", cluster.namespace]);
  const explanation = async (...args: string[]): Promise<Explanation> => {
    const { code, stdout, stderr } = await here(...args, "-o", "json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as Explanation;
  };
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const manifest = (name: string, spec: string): string =>
    `apiVersion: jobqueue.dev/v1alpha1\nkind: JobQueue\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
  const WORKERS = "workers: { template: { spec: { containers: [{ name: worker, image: example.com/mailer:2 }] } } }";
  const says = ({ rules }: Explanation, rule: string): readonly string[] =>
    rules.find((one) => one.rule === rule)?.says ?? [];
  const plan = ({ plan: steps }: Explanation): string[] => steps.map((step) => step.do);
  const about = ({ facts }: Explanation, what: string): string[] =>
    facts.filter((fact) => fact.about === what).map(({ says: text }) => text);

  it("prints what is observed, what each rule says, in order, and the plan with its reasons, for people", async () => {
    const { code, stdout, stderr } = await here("mailers");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`JobQueue ${cluster.namespace}/mailers\n`);
    expect(stdout).toMatch(
      /store +Reached through the connection of the JobStore, at \S+, schema jobqueue, .*: Postgres/,
    );
    expect(stdout).toContain("hold: Do spec.state and the hold spec say the same?");
    expect(stdout).toContain("    - set hold spec on queue mailers (PausedBySpec): spec.state of JobQueue");
    expect(stdout).toContain("Plan (nothing of it was done)\n  1. make queue mailers known to store");
    expect(stdout).toMatch(/Paused=False \(Active\)/); // what is, not what will be
  });

  it("is the same plan as the operator's, the pause before the workers", async () => {
    const seen = await explanation("mailers");
    expect(plan(seen)).toEqual(["ensureQueue", "setHold", "configureQueue", "applyDeployment"]);
    expect(says(seen, "policy")).toEqual([
      expect.stringContaining("configure queue mailers: maxRunning (PolicyDiffers)"),
    ]);
    expect(seen).toMatchObject({
      queue: "mailers",
      store: `${cluster.namespace}/default`,
      origin: { from: "cluster" },
    });
    expect(parse((await here("mailers", "-o", "yaml")).stdout)).toMatchObject({ queue: "mailers" });
    expect((await here("mailers", "-o", "name")).stdout).toBe(
      "ensureQueue\nsetHold\nconfigureQueue\napplyDeployment\n",
    );
  });

  it("lays a file over what exists, with defaults, and without applying it", async () => {
    const path = file("mailers.yaml", manifest("mailers", `{ state: Active, replicas: 5, ${WORKERS} }`));
    const seen = await explanation("-f", path);
    expect(seen.origin).toEqual({ from: "file", file: path, exists: true });
    expect(about(seen, "JobQueue")[0]).toContain("spec.state Active, spec.replicas 5");
    expect(plan(seen)).not.toContain("setHold");
    expect(about(seen, "dry run")).toEqual(["The API server accepts the Deployment, or has it already."]);
    const standard = await run(
      ["-f", "-", "-n", cluster.namespace, "-o", "name"],
      {},
      manifest("fresh", `{ ${WORKERS} }`),
    );
    expect(standard).toMatchObject({ code: 0, stdout: "ensureQueue\napplyDeployment\n" });
  });

  it("takes away what kubectl applied last and the file no longer has", async () => {
    const before = {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobQueue",
      metadata: { name: "old" },
      spec: { concurrency: 4, state: "Paused" },
    };
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(before) };
    await cluster.api.create(cluster.path("jobqueues"), { ...before, metadata: { name: "old", annotations } });
    const seen = await explanation("-f", file("old.yaml", manifest("old", "{ timeoutSeconds: 60 }")));
    expect(plan(seen)).toEqual(["ensureQueue", "configureQueue"]);
    expect(says(seen, "policy")).toEqual([expect.stringMatching(/: timeoutSeconds \(/)]);
  });

  it("ends with 11 and the words of the API server for what the kind does not allow", async () => {
    const bad = await here("-f", file("bad.yaml", manifest("bad", "{ concurrency: 0 }")));
    expect(bad.code).toBe(11);
    expect(bad.stderr).toContain("refuses JobQueue bad: spec.concurrency: Invalid value");
    expect(bad.stderr).toContain("to run nothing write state: Paused");
    const unknown = await here("-f", file("unknown.yaml", manifest("unknown", "{ hostNetwork: true }")));
    expect(unknown).toMatchObject({ code: 11, stderr: expect.stringContaining("spec.hostNetwork") });
  });

  it.each([
    ["no YAML", "a: [", /bad\.yaml, line 1, column \d+: /],
    ["an empty file", "", /holds no JobQueue: it is empty/],
    [
      "a kind that is not ours",
      "apiVersion: v1\nkind: Pod\nmetadata: { name: x }",
      /holds no JobQueue, but Pod x of v1/,
    ],
    [
      "a version that is not ours",
      "apiVersion: jobqueue.dev/v2\nkind: JobQueue\nmetadata: { name: x }",
      /has apiVersion jobqueue\.dev\/v2\nWrite apiVersion: jobqueue\.dev\/v1alpha1/,
    ],
    [
      "a JobQueue without a name",
      "apiVersion: jobqueue.dev/v1alpha1\nkind: JobQueue",
      /but a JobQueue without metadata\.name/,
    ],
    [
      "several JobQueues",
      `${manifest("a", "{}")}---\n${manifest("b", "{}")}`,
      /holds 2 JobQueues: a, b\nName the one to explain: jobqueue explain a -f/,
    ],
  ])("ends with 11 for %s, and says what to do", async (_what, text, message) => {
    const { code, stderr, stdout } = await here("-f", file("bad.yaml", text));
    expect({ code, stdout }).toEqual({ code: 11, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("of several JobQueues in a file explains the one that is named", async () => {
    const path = file("two.yaml", `${manifest("a", "{}")}---\n${manifest("b", "{ state: Paused }")}`);
    expect(plan(await explanation("b", "-f", path))).toEqual(["ensureQueue", "setHold"]);
    expect(await here("c", "-f", path)).toMatchObject({ code: 11, stderr: expect.stringContaining("It holds a, b.") });
  });

  it("ends with 3 for a JobQueue that is not there, with 2 for a line that says nothing, with 11 for a file that is not there", async () => {
    expect(await here("nobody")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("there is no JobQueue nobody"),
    });
    expect(await here()).toMatchObject({ code: 2, stderr: expect.stringContaining("explain NAME | -f FILE") });
    expect(await here("-f", "/no/such/file")).toMatchObject({ code: 11 });
    const elsewhere = file(
      "elsewhere.yaml",
      manifest("x", "{}").replace("{ name: x }", "{ name: x, namespace: other }"),
    );
    expect(await here("-f", elsewhere)).toMatchObject({
      code: 11,
      stderr: expect.stringContaining("says namespace other"),
    });
  });

  it("says of a JobStore that does not exist yet what the operator would say, and that workers wait for it", async () => {
    await cluster.jobQueue("early", { storeRef: { name: "later" }, workers: workersSpec() });
    const seen = await explanation("early");
    expect(about(seen, "JobStore")).toEqual([`There is none named ${cluster.namespace}/later.`]);
    expect(says(seen, "store")[0]).toContain("Ready=False (StoreNotFound)");
    expect(seen.plan).toEqual([]);
  });

  it("without the right to read the Secret the store is unknown, which leads to waiting; DATABASE_URL is the other way", async () => {
    const account = await createServiceAccount(cluster.kubeconfig, {
      namespace: cluster.namespace,
      name: "looks",
      rules: LOOKING,
    });
    const blind = JSON.parse((await run(["mailers", "-o", "json"], { KUBECONFIG: account })).stdout) as Explanation;
    expect(blind.facts).toContainEqual({
      about: "store",
      known: false,
      says: expect.stringMatching(
        /^Unknown: the connection of the JobStore: Secret default in namespace \S+ cannot be read: .*forbidden/,
      ),
    });
    expect(blind.facts).toContainEqual({
      about: "dry run",
      known: false,
      says: `Unknown: your account may not patch deployments.apps in namespace ${cluster.namespace}.`,
    });
    expect(says(blind, "store")[0]).toContain("Ready=Unknown (StoreUnreachable)");
    expect(says(blind, "workers")).toEqual([expect.stringContaining("(TemplateUnknown)")]);
    expect(plan(blind)).toEqual(["wait"]);

    const env = { KUBECONFIG: account, DATABASE_URL: database.url };
    const seeing = JSON.parse((await run(["mailers", "-o", "json"], env)).stdout) as Explanation;
    expect(about(seeing, "store")[0]).toMatch(/^Reached through DATABASE_URL/);
    expect(plan(seeing)).toEqual(["ensureQueue", "setHold", "configureQueue", "wait"]);
  });

  it("names the right that is missing", async () => {
    const { namespace, kubeconfig } = cluster;
    const nobody = await createServiceAccount(kubeconfig, { namespace, name: "nobody" });
    expect(await run(["mailers"], { KUBECONFIG: nobody })).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(`your account may not get jobqueues.jobqueue.dev in namespace ${namespace}`),
    });
    const [ours = LOOKING[0]] = LOOKING;
    const looker = await createServiceAccount(kubeconfig, {
      namespace,
      name: "looker",
      rules: [{ ...ours, verbs: ["get"] }],
    });
    const path = file("new.yaml", manifest("new", "{}"));
    expect(await run(["-f", path], { KUBECONFIG: looker })).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(`your account may not patch jobqueues.jobqueue.dev in namespace ${namespace}`),
    });
    const half = JSON.parse((await run(["mailers", "-o", "json"], { KUBECONFIG: looker })).stdout) as Explanation;
    expect(half.facts.filter(({ known }) => !known).map((fact) => fact.about)).toEqual([
      "other JobQueues",
      "store",
      "Deployment",
      "pods",
    ]);
    expect(says(half, "workers")).toEqual([expect.stringContaining("(DeploymentUnknown)")]);
  });

  it("is found by kubectl as its plugin", async () => {
    symlinkSync(BINARY, join(directory, "kubectl-jobqueue"));
    const kubectl = await tool("kubectl");
    const { stdout } = await promisify(execFile)(
      kubectl,
      ["jobqueue", "explain", "mailers", "-n", cluster.namespace, "-o", "name"],
      { env: { ...process.env, PATH: `${directory}:${process.env["PATH"]}`, KUBECONFIG: cluster.kubeconfig } },
    );
    expect(stdout).toContain("applyDeployment");
  });

  it("changes nothing in the store", async () => {
    expect(await queueStats(store)).toEqual([]);
    expect(await listAuditEvents(store)).toEqual([]);
  });

  it("of a queue that the operator has brought in line says that there is nothing to do", async () => {
    await cluster.operator();
    await cluster.becomeReady("mailers", 2);
    await cluster.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
    const seen = await explanation("mailers");
    expect(seen.plan).toEqual([]);
    const { conditions } = await cluster.status("mailers");
    const told = conditions?.map(({ type, status, reason, message }) => ({ type, status, reason, message }));
    expect(seen.conditions).toEqual(told);
    const { stdout } = await here("mailers");
    expect(stdout).toContain("Nothing: the operator would change nothing.");
  });
});

describe("jobqueue explain, by the audit log of the API server", () => {
  it("sends no write that is not a dry run", async () => {
    const server = await ApiServer.create({ audit: "Metadata" });
    try {
      const cluster = await ClusterUnderTest.create("explain", server.kubeconfig);
      await cluster.jobQueue("mailers", { workers: workersSpec() });
      await cluster.jobStore("default");
      const path = join(server.directory, "queue.yaml");
      writeFileSync(
        path,
        "apiVersion: jobqueue.dev/v1alpha1\nkind: JobQueue\nmetadata: { name: mailers }\nspec: { state: Paused }\n",
      );
      const env = { KUBECONFIG: server.kubeconfig };
      for (const args of [["mailers"], ["-f", path]]) {
        expect(await runJobqueue(["explain", ...args, "-n", cluster.namespace], { env })).toMatchObject({ code: 0 });
      }
      const mine = server.auditEvents().filter(({ userAgent }) => userAgent === "jobqueue");
      expect(mine.length).toBeGreaterThan(5);
      const writes = mine.filter(({ verb }) => !["get", "list", "watch"].includes(verb));
      expect(writes.length).toBeGreaterThan(0);
      expect(writes.filter(({ requestURI }) => !requestURI.includes("dryRun=All"))).toEqual([]);
    } finally {
      await server.destroy();
    }
  });
});
