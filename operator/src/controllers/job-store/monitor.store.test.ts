import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { Database, enqueue, hold, listHolds, parseStoreUrl, StoreError } from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../../test/support/postgres/server.ts";
import { describeService } from "../../runtime/service.suite.ts";
import { silentLog, systemClock } from "../../runtime/index.ts";
import { Signals } from "../../runtime/testing/signals.ts";
import { aJobStore } from "../testing/builders.ts";
import type { StoreChange } from "./changes.ts";
import { StoreMonitor, StoreUnavailable, type MonitorOptions } from "./monitor.ts";
import { Monitors } from "./monitors.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));
const plain = { connection: { uriSecretRef: { name: "shop-db", key: "uri" }, tls: { mode: "Disabled" as const } } };
const BACKOFF = { baseMs: 20, maxMs: 100 };

let database: TestDatabase;
let store: Database;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  database = await createTestDatabase(adminUrl);
  store = new Database({ connection: parseStoreUrl(database.url), applicationName: "test" });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((part) => part.stop()));
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

/** A monitor that looks only when it is told to, unless times say otherwise. */
function monitorOf(url: string | (() => string | undefined), options: Partial<MonitorOptions> = {}) {
  const changes = new Signals<StoreChange>();
  const monitor = new StoreMonitor({
    key: "shop/default",
    jobStore: aJobStore(plain),
    readSecret: async () => (typeof url === "string" ? url : url()),
    leader: { holder: "test", mayAct: () => true },
    onChange: (_key, change) => changes.tell(change),
    clock: systemClock,
    log: silentLog,
    ...options,
    times: { everyMs: 600_000, backoff: BACKOFF, ...options.times },
  });
  running.push(monitor);
  return { monitor, changes };
}

async function started(...given: Parameters<typeof monitorOf>) {
  const made = monitorOf(...given);
  await made.monitor.start();
  await made.monitor.refresh();
  return made;
}

describeService("StoreMonitor", () => ({ service: monitorOf(database.url).monitor }));

