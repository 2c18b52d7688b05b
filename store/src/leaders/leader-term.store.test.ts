import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { listAuditEvents } from "../audit/list-audit-events.ts";
import { hold } from "../queues/hold.ts";
import { listHolds } from "../queues/list-holds.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { beatCanary, lastLeader, type LeaderTerm, takeTerm, underTerm } from "./leader-term.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  const holding = (term: LeaderTerm, name: string) =>
    underTerm(store.database, term, (session) =>
      hold(session, { queue: "q", name, reason: "r", actor: "operator", source: "spec" }),
    );
  const holds = async (): Promise<string[]> => (await listHolds(store.database, "q")).map(({ name }) => name);

  describe("the term of a leader (G15, O2)", () => {
    it("grows with every leader, each named in an audit event", async () => {
      const first = await takeTerm(store.database, "shop/grows@1", "one");
      const second = await takeTerm(store.database, "shop/grows@1", "two");
      expect([first.term, second.term]).toEqual([1, 2]);
      const events = await listAuditEvents(store.database, { action: "take_term", target: "leaders/shop/grows@1" });
      expect(events.map(({ actor, after }) => [actor, after])).toEqual([
        ["two", { term: 2 }],
        ["one", { term: 1 }],
      ]);
    });

    it("O2: of a leader that was succeeded lets nothing through", async () => {
      const old = await takeTerm(store.database, "shop/succeeded@1", "old");
      expect(await holding(old, "before")).toBe(true);
      const next = await takeTerm(store.database, "shop/succeeded@1", "next");
      const stale = { code: "stale_term", retry: "never", sqlstate: "JQ003" };
      await expect(holding(old, "after")).rejects.toMatchObject(stale);
      await expect(beatCanary(store.database, old)).rejects.toMatchObject(stale);
      expect(await holding(next, "by the next")).toBe(true);
      expect(await holds()).toEqual(["before", "by the next"]);
    });

    it("that was never taken proves nothing", async () => {
      await expect(holding({ scope: "shop/nobody@1", term: 1 }, "nobody's")).rejects.toMatchObject({
        code: "stale_term",
      });
    });

    it("is not taken before the writes under the one before have been committed or have failed", async () => {
      const old = await takeTerm(store.database, "shop/waits@1", "old");
      const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
      const { promise: proved, resolve: prove } = Promise.withResolvers<void>();
      const writing = underTerm(store.database, old, async (session) => {
        prove();
        await mayEnd;
        return hold(session, { queue: "q", name: "in time", reason: "r", actor: "operator", source: "spec" });
      });
      await proved;
      // The canary neither waits for the writer nor holds him up.
      expect((await beatCanary(store.database, old)).getTime()).toBeGreaterThan(0);
      const taking = takeTerm(store.connect(), "shop/waits@1", "next");
      await eventually("the new term waits", async () => {
        const [row] = await store.database.query<{ waiting: boolean }>(
          `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%take_term%'
             and datname = current_database() and pid <> pg_backend_pid()) as waiting`,
        );
        return row?.waiting === true;
      });
      end();
      expect(await writing).toBe(true);
      expect((await taking).term).toBe(2);
      expect(await holds()).toContain("in time");
    });

    it("that is left standing in a transaction delays its successor by seconds, not for ever", async () => {
      const old = await takeTerm(store.database, "shop/left@1", "old");
      const { promise: proved, resolve: prove } = Promise.withResolvers<void>();
      const { promise: awake, resolve: wake } = Promise.withResolvers<void>();
      const frozen = underTerm(store.connect(), old, async (session) => {
        prove();
        await awake;
        return hold(session, { queue: "q", name: "too late", reason: "r", actor: "operator", source: "spec" });
      });
      const outcome = frozen.catch((error: unknown) => error);
      await proved;
      expect((await takeTerm(store.database, "shop/left@1", "next")).term).toBe(2); // within the statement timeout
      wake();
      expect(await outcome).toMatchObject({ code: "connection_lost" });
      expect(await holds()).not.toContain("too late");
    }, 30_000);

    it("says when the canary was written, by the database's clock", async () => {
      const term = await takeTerm(store.database, "shop/canary@1", "one");
      const at = await beatCanary(store.database, term);
      const seen = await lastLeader(store.database, term.scope);
      expect(seen).toMatchObject({ holder: "one", canaryAt: at });
      expect(at.getTime()).toBeGreaterThanOrEqual(seen?.takenAt.getTime() ?? Number.NaN);
      expect(await lastLeader(store.database, "shop/nobody@1")).toBeUndefined();
    });
  });
});
