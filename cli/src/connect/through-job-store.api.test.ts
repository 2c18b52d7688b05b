import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { ApiClient } from "../../../test/support/api-server/api-client.ts";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { createServiceAccount } from "../../../test/support/api-server/service-account.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { runJobqueue } from "../testing/run-jobqueue.ts";

describe("a store that is found through its JobStore", () => {
  const kubeconfig = inject("kubeconfig");
  const client = new ApiClient(kubeconfig);
  const [adminUrl = ""] = Object.values(inject("postgres"));
  let database: TestDatabase;
  let namespace: string;

  beforeAll(async () => {
    database = await createTestDatabase(adminUrl);
    namespace = await createNamespace(kubeconfig, "cli");
    await createStore("default", database.url);
  });

  afterAll(async () => {
    await database.drop();
  });

  async function createStore(name: string, url: string, tls: object = { mode: "Disabled" }): Promise<void> {
    await client.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: `${name}-db` },
      stringData: { uri: url },
    });
    await client.create(`/apis/jobqueue.dev/v1alpha1/namespaces/${namespace}/jobstores`, {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobStore",
      metadata: { name },
      spec: { connection: { uriSecretRef: { name: `${name}-db`, key: "uri" }, tls } },
    });
  }

  const env = { KUBECONFIG: kubeconfig };

  it("is the JobStore 'default' of the namespace, with its Secret, schema and TLS", async () => {
    const enqueued = await runJobqueue(["enqueue", "mailers", "welcome", "-n", namespace], { env });
    expect(enqueued).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await runJobqueue(["status", "--namespace", namespace, "-o", "json"], { env });
    expect(JSON.parse(stdout)).toMatchObject([{ queue: "mailers", pending: 1 }]);
  });

  it("needs no flag where the context names the namespace, and --kubeconfig is stronger than KUBECONFIG", async () => {
    const rules = [
      { apiGroups: ["jobqueue.dev"], resources: ["jobstores"], verbs: ["get"] },
      { apiGroups: [""], resources: ["secrets"], resourceNames: ["default-db"], verbs: ["get"] },
    ];
    const account = await createServiceAccount(kubeconfig, { namespace, name: "reader", rules });
    expect(await runJobqueue(["status", "-o", "name"], { env: { KUBECONFIG: account } })).toMatchObject({
      code: 0,
      stdout: "mailers\n",
    });
    const args = ["status", "-o", "name", "--kubeconfig", account];
    expect(await runJobqueue(args, { env: { KUBECONFIG: "/no/such/file" } })).toMatchObject({
      code: 0,
      stdout: "mailers\n",
    });
  });

  it("names its actor after the cluster's user as well", async () => {
    const args = ["pause", "mailers", "--reason", "audit", "-n", namespace, "-o", "json"];
    const { stdout } = await runJobqueue(args, { env });
    const { actor } = JSON.parse(stdout) as { actor: string };
    const review = await client.create<{ status: { userInfo: { username: string } } }>(
      "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      {
        apiVersion: "authentication.k8s.io/v1",
        kind: "SelfSubjectReview",
      },
    );
    expect(actor).toMatch(/^\S+@\S+ \(.+\)$/);
    expect(actor).toContain(`(${review.status.userInfo.username})`);
  });

  it("ends with 3 where the JobStore, its Secret or the key is missing, and says which", async () => {
    const missing = await runJobqueue(["status", "-n", namespace, "--store", "other"], { env });
    expect(missing.code).toBe(3);
    expect(missing.stderr).toContain(`there is no JobStore other in namespace ${namespace}`);
    expect(missing.stderr).toContain("kubectl get jobstores -A");

    await createStore("broken", "x");
    await client.delete(`/api/v1/namespaces/${namespace}/secrets/broken-db`);
    const broken = await runJobqueue(["status", "-n", namespace, "--store", "broken"], { env });
    expect(broken).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`there is no Secret broken-db in namespace ${namespace}`),
    });

    await client.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: "broken-db" },
      stringData: { url: "x" },
    });
    const keyless = await runJobqueue(["status", "-n", namespace, "--store", "broken"], { env });
    expect(keyless).toMatchObject({ code: 3, stderr: expect.stringContaining("has no key uri") });
  });

  it("ends with 6 and one sentence where the account may not read the Secret", async () => {
    const rules = [{ apiGroups: ["jobqueue.dev"], resources: ["jobstores"], verbs: ["get"] }];
    const account = await createServiceAccount(kubeconfig, { namespace, name: "blind", rules });
    const { code, stderr } = await runJobqueue(["status"], { env: { KUBECONFIG: account } });
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /^jobqueue: Secret default-db in namespace \S+ cannot be read: secrets "default-db" is forbidden/,
    );
    expect(stderr).toContain("use --store-url");
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  });

  it("ends with 4 where nothing answers, and names store and JobStore, never the password", async () => {
    await createStore("down", "postgres://ana:s3cret@127.0.0.1:1/shop");
    const { code, stderr } = await runJobqueue(["status", "-n", namespace, "--store", "down"], { env });
    expect(code).toBe(4);
    expect(stderr).toContain(
      `the store at 127.0.0.1:1/shop, schema jobqueue, which JobStore ${namespace}/down names: `,
    );
    expect(stderr).not.toContain("s3cret");
  });

  describe("whose host only the cluster knows", () => {
    let directory: string;
    const inside = (): string => {
      const url = new URL(database.url);
      url.hostname = "db.data.svc";
      url.port = "5432";
      return url.href;
    };

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "jobqueue-kubectl-"));
      await createStore("inside", inside());
    });

    afterAll(() => {
      rmSync(directory, { recursive: true });
    });

    /** This API server has no kubelet to forward through, so a `kubectl` on the path stands for a forwarded port. */
    const withKubectl = (...lines: string[]) => {
      const path = join(directory, "kubectl");
      writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"));
      chmodSync(path, 0o755);
      return { ...env, PATH: `${directory}:${process.env["PATH"]}` };
    };

    it("is reached through kubectl port-forward", async () => {
      const { port } = new URL(database.url);
      const forwarding = withKubectl(
        `[ "$*" = "--namespace data port-forward --address 127.0.0.1 service/db :5432" ] || { echo "asked for $*" >&2; exit 1; }`,
        `echo "Forwarding from 127.0.0.1:${port} -> 5432"`,
        "exec sleep 600",
      );
      const args = ["status", "-n", namespace, "--store", "inside", "-o", "name"];
      expect(await runJobqueue(args, { env: forwarding })).toEqual({ code: 0, stdout: "mailers\n", stderr: "" });
    });

    it("ends with 4 and the line to run where forwarding does not work", async () => {
      const failing = withKubectl('echo "error: unable to forward port because pod is not running" >&2', "exit 1");
      const { code, stderr } = await runJobqueue(["status", "-n", namespace, "--store", "inside"], { env: failing });
      expect(code).toBe(4);
      expect(stderr).toContain("unable to forward port because pod is not running");
      expect(stderr).toContain("kubectl --namespace data port-forward --address 127.0.0.1 service/db 5432:5432");
      expect(stderr).toContain("--store-url postgres://USER:PASSWORD@127.0.0.1:5432/");
    });
  });
});

describe("jobqueue version --cluster", () => {
  it("says that the cluster serves both kinds, with the rights of any account", async () => {
    const namespace = await createNamespace(inject("kubeconfig"), "version");
    const account = await createServiceAccount(inject("kubeconfig"), { namespace, name: "nobody" });
    const { code, stdout, stderr } = await runJobqueue(["version", "--cluster"], { env: { KUBECONFIG: account } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/Kubernetes v1\.\d+\.\d+\S* serves JobQueue and JobStore of jobqueue\.dev\/v1alpha1/);
  });

  it("ends with 6 when there is no cluster to ask", async () => {
    expect(await runJobqueue(["version", "--cluster"])).toMatchObject({ code: 6, stdout: "" });
  });
});
