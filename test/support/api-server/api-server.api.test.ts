import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../cluster/wait-for.ts";
import { ApiClient, type KubeObject } from "./api-client.ts";
import { ApiServer } from "./api-server.ts";
import { createNamespace } from "./namespace.ts";
import { createServiceAccount } from "./service-account.ts";

const deployment = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "none" }] } },
  },
});

interface PodList {
  items: KubeObject[];
}

describe("the shared API server", () => {
  const kubeconfig = inject("kubeconfig");
  const client = new ApiClient(kubeconfig);

  it("turns a Deployment into pods, and garbage collects them when it is deleted", async () => {
    const namespace = await createNamespace(kubeconfig, "deployments");
    const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const pods = async () => (await client.get<PodList>(`/api/v1/namespaces/${namespace}/pods`)).items.length;
    await client.create(deployments, deployment("two"));
    await expect.poll(pods, { timeout: 30_000 }).toBe(2);
    await client.delete(`${deployments}/two`);
    await expect.poll(pods, { timeout: 30_000 }).toBe(0);
  });

  it("lets a service account do what its rules say and nothing else", async () => {
    const namespace = await createNamespace(kubeconfig, "accounts");
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }];
    const reader = new ApiClient(await createServiceAccount(kubeconfig, { namespace, name: "reader", rules }));
    await reader.get(`/api/v1/namespaces/${namespace}/configmaps`);
    await expect(reader.get(`/api/v1/namespaces/${namespace}/secrets`)).rejects.toMatchObject({ status: 403 });
    await expect(reader.get("/api/v1/configmaps")).rejects.toMatchObject({ status: 403 });
  });
});

describe("an API server of one's own", () => {
  let server: ApiServer;
  let client: ApiClient;

  beforeAll(async () => {
    server = await ApiServer.create({ audit: "Metadata" });
    client = new ApiClient(server.kubeconfig);
  });

  afterAll(async () => {
    await server.destroy();
  });

  it("keeps its data and its address when it is killed and started again", async () => {
    const namespace = await createNamespace(server.kubeconfig, "kept");
    await server.stop("SIGKILL");
    await expect(client.get("/api/v1/namespaces")).rejects.toThrow(/ECONNREFUSED/);
    await server.start();
    expect((await client.get(`/api/v1/namespaces/${namespace}`)).metadata.name).toBe(namespace);
  });

  it("records who asked what in the audit log", async () => {
    const outsider = new ApiClient(server.outsiderKubeconfig);
    await expect(outsider.get("/api/v1/secrets")).rejects.toMatchObject({ status: 403, reason: "Forbidden" });
    const seen = server.auditEvents().filter((event) => event.user.username === "outsider");
    expect(seen).toMatchObject([{ verb: "list", requestURI: "/api/v1/secrets", responseStatus: { code: 403 } }]);
  });

  it("freezes without losing its connections' work", async () => {
    server.apiserver.freeze(true);
    const answer = client.get("/readyz");
    const first = await Promise.race([answer, new Promise((resolve) => setImmediate(() => resolve("nothing yet")))]);
    expect(first).toBe("nothing yet");
    server.apiserver.freeze(false);
    expect(await answer).toBe("ok");
  });

  it("leaves nothing behind when it is destroyed", async () => {
    const other = await ApiServer.create();
    const pids = [other.etcd.pid, other.apiserver.pid, other.controllerManager.pid] as number[];
    await other.destroy();
    expect(existsSync(other.directory)).toBe(false);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe("a run that was killed", () => {
  it("leaves no servers, and its data are removed by the next run", async () => {
    const script = `
      const { ApiServer } = await import(${JSON.stringify(`${import.meta.dirname}/api-server.ts`)});
      const server = await ApiServer.create();
      console.log(JSON.stringify({ directory: server.directory, pids: [server.etcd.pid, server.apiserver.pid, server.controllerManager.pid] }));
      process.kill(process.pid, "SIGKILL");`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    const { directory, pids } = JSON.parse(stdout) as { directory: string; pids: number[] };
    await waitFor("the servers to end", () => pids.every((pid) => !isAlive(pid)), { timeoutMs: 30_000 });
    expect(existsSync(directory)).toBe(true);
    const { removeLeftovers } = await import("./leftovers.ts");
    removeLeftovers();
    expect(readdirSync(tmpdir())).not.toContain(directory.split("/").at(-1));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
