import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { readKubeconfig } from "../../../test/support/api-server/kubeconfig.ts";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { loadAccess, type Access } from "./access.ts";
import { CONFIG_MAPS, connect, type Edge } from "./testing/edge.ts";
import { FaultProxy } from "./testing/fault-proxy.ts";

const kubeconfig = inject("kubeconfig");
let namespace: string;
let access: Access;
let proxy: FaultProxy;
let edge: Edge;

beforeAll(async () => {
  namespace = await createNamespace(kubeconfig, "transport");
  access = await loadAccess({ kubeconfig });
});

beforeEach(async () => {
  proxy = await FaultProxy.start(access);
  edge = await connect(proxy.access);
});

afterEach(async () => {
  await edge.close();
  await proxy.stop();
});

const tooMany = { kind: "Status", code: 429, reason: "TooManyRequests", message: "slow down" };
const write = (name: string) => edge.client.create(CONFIG_MAPS, { metadata: { namespace, name } });

describe("connections", () => {
  it("are kept and used again: a hundred calls one after the other need no more than two", async () => {
    for (let call = 0; call < 100; call += 1) await edge.client.serverVersion();
    // The second is opened because the first is not free again at the instant its answer has been read.
    expect(proxy.connections).toBeLessThanOrEqual(2);
  });

  it("a read that meets one the server has just closed is repeated", async () => {
    await edge.client.serverVersion();
    proxy.add({ when: () => true, fault: { kind: "reset" }, times: 1 });
    expect((await edge.client.serverVersion()).gitVersion).toMatch(/^v1\./);
    expect(await edge.metric("requestRetries", { verb: "GET" })).toBe(1);
  });

  it("K6: a write that loses its answer is not repeated, and its outcome is said to be unknown", async () => {
    proxy.add({ when: ({ method }) => method === "POST", fault: { kind: "lost answer" } });
    await expect(write("lost")).rejects.toMatchObject({ reason: "ConnectionFailed", retry: "backoff", code: 0 });
    expect(proxy.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
    expect(await edge.client.find(CONFIG_MAPS, { namespace, name: "lost" })).toBeDefined();
  });

  it("refused at all say so", async () => {
    const nowhere = await connect({ ...proxy.access, server: "http://127.0.0.1:1" });
    await expect(nowhere.client.serverVersion()).rejects.toMatchObject({ reason: "ConnectionFailed" });
    expect(await nowhere.metric("requests", { code: "<error>", method: "GET" })).toBe(1);
    await nowhere.close();
  });
});

describe("time", () => {
  it("a request without an answer ends with Timeout", async () => {
    proxy.add({ when: () => true, fault: { kind: "silence" } });
    await expect(edge.client.serverVersion({ timeoutMs: 50 })).rejects.toMatchObject({ reason: "Timeout" });
  });

  it("a request whose caller gives up ends with Aborted, also when he gave up before", async () => {
    proxy.add({ when: () => true, fault: { kind: "silence" } });
    const stop = new AbortController();
    const asking = edge.client.serverVersion({ signal: stop.signal });
    stop.abort();
    await expect(asking).rejects.toMatchObject({ reason: "Aborted", retry: "never" });
    await expect(edge.client.serverVersion({ signal: stop.signal })).rejects.toMatchObject({ reason: "Aborted" });
  });

  it("close fails what is under way and what comes later", async () => {
    proxy.add({ when: () => true, fault: { kind: "silence" } });
    const asking = edge.client.serverVersion();
    const failure = asking.catch((error: unknown) => error);
    // When this second request has ended, the first is under way.
    await expect(edge.client.serverVersion({ timeoutMs: 20 })).rejects.toMatchObject({ reason: "Timeout" });
    await edge.close();
    expect(await failure).toMatchObject({ code: 0 });
    await expect(edge.client.serverVersion()).rejects.toMatchObject({ code: 0 });
  });
});

describe("Retry-After", () => {
  it.for([
    { what: "of a 429 to a write", code: 429, body: tooMany },
    { what: "of a 503 by a load balancer, without a Status", code: 503, body: "<html>busy</html>" },
  ])("$what is obeyed", async ({ code, body }) => {
    proxy.add({ when: () => true, fault: { kind: "answer", code, headers: { "retry-after": "1" }, body }, times: 1 });
    const began = performance.now();
    await write(`obeyed-${code}`);
    expect(performance.now() - began).toBeGreaterThanOrEqual(1000);
    expect(await edge.metric("requestRetries", { code: String(code), verb: "POST" })).toBe(1);
  });

  it("beyond the request's own time, or too often, is left to the caller", async () => {
    const fault = (seconds: string) =>
      ({ kind: "answer", code: 429, headers: { "retry-after": seconds }, body: tooMany }) as const;
    proxy.add({ when: () => true, fault: fault("60"), times: 1 });
    await expect(write("later")).rejects.toMatchObject({ code: 429, retry: "after", retryAfterSeconds: 60 });
    proxy.add({ when: () => true, fault: fault("0") });
    const before = proxy.requests.length;
    await expect(write("later")).rejects.toMatchObject({ code: 429 });
    expect(proxy.requests.length - before).toBe(4);
    await expect(edge.client.serverVersion({ retries: 0 })).rejects.toMatchObject({ code: 429 });
  });

  it("is not invented: a 500 is not repeated", async () => {
    proxy.add({ when: () => true, fault: { kind: "answer", code: 500, body: "oops" } });
    await expect(edge.client.serverVersion()).rejects.toThrow("GET /version: oops (500 InternalError)");
    expect(proxy.requests).toHaveLength(1);
  });
});

describe("answers", () => {
  it("that are not JSON are an error, not a crash", async () => {
    proxy.add({ when: () => true, fault: { kind: "answer", code: 200, body: "<html>login</html>" } });
    await expect(edge.client.serverVersion()).rejects.toMatchObject({ reason: "MalformedResponse" });
  });

  it("are observed once each", async () => {
    await edge.client.serverVersion();
    await edge.client.find(CONFIG_MAPS, { namespace, name: "nobody" });
    expect(edge.requests.map(({ method, path, code }) => `${method} ${path} ${code}`)).toEqual([
      "GET /version 200",
      `GET /api/v1/namespaces/${namespace}/configmaps/nobody 404`,
    ]);
    expect(await edge.metric("requests", { code: "200", method: "GET" })).toBe(1);
  });
});

describe("the bucket of writes", () => {
  it("makes writes wait, but neither reads nor what is urgent", async () => {
    const slow = await connect(kubeconfig, { writes: { perSecond: 0.001, burst: 1 } });
    const create = (name: string, options: object) =>
      slow.client.create(CONFIG_MAPS, { metadata: { namespace, name } }, options);
    await create("first", {});
    await expect(create("second", { timeoutMs: 100 })).rejects.toMatchObject({ reason: "Timeout" });
    await slow.client.serverVersion({ timeoutMs: 10_000 });
    await create("urgent", { timeoutMs: 10_000, urgent: true });
    await slow.close();
  });
});

describe("credentials that change while we run", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "transport-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("K7: a refused token is read again at once, and the request repeated with the new one", async () => {
    const { server, ca, token } = readKubeconfig(kubeconfig);
    for (const [name, text] of [
      ["token", "outdated"],
      ["ca.crt", ca],
      ["namespace", namespace],
    ] as const) {
      writeFileSync(join(directory, name), text);
    }
    const { hostname, port } = new URL(server);
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const pod = await connect(await loadAccess({ env, serviceAccount: directory }));
    const list = () => pod.client.list(CONFIG_MAPS, { namespace });
    await expect(list()).rejects.toMatchObject({ code: 401, reason: "Unauthorized" });
    writeFileSync(join(directory, "token"), `${token}\n`); // what the kubelet does
    await list();
    expect(pod.requests.map(({ code }) => code)).toEqual([401, 401, 200]);
    await pod.close();
  });

  it("a new authority gets new connections", async () => {
    const { ca, certificate } = { ca: (await access.credentials()).ca, certificate: OTHER_AUTHORITY };
    let current: string | undefined = certificate;
    const changing = await connect({
      ...access,
      credentials: async () => ({ ...(await access.credentials()), ca: current }),
    });
    await expect(changing.client.serverVersion()).rejects.toMatchObject({ reason: "ConnectionFailed" });
    current = ca;
    await changing.client.serverVersion();
    await changing.close();
  });
});

