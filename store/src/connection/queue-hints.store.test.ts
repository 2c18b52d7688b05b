import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { enqueue, enqueueMany } from "../jobs/enqueue.ts";
import { notifyQueue } from "../queues/ensure-queue.ts";
import { hold } from "../queues/hold.ts";
import { release } from "../queues/release.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { hintChannel, QueueHints } from "./queue-hints.ts";
import { parseStoreUrl } from "./settings.ts";

/** Collects what a listener says, and lets a test wait for it. */
class Listener {
  readonly hints: string[] = [];
  readonly hearing: boolean[] = [];
  #wake: () => void = () => {};
  readonly onHint = (queue: string) => {
    this.hints.push(queue);
    this.#wake();
  };
  readonly onHearing = (hearing: boolean) => {
    this.hearing.push(hearing);
    this.#wake();
  };
  async until(met: () => boolean): Promise<void> {
    while (!met()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let proxy: PostgresProxy;
  let started: QueueHints[];
  beforeEach(async () => {
    store = await openStore(adminUrl);
    proxy = await PostgresProxy.create(store.url);
    started = [];
  });
  afterEach(async () => {
    await Promise.all(started.map(async (hints) => hints.stop()));
    await proxy.close();
    await store.close();
  });

  async function listenThroughProxy(listener: Listener, probe?: () => Promise<void>): Promise<QueueHints> {
    const hints = new QueueHints({
      connection: parseStoreUrl(proxy.url),
      schema: "jobqueue",
      applicationName: "hints test",
      onHint: listener.onHint,
      onHearing: listener.onHearing,
      probe:
        probe ??
        (async (channel, payload) => {
          await store.database.query("select pg_notify($1, $2)", [channel, payload]);
        }),
      probeIntervalMs: 50,
      probeTimeoutMs: 2_000,
    });
    started.push(hints);
    await hints.start();
    return hints;
  }

  it("an enqueue wakes who listens, once it has committed", async () => {
    const listener = new Listener();
    const hints = await store.connect().listen(listener);
    started.push(hints);
    expect(hints.hearing).toBe(true);
    await store.database.transaction(async (session) => {
      await enqueue(session, { queue: "mail", kind: "k" });
      expect(listener.hints).toEqual([]);
    });
    await listener.until(() => listener.hints.length > 0);
    expect(listener.hints).toEqual(["mail"]);
  });

  it("a rolled back transaction wakes nobody", async () => {
    const listener = new Listener();
    started.push(await store.connect().listen(listener));
    const undone = store.database.transaction(async (session) => {
      await enqueue(session, { queue: "undone", kind: "k" });
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    await enqueue(store.database, { queue: "done", kind: "k" });
    await listener.until(() => listener.hints.length > 0);
    expect(listener.hints).toEqual(["done"]);
  });

  it("many enqueues are few hints, and each queue is named", async () => {
    const listener = new Listener();
    started.push(await store.connect().listen(listener));
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => enqueue(store.database, { queue: `q${index % 2}`, kind: "k" })),
    );
    await enqueueMany(
      store.database,
      Array.from({ length: 500 }, () => ({ queue: "last", kind: "k" })),
    );
    await store.database.close(); // sends what waits
    await listener.until(() => listener.hints.includes("last"));
    expect(new Set(listener.hints)).toEqual(new Set(["q0", "q1", "last"]));
    expect(listener.hints.length).toBeLessThan(150);
  });

  it("the more workers are registered, the longer one waits between two hints: 5 to 50 ms", async () => {
    const intervalWith = async (workers: number): Promise<unknown> => {
      await store.database.query(
        `insert into jobqueue.workers (boot_id, lease_until)
         select 'w' || n, now() from generate_series((select count(*) + 1 from jobqueue.workers), $1) n`,
        [workers],
      );
      const [row] = await store.database.query<{ ms: number }>("select jobqueue.hint_interval_ms() as ms");
      return row?.ms;
    };
    expect(await intervalWith(0)).toBe(5);
    expect(await intervalWith(10)).toBe(5);
    expect(await intervalWith(40)).toBe(20);
    expect(await intervalWith(100)).toBe(50);
    expect(await intervalWith(1_000)).toBe(50);
    await store.database.query("update jobqueue.workers set state = 'gone', gone_at = now() where id > 10");
    expect(await intervalWith(0)).toBe(5);
  });

  it("who listens to topics hears of these alone: of its queues, of what is for all, and of what is for workers", async () => {
    const listener = new Listener();
    const topics = ["mine", "*", "worker:"];
    started.push(await store.connect().listen({ onHint: listener.onHint, onHearing: listener.onHearing, topics }));
    const all = new Listener();
    started.push(await store.connect().listen(all));
    for (const queue of ["other", "mine", "other"]) await notifyQueue(store.database, queue);
    await store.database.query("select jobqueue.send_hint('worker:7'), jobqueue.send_hint('*')");
    await listener.until(() => listener.hints.includes("*"));
    expect(listener.hints).toEqual(["mine", "worker:7", "*"]);
    await all.until(() => all.hints.includes("*"));
    expect(all.hints).toEqual(["other", "mine", "other", "worker:7", "*"]);
    expect(await store.database.query("select jobqueue.hint_channel('mine') as channel")).toEqual([
      { channel: hintChannel("jobqueue", "mine") },
    ]);
  });

  it("other languages hint by a function, or with the enqueue, which by itself wakes only who may be asleep", async () => {
    const listener = new Listener();
    started.push(await store.connect().listen(listener));
    expect(await store.database.query("select jobqueue.hint_channel() as channel")).toEqual([
      { channel: hintChannel("jobqueue") },
    ]);
    await notifyQueue(store.database, "by-function");
    const enqueued = async (queue: string, notify = "null") =>
      store.database.query(`select * from jobqueue.enqueue('${queue}', 'k', notify => ${notify})`);
    await enqueued("quiet");
    await enqueued("quiet");
    await enqueued("quiet", "true");
    await enqueued("silent", "false");
    await enqueued("other");
    await notifyQueue(store.database, "end");
    await listener.until(() => listener.hints.includes("end"));
    expect(listener.hints).toEqual(["by-function", "quiet", "quiet", "other", "end"]);
    await expect(notifyQueue(store.database, "x".repeat(8_000))).rejects.toThrow("cannot be the name of a queue");
  });

  it("G11: a hold and its release are hints, of * too; a hold that changes nothing is none", async () => {
    const listener = new Listener();
    started.push(await store.connect().listen(listener));
    const asked = { name: "n", reason: "r", actor: "a", source: "cli" };
    await hold(store.database, { queue: "mail", ...asked });
    await hold(store.database, { queue: "mail", ...asked });
    await hold(store.database, { queue: "*", ...asked });
    await release(store.database, { queue: "mail", name: "n", actor: "a", reason: "r" });
    await listener.until(() => listener.hints.length >= 3);
    expect(listener.hints).toEqual(["mail", "*", "mail"]);
  });

  describe("a listener whose connection dies", () => {
    it("says that it is deaf, connects again, and says that it hears", async () => {
      const listener = new Listener();
      const hints = await listenThroughProxy(listener);
      expect(listener.hearing).toEqual([true]);
      proxy.reset();
      await listener.until(() => listener.hearing.length >= 3);
      expect(listener.hearing).toEqual([true, false, true]);
      expect(hints.hearing).toBe(true);
      await enqueue(store.database, { queue: "again", kind: "k" });
      await listener.until(() => listener.hints.includes("again"));
    });

    it("P16: without a word (half-open) notices it by a probe that does not arrive", async () => {
      const listener = new Listener();
      await listenThroughProxy(listener);
      proxy.blackhole();
      await listener.until(() => listener.hearing.length >= 3);
      expect(listener.hearing).toEqual([true, false, true]);
    });

    it("is deaf from the start when probes do not arrive, as behind a pooler that shares sessions", async () => {
      const listener = new Listener();
      const hints = await listenThroughProxy(listener, async () => {});
      expect(hints.hearing).toBe(false);
      expect(listener.hearing).toEqual([]);
    });

    it("or never stood, starts all the same and is deaf", async () => {
      const listener = new Listener();
      await proxy.close();
      const hints = await listenThroughProxy(listener);
      expect(hints.hearing).toBe(false);
    });
  });

  it("after stop nothing is called and no connection stands; stop and start are repeatable", async () => {
    const listener = new Listener();
    const hints = await listenThroughProxy(listener);
    await hints.start();
    await hints.stop();
    await hints.stop();
    expect(hints.hearing).toBe(false);
    const said = listener.hearing.length;
    await notifyQueue(store.database, "late");
    const count = async () =>
      (await store.database.query("select from pg_stat_activity where application_name = 'hints test'")).length;
    while ((await count()) > 0);
    expect(listener.hints).toEqual([]);
    expect(listener.hearing).toHaveLength(said);
  });
});
