import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { isConflict, isInvalid, StatusError } from "./errors.ts";
import { defineResource, resourcePath } from "./resources.ts";
import { CONFIG_MAPS, connect, type ConfigMap, type Edge } from "./testing/edge.ts";
import { FaultProxy } from "./testing/fault-proxy.ts";
import { loadAccess } from "./access.ts";

interface Pod {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: { readonly phase?: string; readonly message?: string };
}

const PODS = defineResource<Pod>({ group: "", version: "v1", plural: "pods", kind: "Pod" });
const NAMESPACES = defineResource({
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
});
const CLUSTER_ROLES = defineResource<{ metadata?: object; rules?: object[] }>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural: "clusterroles",
  kind: "ClusterRole",
  namespaced: false,
});

const kubeconfig = inject("kubeconfig");
let edge: Edge;
let namespace: string;

beforeAll(async () => {
  edge = await connect(kubeconfig);
  namespace = await createNamespace(kubeconfig, "client");
});

afterAll(() => edge.close());

const configMap = (name: string, data: Record<string, string> = {}) => ({ metadata: { namespace, name }, data });
const pod = (name: string) => ({
  metadata: { namespace, name, finalizers: ["test/keep"] },
  spec: { containers: [{ name: "main", image: "none" }] },
});

describe("reads", () => {
  it("get gives the object, find gives nothing where get refuses", async () => {
    await edge.client.create(CONFIG_MAPS, configMap("read", { a: "1" }));
    const ref = { namespace, name: "read" };
    expect(await edge.client.get(CONFIG_MAPS, ref)).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      data: { a: "1" },
    });
    await expect(edge.client.get(CONFIG_MAPS, { namespace, name: "none" })).rejects.toMatchObject({
      reason: "NotFound",
    });
    expect(await edge.client.find(CONFIG_MAPS, { namespace, name: "none" })).toBeUndefined();
  });

  it("leave times as they are on the wire", async () => {
    const found = await edge.client.get(NAMESPACES, { name: namespace });
    expect(found.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it("find names with upper case", async () => {
    const name = `system:MyRole-${namespace}`;
    await edge.client.create(CLUSTER_ROLES, { metadata: { name }, rules: [] });
    expect((await edge.client.get(CLUSTER_ROLES, { name })).metadata.name).toBe(name);
    await edge.client.delete(CLUSTER_ROLES, { name });
  });

  it("narrow lists by labels and fields, and name the kind of every item", async () => {
    for (const name of ["l1", "l2"]) {
      await edge.client.create(CONFIG_MAPS, { metadata: { namespace, name, labels: { list: name } } });
    }
    const names = async (selection: object) => {
      const { items } = await edge.client.list(CONFIG_MAPS, { namespace, ...selection });
      expect(items.every(({ kind, apiVersion }) => kind === "ConfigMap" && apiVersion === "v1")).toBe(true);
      return items.map(({ metadata }) => metadata.name);
    };
    expect(await names({ labelSelector: "list" })).toEqual(["l1", "l2"]);
    expect(await names({ labelSelector: "list in (l2)" })).toEqual(["l2"]);
    expect(await names({ fieldSelector: "metadata.name=l1" })).toEqual(["l1"]);
  });

  it("start a list over, in one page, when its continue token expires", async () => {
    const proxy = await FaultProxy.start(await loadAccess({ kubeconfig }));
    const through = await connect(proxy.access);
    const page = await edge.client.transport.request<{ metadata: object }>({
      method: "GET",
      path: resourcePath(CONFIG_MAPS, { namespace }),
      query: { limit: 1 },
    });
    const isFirst = ({ url }: { url: string }) => !url.includes("continue=");
    proxy.add({ when: isFirst, fault: { kind: "answer", code: 200, body: page }, times: 1 });
    const expired = { kind: "Status", code: 410, reason: "Expired" };
    proxy.add({ when: (request) => !isFirst(request), fault: { kind: "answer", code: 410, body: expired } });
    const { items } = await through.client.list(CONFIG_MAPS, { namespace });
    expect(items.length).toBe((await edge.client.list(CONFIG_MAPS, { namespace })).items.length);
    expect(proxy.requests.map(({ url }) => url.includes("limit="))).toEqual([true, true, false]);
    await through.close();
    await proxy.stop();
  });
});

describe("server-side apply", () => {
  const apply = (object: Parameters<typeof edge.client.apply<ConfigMap>>[1], fieldManager: string, force = false) =>
    edge.client.apply(CONFIG_MAPS, object, { fieldManager, force });

  it("makes, changes and takes back the fields of its manager, and leaves those of others alone", async () => {
    await apply(configMap("applied", { a: "1", b: "1" }), "one");
    await apply(configMap("applied", { c: "1" }), "two");
    const result = await apply(configMap("applied", { a: "2" }), "one");
    expect(result.data).toEqual({ a: "2", c: "1" });
  });

  it("that changes nothing does not change the resourceVersion", async () => {
    const first = await apply(configMap("same", { a: "1" }), "one");
    const second = await apply(configMap("same", { a: "1" }), "one");
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it("conflicts over another manager's field, unless forced", async () => {
    await apply(configMap("contested", { a: "1" }), "one");
    const refused = await apply(configMap("contested", { a: "2" }), "two").catch((error: unknown) => error);
    expect(isConflict(refused)).toBe(true);
    expect((refused as StatusError).details?.causes?.[0]).toMatchObject({ field: ".data.a" });
    expect((await apply(configMap("contested", { a: "2" }), "two", true)).data).toEqual({ a: "2" });
  });

  it("with a uid changes that one object only: it does not make a second life", async () => {
    const { metadata } = await apply(configMap("uid", { a: "1" }), "one");
    const same = { ...configMap("uid", { a: "2" }), metadata: { namespace, name: "uid", uid: metadata.uid } };
    expect((await apply(same, "one")).data).toEqual({ a: "2" });
    await edge.client.delete(CONFIG_MAPS, { namespace, name: "uid" });
    await expect(apply(same, "one", true)).rejects.toMatchObject({ reason: "Conflict" });
  });

  it("dry run admits and stores nothing", async () => {
    const result = await edge.client.apply(CONFIG_MAPS, configMap("dry", { a: "1" }), {
      fieldManager: "one",
      dryRun: true,
    });
    expect(result.metadata.uid).not.toBe("");
    expect(await edge.client.find(CONFIG_MAPS, { namespace, name: "dry" })).toBeUndefined();
  });

  it("of a status writes the status and not the object", async () => {
    await edge.client.create(PODS, pod("status"));
    const body = { ...pod("status"), spec: {}, status: { message: "hello" } };
    const options = { fieldManager: "one", subresource: "status", force: true };
    const result = await edge.client.apply(PODS, body, options);
    expect(result.status?.message).toBe("hello");
    expect(result.spec).toMatchObject({ containers: [{ image: "none" }] });
  });
});

describe("patches and replacement", () => {
  const ref = (name: string) => ({ namespace, name });

  it("a merge patch changes what it names, and null removes", async () => {
    await edge.client.create(CONFIG_MAPS, configMap("merge", { a: "1", b: "1" }));
    const result = await edge.client.mergePatch(CONFIG_MAPS, ref("merge"), { data: { a: null, c: "1" } });
    expect(result.data).toEqual({ b: "1", c: "1" });
  });

  it("a merge patch with a resourceVersion applies to that version only", async () => {
    const { metadata } = await edge.client.create(CONFIG_MAPS, configMap("merge-once"));
    const patch = { metadata: { resourceVersion: metadata.resourceVersion }, data: { a: "1" } };
    await edge.client.mergePatch(CONFIG_MAPS, ref("merge-once"), patch);
    const again = { ...patch, data: { a: "2" } };
    await expect(edge.client.mergePatch(CONFIG_MAPS, ref("merge-once"), again)).rejects.toMatchObject({
      reason: "Conflict",
    });
  });

  it("a JSON patch whose test fails changes nothing", async () => {
    await edge.client.create(CONFIG_MAPS, configMap("json", { a: "1" }));
    const patch = (expected: string) =>
      edge.client.jsonPatch(CONFIG_MAPS, ref("json"), [
        { op: "test", path: "/data/a", value: expected },
        { op: "replace", path: "/data/a", value: "2" },
      ]);
    await expect(patch("other")).rejects.toMatchObject({ code: 422 });
    expect((await patch("1")).data).toEqual({ a: "2" });
  });

  it("a replacement needs the version it is based on", async () => {
    const first = await edge.client.create(CONFIG_MAPS, configMap("put", { a: "1" }));
    await edge.client.replace(CONFIG_MAPS, { ...first, data: { a: "2" } });
    await expect(edge.client.replace(CONFIG_MAPS, { ...first, data: { a: "3" } })).rejects.toMatchObject({
      reason: "Conflict",
    });
  });
});

describe("deletion", () => {
  it("happens only to the object that was meant", async () => {
    const { metadata } = await edge.client.create(CONFIG_MAPS, configMap("meant"));
    const ref = { namespace, name: "meant" };
    const remove = (uid: string) => edge.client.delete(CONFIG_MAPS, ref, { preconditions: { uid } });
    await expect(remove("00000000-0000-0000-0000-000000000000")).rejects.toMatchObject({ reason: "Conflict" });
    await remove(metadata.uid);
    await expect(remove(metadata.uid)).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("can be asked for by eviction, with the same precondition", async () => {
    const created = await edge.client.create(PODS, pod("evicted"));
    const ref = { namespace, name: "evicted" };
    await edge.client.post(PODS, ref, "eviction", {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: ref,
      deleteOptions: { preconditions: { uid: created.metadata.uid } },
    });
    const evicted = await edge.client.find(PODS, ref);
    expect(evicted?.metadata.deletionTimestamp).toBeDefined(); // kept by its finalizer
  });
});

describe("refusals", () => {
  it("name the fields that broke a rule", async () => {
    const refused = await edge.client
      .create(PODS, { metadata: { namespace, name: "bad" }, spec: {} })
      .catch((error: unknown) => error);
    expect(isInvalid(refused)).toBe(true);
    expect((refused as StatusError).details?.causes).toContainEqual(
      expect.objectContaining({ field: "spec.containers" }),
    );
    expect((refused as StatusError).message).toMatch(/^POST \/api\/v1\/namespaces\/.*spec\.containers: Required value/);
  });

  it("say that something of the name is there, or that the namespace is not", async () => {
    await edge.client.create(CONFIG_MAPS, configMap("twice"));
    await expect(edge.client.create(CONFIG_MAPS, configMap("twice"))).rejects.toMatchObject({
      reason: "AlreadyExists",
      retry: "never",
    });
    const elsewhere = { metadata: { namespace: "no-such", name: "a" } };
    await expect(edge.client.create(CONFIG_MAPS, elsewhere)).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("of unknown fields, when asked to be strict", async () => {
    const typo = { ...configMap("typo"), dta: {} } as ReturnType<typeof configMap>;
    const options = { fieldValidation: "Strict" } as const;
    await expect(edge.client.create(CONFIG_MAPS, typo, options)).rejects.toMatchObject({ code: 400 });
  });

  it("of a user without rights are Forbidden, and may pass when somebody grants them", async () => {
    const outsider = await connect(join(dirname(kubeconfig), "outsider.kubeconfig"));
    await expect(outsider.client.list(CONFIG_MAPS, { namespace })).rejects.toMatchObject({
      reason: "Forbidden",
      retry: "backoff",
    });
    await outsider.close();
  });
});