/** A certificate authority that signed nothing here (ISRG Root X2, public). */
const OTHER_AUTHORITY = `-----BEGIN CERTIFICATE-----
MIICGzCCAaGgAwIBAgIQQdKd0XLq7qeAwSxs6S+HUjAKBggqhkjOPQQDAzBPMQsw
CQYDVQQGEwJVUzEpMCcGA1UEChMgSW50ZXJuZXQgU2VjdXJpdHkgUmVzZWFyY2gg
R3JvdXAxFTATBgNVBAMTDElTUkcgUm9vdCBYMjAeFw0yMDA5MDQwMDAwMDBaFw00
MDA5MTcxNjAwMDBaME8xCzAJBgNVBAYTAlVTMSkwJwYDVQQKEyBJbnRlcm5ldCBT
ZWN1cml0eSBSZXNlYXJjaCBHcm91cDEVMBMGA1UEAxMMSVNSRyBSb290IFgyMHYw
EAYHKoZIzj0CAQYFK4EEACIDYgAEzZvVn4CDCuwJSvMWSj5cz3es3mcFDR0HttwW
+1qLFNvicWDEukWVEYmO6gbf9yoWHKS5xcUy4APgHoIYOIvXRdgKam7mAHf7AlF9
ItgKbppbd9/w+kHsOdx1ymgHDB/qo0IwQDAOBgNVHQ8BAf8EBAMCAQYwDwYDVR0T
AQH/BAUwAwEB/zAdBgNVHQ4EFgQUfEKWrt5LSDv6kviejM9ti6lyN5UwCgYIKoZI
zj0EAwMDaAAwZQIwe3lORlCEwkSHRhtFcP9Ymd70/aTSVaYgLXTWNLxBo1BfASdW
tL4ndQavEi51mI38AjEAi/V3bNTIZargCyzuFJ0nN6T5U6VR5CmD1/iQMVtCnwr1
/q4AaOeMSQ+2b1tbFfLn
-----END CERTIFICATE-----
`;