describe("a monitor of a store", () => {
  it("knows nothing before its first look, and says so", () => {
    expect(monitorOf(database.url).monitor.view).toEqual({ is: "starting" });
  });

  it("shows the writer his own write after a refresh", async () => {
    const { monitor } = await started(database.url);
    await monitor.use((session) => hold(session, { queue: "q", name: "h", reason: "r", actor: "a", source: "cli" }));
    await monitor.refresh();
    expect(monitor.view).toMatchObject({ is: "up", snapshot: { holds: [{ queue: "q", name: "h", actor: "a" }] } });
  });

  it("wakes only whom a change concerns", async () => {
    const { monitor, changes } = await started(database.url);
    const before = changes.all.length;
    await monitor.refresh();
    expect(changes.all.length).toBe(before);
    await enqueue(store, { queue: "mailers", kind: "mail", payload: {} });
    await monitor.refresh();
    expect(changes.all.at(-1)).toMatchObject({ all: false, queues: new Set(["mailers"]), pools: new Set() });
  });

  it("looks soon after a hint, without waiting for its tick", async () => {
    const { monitor, changes } = await started(database.url, { times: { everyMs: 600_000, hintGapMs: 10 } });
    await monitor.refresh(); // by now it listens
    await enqueue(store, { queue: "hinted", kind: "mail", payload: {} });
    expect(await changes.first(({ queues }) => queues.has("hinted"))).toMatchObject({ all: false });
  });

  it("installs a schema that is missing, and says compatible", async () => {
    const empty = await createTestDatabase(adminUrl, { migrated: false });
    const { monitor } = await started(empty.url);
    expect(monitor.view).toMatchObject({ is: "up", schema: { is: "missing" } });
    await expect(monitor.use(async () => 1)).rejects.toThrow(StoreUnavailable);
    await monitor.migrate();
    await monitor.refresh();
    expect(monitor.view).toMatchObject({ is: "up", schema: { is: "compatible" }, snapshot: { holds: [] } });
    await monitor.stop();
    await empty.drop();
  });

  it("leaves a schema alone that is newer than this program", async () => {
    const newer = await createTestDatabase(adminUrl);
    const admin = new Database({ connection: parseStoreUrl(newer.url), applicationName: "test" });
    await admin.query("insert into jobqueue.migrations (version, name) values (999999, 'of tomorrow')");
    const { monitor } = await started(newer.url);
    expect(monitor.view).toMatchObject({ is: "up", schema: { is: "newer", version: 999_999 } });
    await expect(monitor.use(async () => 1)).rejects.toThrow(StoreUnavailable);
    await monitor.stop();
    await admin.close();
    await newer.drop();
  });

  it("keeps a connection that works when the Secret vanishes, and says that it did", async () => {
    let url: string | undefined = database.url;
    const { monitor } = await started(() => url, { times: { everyMs: 600_000, secretEveryMs: 0 } });
    url = undefined;
    await monitor.refresh();
    expect(monitor.view).toMatchObject({
      is: "up",
      snapshot: {},
      secretProblem: expect.stringContaining("no Secret shop-db"),
    });
  });

  it("follows a Secret that leads elsewhere, and excuses workers until it can have reached them too (G15)", async () => {
    const other = await createTestDatabase(adminUrl);
    let { url } = database;
    const { monitor } = await started(() => url, { times: { everyMs: 600_000, secretEveryMs: 0 } });
    const canary = () => (monitor.view.is === "up" ? monitor.view.snapshot?.canary : undefined);
    const from = canary()?.at;
    ({ url } = other);
    await monitor.refresh();
    const [row] = await monitor.use((session) => session.query<{ name: string }>("select current_database() as name"));
    expect(url).toContain(row?.name);
    expect(canary()?.outages).toEqual([{ from, to: (canary()?.at ?? 0) + 120_000 }]);
    await monitor.stop();
    await other.drop();
  });

  it("O2: a leader that was succeeded changes nothing any more, and its successor does", async () => {
    let leads = true;
    const leader = { holder: "old", mayAct: () => leads };
    const { monitor: old } = await started(database.url, { leader });
    const before = old.term ?? 0;
    const holding = (monitor: StoreMonitor, name: string) =>
      monitor.use((session) => hold(session, { queue: "led", name, reason: "r", actor: "a", source: "cli" }));
    expect(await holding(old, "first")).toBe(true);
    leads = false; // stopped, and not yet aware of it: what it decided is on its way
    const { monitor: next } = await started(database.url, { leader: { holder: "next", mayAct: () => true } });
    await expect(holding(old, "stale")).rejects.toThrow("does not lead any more");
    expect(await holding(next, "second")).toBe(true);
    expect((await listHolds(store, "led")).map(({ name }) => name)).toEqual(["first", "second"]);
    await old.refresh(); // tells nobody that the store is down: it is not
    expect(old.view.is).toBe("up");
    expect(next.term).toBe(before + 1);
  });

  it("takes its term anew while it leads, as after a restore from a backup", async () => {
    const { monitor } = await started(database.url);
    const before = monitor.term ?? 0;
    await store.query("update jobqueue.leaders set term = term + 5");
    await monitor.use((session) =>
      hold(session, { queue: "led", name: "again", reason: "r", actor: "a", source: "cli" }),
    );
    expect(monitor.term).toBe(before + 6);
  });

  it("knows by its canary since when the store can be written, and when it could not (G15)", async () => {
    const { monitor } = await started(database.url);
    const canary = () => (monitor.view.is === "up" ? monitor.view.snapshot?.canary : undefined);
    const first = canary();
    expect(first).toMatchObject({ outages: [] });
    await store.query("alter table jobqueue.leaders rename to away");
    await monitor.refresh();
    expect(monitor.view.is).toBe("down"); // it can be read, but what cannot be written is not judged
    await store.query("alter table jobqueue.away rename to leaders");
    await monitor.refresh();
    expect(canary()).toMatchObject({ since: first?.since, outages: [{ from: first?.at }] });
  });

  it("publishes an outage that a call meets, at once, and the end of it", async () => {
    const server = await PostgresServer.create(18);
    const made = await createTestDatabase(server.url());
    const { monitor, changes } = await started(made.url);
    await server.stop("immediate");
    await expect(monitor.use((session) => session.query("select 1"))).rejects.toThrow(StoreError);
    expect(monitor.view).toMatchObject({ is: "down", reason: "ConnectFailed" });
    await expect(monitor.use(async () => 1)).rejects.toThrow(StoreUnavailable);
    const seen = changes.all.length;
    await server.start();
    await changes.until(() => (changes.all.length > seen && monitor.view.is === "up" ? true : undefined));
    expect(await monitor.use(async () => 1)).toBe(1);
    await monitor.stop();
    await server.destroy();
  });
});

describe("a store that hangs", () => {
  let silent: Server;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    silent = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  });

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it("makes further calls fail at once instead of queueing behind it", async () => {
    const { monitor } = await started(database.url, { times: { everyMs: 600_000, busyMs: 0 } });
    let end: () => void = () => {};
    const { promise: hangs, resolve: hang } = Promise.withResolvers<void>();
    const hanging = monitor.use(() => {
      hang();
      return new Promise<void>((resolve) => (end = resolve));
    });
    await hangs; // older than busyMs
    await expect(monitor.use(async () => 1)).rejects.toThrow("a call to it hangs");
    end();
    await hanging;
    expect(await monitor.use(async () => 1)).toBe(1);
  });

  it("delays no other store", async () => {
    const { port } = silent.address() as AddressInfo;
    const urls = { silent: `postgres://a:b@127.0.0.1:${port}/c`, good: database.url };
    const changed = new Signals<string>();
    const monitors = new Monitors({
      readSecret: async (_namespace, { name }) => urls[name as keyof typeof urls],
      leader: { holder: "test", mayAct: () => true },
      onChange: (key) => changed.tell(key),
      clock: systemClock,
      log: silentLog,
      times: { everyMs: 600_000, backoff: BACKOFF },
    });
    running.push(monitors);
    const storeWith = (name: string) =>
      aJobStore(
        { connection: { ...plain.connection, uriSecretRef: { name, key: "uri" } } },
        { metadata: { name, uid: name } },
      );
    await monitors.watch("shop/silent", storeWith("silent"));
    await monitors.watch("shop/good", storeWith("good"));
    await changed.first((key) => key === "shop/good");
    expect(monitors.get("shop/good").view.is).toBe("up");
    expect(monitors.get("shop/silent").view.is).toBe("starting"); // still trying
    await expect(monitors.get("shop/silent").use(async () => 1)).rejects.toThrow(StoreUnavailable);
  });
});
