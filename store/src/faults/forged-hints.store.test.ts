import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "pg";
import { eventually } from "../../../test/support/eventually.ts";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { quoteIdentifier } from "../connection/identifier.ts";
import { hintChannel } from "../connection/queue-hints.ts";
import { enqueueMany } from "../jobs/enqueue.ts";
import { notifyQueue } from "../queues/ensure-queue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";

const FORGED = ["", "*", "q", "worker:1", "cancel", '{"cancel": 1}', "x'; drop schema jobqueue; --", "ü".repeat(3_900)];

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let stranger: Client;
  const role = `stranger_${crypto.randomUUID().slice(0, 8)}`;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    await store.database.query(`create role ${quoteIdentifier(role)} login`);
    const url = new URL(store.url);
    url.username = role;
    stranger = new Client({ connectionString: url.href });
    await stranger.connect();
  });
  afterAll(async () => {
    await stranger.end();
    await store.database.query(`drop role ${quoteIdentifier(role)}`);
    await store.close();
  });

  describe("P17: hints that anybody can send", () => {
    it("whatever they say, and however many, change no row, stop no listener, and only make it look", async () => {
      const heard: string[] = [];
      const hints = await store.connect().listen({ onHint: (queue) => heard.push(queue) });
      await enqueueMany(store.database, [{ queue: "q", kind: "k" }]);
      const before = await store.database.query("select * from jobqueue.jobs");
      const channel = hintChannel("jobqueue");
      for (const payload of FORGED) await stranger.query("select pg_notify($1, $2)", [channel, payload]);
      await stranger.query("select pg_notify($1, n::text) from generate_series(1, 5000) n", [channel]);
      await notifyQueue(store.database, "after");
      await eventually("the listener to hear what comes after", async () => heard.includes("after") || undefined);
      expect(await store.database.query("select * from jobqueue.jobs")).toEqual(before);
      expect(await store.database.query("select from jobqueue.cancel_requests")).toEqual([]);
      await hints.stop();
    });

    it("a queue of notifications that is full would fail their senders: enqueues are none of them", async () => {
      // An enqueue notifies nothing in its transaction unless it is asked to: hints are sent afterwards, few and debounced.
      const listener = new Client({ connectionString: store.url });
      await listener.connect();
      let notifications = 0;
      listener.on("notification", () => notifications++);
      await listener.query(`listen ${hintChannel("jobqueue")}`);
      const quiet = store.connect({ poolSize: 1 });
      await quiet.transaction(async (session) => {
        await enqueueMany(
          { schema: session.schema, query: async (sql, values) => session.query(sql, values) },
          Array.from({ length: 1_000 }, () => ({ queue: "q", kind: "k" })),
        );
      });
      await listener.query("select 1");
      expect(notifications).toBe(0);
      await listener.end();
    });
  });
});
