import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { describeService } from "../runtime/service.suite.ts";
import { Signals } from "../runtime/testing/signals.ts";
import { loadAccess } from "./access.ts";
import { Cache } from "./cache.ts";
import { Informer } from "./informer.ts";
import { Reflector, type Change, type ReflectorOptions } from "./reflector.ts";
import { CONFIG_MAPS, connect, type ConfigMap, type Edge } from "./testing/edge.ts";
import { FaultProxy, type LineFate } from "./testing/fault-proxy.ts";

const kubeconfig = inject("kubeconfig");
/** Fast enough that no test waits long for a retry. */
const TIMES = { backoffBaseMs: 20, backoffMaxMs: 200 };

let direct: Edge;
let proxy: FaultProxy;
let through: Edge;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  direct = await connect(kubeconfig);
  proxy = await FaultProxy.start(await loadAccess({ kubeconfig }));
  through = await connect(proxy.access);
});

afterEach(async () => {
  proxy.clear();
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

afterAll(async () => {
  await through.close();
  await proxy.stop();
  await direct.close();
});

/** What a reflector tells: changes of its cache, and the constant sentences of its log. */
type Signal = { readonly change: Change<ConfigMap> } | { readonly logged: string; readonly fields: object };

function reflect(edge: Edge, namespace: string, options: Partial<ReflectorOptions<ConfigMap>> = {}) {
  const signals = new Signals<Signal>();
  const line = (fields: object, logged: string) => signals.tell({ logged, fields });
  const log: Log = { debug: line, info: line, warn: line, error: line };
  const cache = options.cache ?? new Cache<ConfigMap>();
  const reflector = new Reflector({
    name: namespace,
    client: edge.client,
    resource: CONFIG_MAPS,
    selection: { namespace, labelSelector: "test" },
    clock: systemClock,
    log,
    metrics: edge.metrics,
    times: TIMES,
    ...options,
    cache,
    onChange: (change) => {
      options.onChange?.(change);
      signals.tell({ change });
    },
  });
  running.push(reflector);
  const changes = () => signals.all.flatMap((signal) => ("change" in signal ? [signal.change] : []));
  return {
    reflector,
    cache,
    signals,
    /** "added a", "updated a 2": type, name and value of each change so far. */
    story: () =>
      changes().map(({ type, object }) => `${type} ${object.metadata.name} ${object.data?.["value"] ?? ""}`.trim()),
    changes,
    /** Names and values in the cache. */
    content: () => contentOf([...cache.values()]),
    /** Waits until the cache is what the API server has. */
    converged: async () => {
      const truth = contentOf((await direct.client.list(CONFIG_MAPS, { namespace, labelSelector: "test" })).items);
      await signals.until(() => JSON.stringify(contentOf([...cache.values()])) === JSON.stringify(truth));
      return truth;
    },
    /** How many failures with this reason were logged. */
    logged: (reason: string) =>
      signals.all.filter((signal) => "fields" in signal && (signal.fields as { reason?: string }).reason === reason)
        .length,
    /** Failures counted with this reason, or with any. */
    failures: (reason?: string) => edge.metric("failures", { name: namespace, ...(reason && { reason }) }),
    repaired: () => edge.metric("repaired", { name: namespace }),
    lists: () => edge.metric("lists", { name: namespace }),
    watches: () => edge.metric("watches", { name: namespace }),
  };
}

type Reflection = ReturnType<typeof reflect>;

function contentOf(objects: readonly ConfigMap[]): Record<string, string> {
  const entries = objects.map(
    ({ metadata, data }) => [(metadata as { name: string }).name, data?.["value"] ?? ""] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const put = (namespace: string, name: string, value: string) =>
  direct.client.apply(
    CONFIG_MAPS,
    { metadata: { namespace, name, labels: { test: "" } }, data: { value } },
    { fieldManager: "test", force: true },
  );
const remove = (namespace: string, name: string) => direct.client.delete(CONFIG_MAPS, { namespace, name });
const isWatch = (namespace: string) => (request: { url: string; watch: boolean }) =>
  request.watch && request.url.includes(`/${namespace}/`);
const isList = (namespace: string) => (request: { url: string; watch: boolean }) =>
  !request.watch && request.url.includes(`/${namespace}/`);

describeService("a reflector", async () => {
  const namespace = await createNamespace(kubeconfig, "lifecycle");
  return { service: reflect(direct, namespace).reflector };
});

describe("a reflector", () => {
  it("delivers what is there, then what happens, and forgets managedFields", async () => {
    const namespace = await createNamespace(kubeconfig, "follow");
    await put(namespace, "a", "1");
    const { reflector, cache, signals, story, changes } = reflect(direct, namespace);
    await reflector.start();
    expect(await reflector.synced()).toBe(true);
    expect(reflector.hasSynced).toBe(true);
    await put(namespace, "b", "1");
    await put(namespace, "a", "2");
    await remove(namespace, "a");
    await signals.until(() => story().includes("deleted a 2"));
    expect(story()).toEqual(["added a 1", "added b 1", "updated a 2", "deleted a 2"]);
    expect(changes().map((change) => change.type === "added" && change.initial)).toEqual([true, false, false, false]);
    expect(cache.get(`${namespace}/b`)).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { value: "1" } });
    expect(cache.get(`${namespace}/b`)?.metadata).not.toHaveProperty("managedFields");
    expect(changes()[0]?.object).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  });

  it("K10: reads a list of many pages, and keeps nothing of one that fails halfway", async () => {
    const namespace = await createNamespace(kubeconfig, "pages");
    const names = Array.from({ length: 520 }, (_, index) => `c${index}`);
    const fast = await connect(kubeconfig, { writes: { perSecond: 10_000, burst: 10_000 } });
    await Promise.all(
      names.map((name) => fast.client.create(CONFIG_MAPS, { metadata: { namespace, name, labels: { test: "" } } })),
    );
    await fast.close();
    proxy.add({ when: (request) => request.url.includes("continue="), fault: { kind: "reset" }, times: 2 });
    const { reflector, cache, signals, changes, lists } = reflect(through, namespace);
    await reflector.start();
    await signals.first((signal) => "logged" in signal);
    expect(cache.size).toBe(0);
    expect(reflector.hasSynced).toBe(false);
    expect(await reflector.synced()).toBe(true);
    expect(cache.size).toBe(520);
    expect(changes()).toHaveLength(520);
    expect(await lists()).toBe(2);
  });

  it("starts without an API server, and catches up when there is one", async () => {
    const namespace = await createNamespace(kubeconfig, "late");
    await put(namespace, "a", "1");
    proxy.add({ when: isList(namespace), fault: { kind: "reset" }, times: 6 });
    const { reflector, converged, failures } = reflect(through, namespace);
    await reflector.start();
    expect(await reflector.synced()).toBe(true);
    expect(await converged()).toEqual({ a: "1" });
    expect(await failures("ConnectionFailed")).toBe(3); // each attempt is two requests
  });

  it("says that it never synced when it is stopped before", async () => {
    const namespace = await createNamespace(kubeconfig, "never");
    proxy.add({ when: isList(namespace), fault: { kind: "silence" } });
    const { reflector } = reflect(through, namespace);
    await reflector.start();
    const synced = reflector.synced();
    await reflector.stop();
    expect(await synced).toBe(false);
  });

  it("goes on when a handler throws, and counts it", async () => {
    const namespace = await createNamespace(kubeconfig, "handler");
    await put(namespace, "a", "1");
    const { reflector, signals, content } = reflect(direct, namespace, {
      onChange: ({ object }) => {
        if (object.metadata.name === "a") throw new Error("a defect of the handler");
      },
    });
    await reflector.start();
    await put(namespace, "b", "1");
    await signals.first((signal) => "change" in signal && signal.change.object.metadata.name === "b");
    expect(content()).toEqual({ a: "1", b: "1" });
    expect(await direct.metric("handlerErrors", { name: namespace })).toBe(1);
  });

  it("says nothing after stop, and its progress age is no longer exported", async () => {
    const namespace = await createNamespace(kubeconfig, "final");
    const { reflector, story } = reflect(direct, namespace);
    await reflector.start();
    await reflector.synced();
    await reflector.stop();
    await put(namespace, "a", "1");
    const other = reflect(direct, namespace);
    await other.reflector.start();
    await other.reflector.synced();
    expect(other.story()).toEqual(["added a 1"]);
    expect(story()).toEqual([]);
    await other.reflector.stop();
    expect(
      (await direct.metrics.progressAge.get()).values.filter((value) => value.labels["name"] === namespace),
    ).toEqual([]);
  });
});

/** Changes made while a fault acts: objects updated twice, deleted, created, created and deleted, deleted and created again. */
async function churn(namespace: string): Promise<void> {
  await put(namespace, "updated", "2");
  await put(namespace, "brief", "1");
  await put(namespace, "updated", "3");
  await remove(namespace, "brief");
  await remove(namespace, "deleted");
  await put(namespace, "created", "1");
  await remove(namespace, "reborn");
  await put(namespace, "reborn", "2");
}

interface WatchFault {
  readonly name: string;
  readonly fate: (line: string, index: number) => LineFate;
  /** Reason of the one failure that is counted; absent: none is. */
  readonly reason?: string;
  readonly times?: number;
}

describe("K4, K3: through a faulty watch the cache still becomes what the API server has, with the watch that", () => {
  it.for<WatchFault>([
    {
      name: "is reset in mid-stream",
      fate: (line, index) => (index === 2 ? "reset" : [line]),
      reason: "ConnectionFailed",
    },
    {
      name: "ends within a line",
      fate: (line, index) => (index === 1 ? "truncate" : [line]),
      reason: "MalformedResponse",
    },
    {
      name: "ends in good order again and again",
      fate: (line, index) => (index === 1 ? "end" : [line]),
      times: 4,
    },
    { name: "falls silent", fate: (line, index) => (index === 1 ? "stall" : [line]), reason: "Silent" },
    { name: "tells everything twice", fate: (line) => [line, line] },
    { name: "tells everything that it told before again", fate: repeatingFate(), reason: "OutOfOrder" },
    { name: "mixes up the order", fate: swappingFate(), reason: "OutOfOrder" },
    {
      name: "brings something that is not JSON",
      fate: (line, index) => (index === 1 ? ["{oops"] : [line]),
      reason: "MalformedResponse",
    },
    {
      name: "brings an event of no known type",
      fate: (line, index) => (index === 1 ? ['{"type":"NEWS","object":{"metadata":{"resourceVersion":"1"}}}'] : [line]),
      reason: "MalformedResponse",
    },
    {
      name: "brings an error of the server",
      fate: (line, index) => (index === 1 ? [errorEvent(500, "InternalError")] : [line]),
      reason: "InternalError",
    },
    {
      name: "says that the version has expired",
      fate: (line, index) => (index === 1 ? [errorEvent(410, "Expired")] : [line]),
      reason: "Expired",
    },
  ])("$name", async ({ fate, reason, times = 1 }) => {
    const namespace = await createNamespace(kubeconfig, "faulty");
    for (const name of ["updated", "deleted", "reborn", "kept"]) await put(namespace, name, "1");
    proxy.add({ when: isWatch(namespace), fault: { kind: "stream", fate }, times });
    const reflection = reflect(through, namespace, { times: { ...TIMES, silenceMs: 700 } });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await churn(namespace);
    await expectConverged(reflection);
    await put(namespace, "afterwards", "1");
    await expectConverged(reflection);
    expect(await reflection.failures(reason)).toBe(reason === undefined ? 0 : 1);
    expect(await reflection.lists()).toBe(reason === "Expired" || reason === "OutOfOrder" ? 2 : 1);
    expect(await reflection.repaired()).toBe(0);
  });
});

/** Every change was told once, none was taken back, and a rebirth was a deletion and an addition. */
async function expectConverged({ converged, changes, story }: Reflection): Promise<void> {
  await converged();
  expect(story()).toEqual([...new Set(story())]);
  const reborn = changes().filter(({ object }) => object.metadata.name === "reborn");
  expect(reborn.map(({ type }) => type)).toEqual(["added", "deleted", "added"]);
  expect(reborn[2]?.object.metadata.uid).not.toBe(reborn[0]?.object.metadata.uid);
}

function repeatingFate(): (line: string) => LineFate {
  const told: string[] = [];
  return (line) => {
    told.push(line);
    return [...told];
  };
}

/** Holds the second event back until the third has been told. */
function swappingFate(): (line: string, index: number) => LineFate {
  let held = "";
  return (line, index) => {
    if (index === 1) held = line;
    return index === 1 ? [] : index === 2 ? [line, held] : [line];
  };
}

function errorEvent(code: number, reason: string): string {
  return JSON.stringify({
    type: "ERROR",
    object: { kind: "Status", apiVersion: "v1", code, reason, message: "by the test" },
  });
}

describe("K3: a watch that stalls without a word", () => {
  it("K3: shows in the progress age, is given up within twice the silence allowed, and resumes from where it was", async () => {
    const namespace = await createNamespace(kubeconfig, "stalled");
    await put(namespace, "a", "1");
    const stalled = proxy.add({ when: isWatch(namespace), fault: { kind: "stream", fate: () => "stall" }, times: 1 });
    const silenceMs = 3000;
    const reflection = reflect(through, namespace, { times: { ...TIMES, silenceMs } });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await stalled.spent;
    const began = performance.now();
    await put(namespace, "a", "2");
    expect(reflection.reflector.isCurrent(silenceMs)).toBe(true);
    const age = () => through.metric("progressAge", { name: namespace });
    await eventually("the progress age to tell", async () => ((await age()) > 0.5 ? true : undefined), { everyMs: 50 });
    expect(await reflection.converged()).toEqual({ a: "2" });
    expect(performance.now() - began).toBeLessThan(2 * silenceMs);
    expect(await reflection.lists()).toBe(1);
    expect(await age()).toBeLessThan(silenceMs / 1000);
  });
});

describe("a reflector that is asked to catch up", () => {
  it("K1, K5: lists anew at once, although its watch stands silent or its next try is far away", async () => {
    const namespace = await createNamespace(kubeconfig, "catch-up");
    await put(namespace, "a", "1");
    const stalled = proxy.add({ when: isWatch(namespace), fault: { kind: "stream", fate: () => "stall" }, times: 1 });
    const reflection = reflect(through, namespace, {
      times: { ...TIMES, backoffBaseMs: 600_000, backoffMaxMs: 600_000 },
    });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await stalled.spent;
    await put(namespace, "a", "2");
    expect(await reflection.reflector.catchUp()).toBe(true);
    expect(reflection.content()).toEqual({ a: "2" });

    proxy.add({ when: isWatch(namespace), fault: { kind: "reset" } });
    proxy.resetConnections();
    await reflection.signals.until(() => reflection.logged("ConnectionFailed") === 1);
    expect(reflection.reflector.isCurrent(60_000)).toBe(false);
    expect(reflection.reflector.trouble).toMatch(/^GET .*configmaps/);
    await put(namespace, "a", "3");
    expect(await Promise.all([reflection.reflector.catchUp(), reflection.reflector.catchUp()])).toEqual([true, true]);
    expect(reflection.content()).toEqual({ a: "3" });
    expect(await reflection.repaired()).toBe(0);
  });

  it("waits for an API server that is away, and for no list when it is stopped", async () => {
    const namespace = await createNamespace(kubeconfig, "catch-late");
    const reflection = reflect(through, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    proxy.add({ when: isList(namespace), fault: { kind: "reset" }, times: 4 });
    expect(await reflection.reflector.catchUp()).toBe(true);
    proxy.add({ when: isList(namespace), fault: { kind: "silence" } });
    const never = reflection.reflector.catchUp();
    await reflection.reflector.stop();
    expect(await never).toBe(false);
    expect(await reflection.reflector.catchUp()).toBe(false);
  });
});

describe("a watch of a kind on which nothing happens", () => {
  const watchesOf = (namespace: string) => proxy.requests.filter(isWatch(namespace));
  const versionOf = ({ url }: { url: string }) => Number(new URL(url, "http://x").searchParams.get("resourceVersion"));

  it("is ended by the server now and then, and opened again: no list, no failure", async () => {
    const namespace = await createNamespace(kubeconfig, "quiet");
    const reflection = reflect(through, namespace, { times: { ...TIMES, watchMinMs: 4000, watchMaxMs: 4000 } });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await eventually("a second watch", async () => watchesOf(namespace)[1]);
    expect(await reflection.failures()).toBe(0);
    expect(await reflection.lists()).toBe(1);
    expect(reflection.reflector.progressAgeMs()).toBeLessThan(4000);
  });

  it("is opened again from where bookmarks have brought it, so that its version does not expire", async () => {
    const namespace = await createNamespace(kubeconfig, "bookmark");
    // As the API server sends it, but a minute earlier.
    const later = (await put(await createNamespace(kubeconfig, "busy"), "a", "1")).metadata.resourceVersion;
    const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: `${later}0` } };
    const body = `${JSON.stringify({ type: "BOOKMARK", object })}\n`;
    proxy.add({ when: isWatch(namespace), fault: { kind: "answer", code: 200, body }, times: 1 });
    const reflection = reflect(through, namespace);
    await reflection.reflector.start();
    await eventually("a second watch", async () => watchesOf(namespace)[1]);
    expect(watchesOf(namespace).map(versionOf)[1]).toBe(Number(`${later}0`));
    expect(await reflection.failures()).toBe(0);
    expect(reflection.story()).toEqual([]);
  });

  it("is given up by us when the server does not end it", async () => {
    const namespace = await createNamespace(kubeconfig, "endless");
    await put(namespace, "a", "1");
    proxy.add({ when: isWatch(namespace), fault: { kind: "stream", fate: () => "stall" }, times: 1 });
    const times = { ...TIMES, watchMinMs: 1000, watchMaxMs: 1000, watchGraceMs: 100 };
    const reflection = reflect(through, namespace, { times });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await put(namespace, "a", "2");
    expect(await reflection.converged()).toEqual({ a: "2" });
    expect(await reflection.failures("Silent")).toBe(1);
  });
});

describe("K2: while nothing can be reached the reflector keeps trying, and then catches up:", () => {
  it.for([
    { name: "a burst of 500", fault: { kind: "answer", code: 500, body: "try later" } },
    { name: "connections that are reset", fault: { kind: "reset" } },
    { name: "429 without a time", fault: { kind: "answer", code: 429 } },
  ] as const)("$name", async ({ fault }) => {
    const namespace = await createNamespace(kubeconfig, "outage");
    for (const name of ["updated", "deleted", "reborn", "kept"]) await put(namespace, name, "1");
    const reflection = reflect(through, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    proxy.add({ when: isWatch(namespace), fault });
    proxy.resetConnections();
    await churn(namespace);
    await reflection.signals.until(() => reflection.signals.all.filter((signal) => "logged" in signal).length >= 4);
    proxy.clear();
    await expectConverged(reflection);
    expect(await reflection.lists()).toBe(1); // the version had not expired: no list was needed
  });

  it("K2: a 429 with Retry-After, which it obeys without counting a failure", async () => {
    const namespace = await createNamespace(kubeconfig, "retry-after");
    const status = { kind: "Status", code: 429, reason: "TooManyRequests" };
    const fault = { kind: "answer", code: 429, headers: { "retry-after": "1" }, body: status } as const;
    proxy.add({ when: isList(namespace), fault, times: 1 });
    const { reflector, signals } = reflect(through, namespace);
    const began = performance.now();
    await reflector.start();
    await reflector.synced();
    expect(performance.now() - began).toBeGreaterThanOrEqual(1000);
    expect(signals.all).toEqual([]);
  });
});

describe("an object deleted and created again under its name while nobody looked", () => {
  it.for([
    { how: "the watch resumes", fault: undefined },
    {
      how: "the version has expired",
      fault: { kind: "answer", code: 410, body: { kind: "Status", code: 410, reason: "Expired" } },
    },
  ] as const)("comes as deleted and added when $how", async ({ fault }) => {
    const namespace = await createNamespace(kubeconfig, "reborn");
    await put(namespace, "reborn", "1");
    const reflection = reflect(through, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    proxy.add({ when: isWatch(namespace), fault: { kind: "reset" } });
    proxy.resetConnections();
    await reflection.signals.first((signal) => "logged" in signal); // no watch is open any more
    await remove(namespace, "reborn");
    await put(namespace, "reborn", "2");
    proxy.clear();
    if (fault) proxy.add({ when: isWatch(namespace), fault, times: 1 });
    proxy.resetConnections();
    await expectConverged(reflection);
    expect(reflection.story()).toEqual(["added reborn 1", "deleted reborn 1", "added reborn 2"]);
  });
});

describe("a server that knows less than the cache (restored from a backup)", () => {
  it("is listed anew", async () => {
    const namespace = await createNamespace(kubeconfig, "restored");
    await put(namespace, "a", "1");
    const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
    const body = { kind: "Status", code: 504, reason: "Timeout", details: { causes } };
    proxy.add({ when: isWatch(namespace), fault: { kind: "answer", code: 504, body }, times: 1 });
    const reflection = reflect(through, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await reflection.signals.until(() => reflection.logged("Timeout") === 1);
    await put(namespace, "a", "2");
    expect(await reflection.converged()).toEqual({ a: "2" });
    expect(await reflection.lists()).toBe(2);
  });
});

describe("the comparison with a full list", () => {
  /** A watch that swallows some events, as a faulty server or proxy would. */
  const swallowing = (names: readonly string[]) => (line: string) => {
    const { type, object } = JSON.parse(line) as { type: string; object: { metadata: { name: string } } };
    return type !== "BOOKMARK" && names.includes(object.metadata.name) ? [] : [line];
  };

  it("K4: finds what the watch did not tell, repairs it and counts it", async () => {
    const namespace = await createNamespace(kubeconfig, "compare");
    for (const name of ["updated", "deleted", "kept"]) await put(namespace, name, "1");
    const fault = { kind: "stream", fate: swallowing(["updated", "deleted", "created"]) } as const;
    proxy.add({ when: isWatch(namespace), fault, times: 1 });
    const reflection = reflect(through, namespace, { times: { ...TIMES, compareMs: 0 } });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    await put(namespace, "updated", "2");
    await put(namespace, "created", "1");
    await remove(namespace, "deleted");
    await put(namespace, "kept", "2"); // so that the watch is past the others
    await reflection.signals.first((signal) => "change" in signal && signal.change.type === "updated");
    expect(reflection.content()).toEqual({ deleted: "1", kept: "2", updated: "1" });
    proxy.resetConnections();
    await put(namespace, "kept", "3"); // and so that the next watch passes the list
    expect(await reflection.converged()).toEqual({ created: "1", kept: "3", updated: "2" });
    expect(await reflection.repaired()).toBe(3);
  });

  it("K3, K4: shows that the cache is current where it finds nothing else, though every watch falls silent", async () => {
    const namespace = await createNamespace(kubeconfig, "nothing-new");
    await put(namespace, "a", "1");
    proxy.add({ when: isWatch(namespace), fault: { kind: "silence" } });
    const reflection = reflect(through, namespace, { times: { ...TIMES, silenceMs: 1000, compareMs: 0 } });
    const { reflector, signals } = reflection;
    await reflector.start();
    await signals.until(() => reflection.logged("Silent") === 1);
    expect(reflector.isCurrent(60_000)).toBe(false);
    await eventually("the comparison to show it", async () => reflector.isCurrent(60_000) || undefined, {
      everyMs: 50,
    });
    await put(namespace, "a", "2");
    const lists = await reflection.lists();
    await eventually("another comparison", async () => ((await reflection.lists()) > lists ? true : undefined));
    expect(reflector.isCurrent(60_000)).toBe(false);
    expect(reflection.story()).toEqual(["added a 1"]);
    expect(await reflection.repaired()).toBe(0);
  });

  it("K4: does not count what merely happened while no watch was open", async () => {
    const namespace = await createNamespace(kubeconfig, "gap");
    for (const name of ["updated", "deleted", "kept"]) await put(namespace, name, "1");
    const reflection = reflect(through, namespace, { times: { ...TIMES, compareMs: 0 } });
    await reflection.reflector.start();
    await reflection.reflector.synced();
    proxy.add({ when: (request) => request.url.includes(`/${namespace}/`), fault: { kind: "reset" } });
    proxy.resetConnections();
    await reflection.signals.first((signal) => "logged" in signal); // no watch is open any more
    await put(namespace, "updated", "2");
    await put(namespace, "created", "1");
    await remove(namespace, "deleted");
    proxy.clear();
    await reflection.converged();
    await put(namespace, "kept", "2");
    await reflection.converged();
    expect(await reflection.lists()).toBeGreaterThan(1);
    expect(await reflection.repaired()).toBe(0);
  });
});

describe("a list from a server that lags", () => {
  it("K5: is refused, so that the cache does not go back in time; and believed when the server insists", async () => {
    const namespace = await createNamespace(kubeconfig, "stale");
    await put(namespace, "a", "1");
    const old = await direct.client.transport.request<object>({
      method: "GET",
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      query: { labelSelector: "test" },
    });
    await put(namespace, "a", "2");
    const reflection = reflect(through, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    const expired = { kind: "answer", code: 410, body: { kind: "Status", code: 410, reason: "Expired" } } as const;
    proxy.add({ when: isWatch(namespace), fault: expired, times: 1 });
    proxy.add({ when: isList(namespace), fault: { kind: "answer", code: 200, body: old }, times: 3 });
    proxy.resetConnections();
    await reflection.signals.until(() => reflection.logged("StaleList") === 3);
    await put(namespace, "a", "3");
    await reflection.converged();
    expect(reflection.story()).toEqual(["added a 2", "updated a 3"]);
    expect(await reflection.failures("StaleList")).toBe(3);

    proxy.add({ when: isWatch(namespace), fault: expired, times: 1 });
    proxy.add({ when: isList(namespace), fault: { kind: "answer", code: 200, body: old }, times: 6 });
    proxy.resetConnections();
    await reflection.signals.until(() => reflection.story().includes("updated a 1"));
    await reflection.converged();
    expect(reflection.content()).toEqual({ a: "3" });
  });
});

describe("an informer", () => {
  it("fills one cache from several namespaces, with rights in those alone", async () => {
    const namespaces = [await createNamespace(kubeconfig, "one"), await createNamespace(kubeconfig, "two")];
    const elsewhere = await createNamespace(kubeconfig, "elsewhere");
    for (const namespace of [...namespaces, elsewhere]) await put(namespace, "a", "1");
    const informer = new Informer<ConfigMap>({
      namespaces,
      client: direct.client,
      resource: CONFIG_MAPS,
      labelSelector: "test",
      clock: systemClock,
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      metrics: direct.metrics,
      indexes: { value: (object) => [object.data?.["value"] ?? ""] },
    });
    running.push(informer);
    await informer.start();
    expect(await informer.synced()).toBe(true);
    expect([...informer.cache.keys()].sort()).toEqual(namespaces.map((namespace) => `${namespace}/a`).sort());
    expect(informer.cache.byIndex("value", "1")).toHaveLength(2);
    expect(informer.progressAgeMs()).toBeGreaterThanOrEqual(0);
  });
});

describeService("an informer", async () => {
  const namespaces = [await createNamespace(kubeconfig, "lifecycle")];
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const { client, metrics } = direct;
  return { service: new Informer({ namespaces, client, resource: CONFIG_MAPS, clock: systemClock, log, metrics }) };
});

describe("an API server that is killed and started again", () => {
  let server: ApiServer;
  let edge: Edge;
  let between: FaultProxy;
  let edgeBetween: Edge;

  beforeAll(async () => {
    server = await ApiServer.create();
    edge = await connect(server.kubeconfig, { writes: { perSecond: 10_000, burst: 10_000 } });
    between = await FaultProxy.start(await loadAccess({ kubeconfig: server.kubeconfig }));
    edgeBetween = await connect(between.access);
  });

  afterEach(() => between.clear());

  afterAll(async () => {
    await edge.close();
    await edgeBetween.close();
    await between.stop();
    await server.destroy();
  });

  const configMap = (namespace: string, name: string, value = "1") => ({
    metadata: { namespace, name, labels: { test: "" } },
    data: { value },
  });

  it("K1: is followed again, over a version that has really expired, and nothing is missed or repaired", async () => {
    const namespace = await createNamespace(server.kubeconfig, "restart");
    const write = (name: string, value: string) =>
      edge.client.apply(CONFIG_MAPS, configMap(namespace, name, value), { fieldManager: "test" });
    await write("a", "1");
    await write("reborn", "1");
    const reflection = reflect(edgeBetween, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    between.add({ when: () => true, fault: { kind: "reset" } });
    between.resetConnections();
    await edge.client.delete(CONFIG_MAPS, { namespace, name: "reborn" });
    await write("reborn", "2");
    await server.stop();
    await server.start(); // it remembers nothing from before: versions of then have expired
    between.clear();
    await write("a", "2");
    await reflection.signals.until(() => JSON.stringify(reflection.content()) === '{"a":"2","reborn":"2"}');
    const reborn = reflection.story().filter((line) => line.includes("reborn"));
    expect(reborn).toEqual(["added reborn 1", "deleted reborn 1", "added reborn 2"]);
    expect(await reflection.failures("Expired")).toBe(1);
    expect(await reflection.repaired()).toBe(0);
    await reflection.reflector.stop();
  });

  it("K10: between two pages of a list, with etcd compacted meanwhile: the list starts over, and nothing seems deleted", async () => {
    const namespace = await createNamespace(server.kubeconfig, "compacted");
    const names = Array.from({ length: 510 }, (_, index) => `c${index}`);
    await Promise.all(names.map((name) => edge.client.create(CONFIG_MAPS, configMap(namespace, name))));
    const reflection = reflect(edgeBetween, namespace);
    await reflection.reflector.start();
    await reflection.reflector.synced();
    expect(reflection.cache.size).toBe(510);

    const restarted = Promise.withResolvers<void>();
    const isSecondPage = (request: { url: string }) => request.url.includes("continue=");
    const paused = between.add({ when: isSecondPage, fault: { kind: "delay", until: restarted.promise }, times: 1 });
    const listed = reflection.reflector.catchUp();
    await paused.spent;
    await edge.client.delete(CONFIG_MAPS, { namespace, name: "c0" });
    await server.compact();
    await server.stop();
    await server.start();
    restarted.resolve();
    expect(await listed).toBe(true);
    await reflection.signals.until(() => reflection.cache.size === 509);
    expect(reflection.changes().filter(({ type }) => type === "deleted")).toMatchObject([
      { object: { metadata: { name: "c0" } } },
    ]);
    const pages = between.requests.filter(({ verb, namespace: of }) => verb === "list" && of === namespace);
    expect(pages.at(-1)?.url).not.toContain("limit="); // without pages: a second token could expire, too
  });
});
