import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import type { Database } from "../connection/database.ts";
import { claim, type ClaimedJob } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue, enqueueMany } from "../jobs/enqueue.ts";
import { getJob } from "../jobs/read-jobs.ts";
import { returnUnstarted } from "../jobs/return-unstarted.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { hold, type NewHold } from "./hold.ts";
import { listHolds } from "./list-holds.ts";
import { queueStats } from "./queue-stats.ts";
import { release } from "./release.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let workerId: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    workerId = await store.worker();
  });
  afterAll(async () => store.close());

  const byAlice = (queue: string, more: Partial<NewHold> = {}): NewHold => ({
    queue,
    name: "maintenance",
    reason: "database upgrade",
    actor: "alice",
    source: "cli",
    ...more,
  });
  const lift = async (queue: string, name = "maintenance") =>
    release(store.database, { queue, name, actor: "alice", reason: "done" });
  const claimFrom = async (...queues: string[]) => claim(store.database, { workerId, queues, max: 10 });
  const audit = async (target: string) =>
    store.database.query(
      "select action, actor, source, reason, before, after from jobqueue.audit_events where target = $1 order by id",
      [target],
    );

  describe("G11: once a pause has committed no claim commits", () => {
    /** Claims a few jobs at a time without pause until told to stop, and keeps what it claimed. */
    class Claimer {
      readonly jobs: ClaimedJob[] = [];
      attempts = 0;
      stopping = false;
      readonly done: Promise<void>;
      constructor(database: Database) {
        this.done = this.#run(database);
      }
      async #run(database: Database): Promise<void> {
        while (!this.stopping) {
          const jobs = await claim(database, { workerId, queues: ["other", "racing"], max: 3 });
          this.jobs.push(...jobs);
          this.attempts += 1;
          if (jobs.length === 0) await database.query("select pg_sleep(0.002)");
        }
      }
    }

    it.each(["racing", "*"])("while 200 claims/s and more run from several connections, holding %s", async (held) => {
      await enqueueMany(
        store.database,
        Array.from({ length: 6_000 }, () => ({ queue: "racing", kind: "k" })),
      );
      const claimers = Array.from({ length: 4 }, () => new Claimer(store.connect({ poolSize: 1 })));
      const claimedSoFar = () => claimers.reduce((sum, { jobs }) => sum + jobs.length, 0);
      const pauser = store.connect({ poolSize: 1 });
      const started = performance.now();
      let heldFor = 0;
      const violations: unknown[] = [];
      for (let round = 1; round <= 15; round += 1) {
        const enough = claimedSoFar() + 60;
        while (claimedSoFar() < enough) await pauser.query("select pg_sleep(0.002)");
        const from = performance.now();
        await hold(pauser, byAlice(held, { reason: `round ${round}` }));
        // All that had committed when the pause did …
        const [before] = await pauser.query<{ claims: string }>(
          "select count(*) as claims from jobqueue.jobs where state = 1",
        );
        // … is all there is, after every connection has tried again and again.
        const tried = claimers.map(({ attempts }) => attempts + 2);
        while (claimers.some(({ attempts }, index) => attempts < (tried[index] as number))) {
          await pauser.query("select pg_sleep(0.002)");
        }
        const [after] = await pauser.query<{ claims: string; late: string; tracked: boolean }>(
          `select count(*) as claims, current_setting('track_commit_timestamp')::bool as tracked,
             case when current_setting('track_commit_timestamp')::bool then
               count(*) filter (where pg_xact_commit_timestamp(j.xmin) > (select pg_xact_commit_timestamp(h.xmin) from jobqueue.holds h))
             else 0 end as late
           from jobqueue.jobs j where state = 1`,
        );
        if (after?.claims !== before?.claims || after?.late !== "0") violations.push({ round, before, after });
        heldFor += performance.now() - from;
        await lift(held);
      }
      const seconds = (performance.now() - started - heldFor) / 1000;
      for (const claimer of claimers) claimer.stopping = true;
      await Promise.all(claimers.map(async ({ done }) => done));
      const claimed = claimers.flatMap(({ jobs }) => jobs);
      expect(violations).toEqual([]);
      expect(claimed.length).toBeGreaterThanOrEqual(900);
      expect(claimed.length / seconds, "claims per second while not held").toBeGreaterThan(200);

      // What was claimed but not started goes back, and stays back while the hold is there.
      await hold(store.database, byAlice(held));
      expect(await returnUnstarted(store.database, claimed)).toEqual([]);
      expect(await claimFrom("racing")).toEqual([]);
      const [sample] = claimed;
      expect(await getJob(store.database, sample?.id ?? "")).toMatchObject({ state: "pending", attempt: 0 });
      await lift(held);
      await store.database.query("delete from jobqueue.jobs where queue = 'racing'");
    });

    it("a hold waits for a claim under way, and a claim never waits for a hold", async () => {
      await enqueueMany(store.database, [
        { queue: "slow", kind: "k" },
        { queue: "slow", kind: "k" },
        { queue: "open", kind: "k" },
      ]);
      const other = store.connect({ poolSize: 1 });
      let holding: Promise<boolean> | undefined;
      await store.database.transaction(async (session) => {
        expect(await claim(session, { workerId, queues: ["slow"], max: 1 })).toHaveLength(1);
        holding = hold(other, byAlice("slow"));
        // The hold is queued behind our claim …
        for (;;) {
          const [waiting] = await store.database.query<{ n: number }>(
            "select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
          );
          if (waiting?.n === 1) break;
        }
        expect(await listHolds(store.database, "slow")).toEqual([]);
        // … and meanwhile others get nothing from this queue, at once, but everything from the next.
        const meanwhile = await claimFrom("slow", "open");
        expect(meanwhile.map((job) => job.queue)).toEqual(["open"]);
      });
      expect(await holding).toBe(true);
      expect(await claimFrom("slow")).toEqual([]);
      await lift("slow");
      expect(await claimFrom("slow")).toHaveLength(1);
    });

    it("a hold that is placed but not committed holds nothing back longer than its transaction", async () => {
      await enqueue(store.database, { queue: "undecided", kind: "k" });
      const undone = store.database.transaction(async (session) => {
        await hold(session, byAlice("undecided"));
        expect(await claim(store.connect(), { workerId, queues: ["undecided"], max: 1 })).toEqual([]);
        throw new Error("changed my mind");
      });
      await expect(undone).rejects.toThrow("changed my mind");
      expect(await claimFrom("undecided")).toHaveLength(1);
    });

    it("running jobs go on and may finish while their queue is held", async () => {
      await enqueue(store.database, { queue: "finishing", kind: "k" });
      const jobs = await claimFrom("finishing");
      await hold(store.database, byAlice("finishing"));
      expect(await complete(store.database, jobs)).toEqual([]);
      await lift("finishing");
    });

    it("* holds every queue, also one made later, and other queues go on when one is held", async () => {
      await enqueue(store.database, { queue: "early", kind: "k" });
      await hold(store.database, byAlice("*"));
      await enqueue(store.database, { queue: "made-later", kind: "k" });
      expect(await claimFrom("early", "made-later")).toEqual([]);
      await hold(store.database, byAlice("early"));
      await lift("*");
      expect((await claimFrom("early", "made-later")).map((job) => job.queue)).toEqual(["made-later"]);
      await lift("early");
      expect(await claimFrom("early")).toHaveLength(1);
    });

    it("the release of one hold leaves another in force", async () => {
      await enqueue(store.database, { queue: "two-holds", kind: "k" });
      await hold(store.database, byAlice("two-holds", { name: "spec", source: "spec", actor: "operator" }));
      await hold(store.database, byAlice("two-holds"));
      expect(await lift("two-holds")).toBe(true);
      expect(await claimFrom("two-holds")).toEqual([]);
      expect(await lift("two-holds", "spec")).toBe(true);
      expect(await claimFrom("two-holds")).toHaveLength(1);
    });

    it("a hold ends by itself at its time by the database's clock, with nobody writing anything", async () => {
      await enqueue(store.database, { queue: "expiring", kind: "k" });
      const [soon] = await store.database.query<{ at: string }>(
        "select to_char(clock_timestamp() + interval '1500 milliseconds', 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF') as at",
      );
      await hold(store.database, byAlice("expiring", { until: soon?.at }));
      expect(await claimFrom("expiring")).toEqual([]);
      await store.database.query(
        "select pg_sleep(greatest(0, extract(epoch from $1::timestamptz - clock_timestamp())))",
        [soon?.at],
      );
      expect(await claimFrom("expiring")).toHaveLength(1);
      expect(await listHolds(store.database, "expiring")).toEqual([]);
      expect(await lift("expiring"), "what has ended was not in force").toBe(false);
    });

    it("a hold through a pooler's or another language's plain connection counts as well", async () => {
      await enqueue(store.database, { queue: "plain", kind: "k" });
      const client = new Client({ connectionString: store.url });
      await client.connect();
      await client.query(
        "select jobqueue.hold(queue => 'plain', name => 'n', reason => 'r', actor => 'psql', source => 'cli')",
      );
      expect(await claimFrom("plain")).toEqual([]);
      await client.query("select jobqueue.release('plain', 'n', 'psql', 'r')");
      await client.end();
      expect(await claimFrom("plain")).toHaveLength(1);
    });
  });

  it("G19: each change writes one audit event; a hold that is there as asked writes nothing", async () => {
    const request = byAlice("audited", { until: "2099-01-01T00:00:00Z" });
    expect(await hold(store.database, request)).toBe(true);
    expect(await hold(store.database, request)).toBe(false);
    const [first] = await listHolds(store.database, "audited");
    expect(await hold(store.database, { ...request, reason: "it takes longer" })).toBe(true);
    const [second] = await listHolds(store.database, "audited");
    expect(second).toEqual({ ...first, reason: "it takes longer" });
    expect(await lift("audited")).toBe(true);
    expect(await lift("audited")).toBe(false);
    const events = await audit("audited");
    expect(events).toMatchObject([
      {
        action: "hold",
        actor: "alice",
        source: "cli",
        reason: "database upgrade",
        before: null,
        after: { queue: "audited", name: "maintenance" },
      },
      {
        action: "hold",
        reason: "it takes longer",
        before: { reason: "database upgrade" },
        after: { reason: "it takes longer" },
      },
      {
        action: "release",
        actor: "alice",
        source: null,
        reason: "done",
        before: { reason: "it takes longer" },
        after: null,
      },
    ]);
    expect(events).toHaveLength(3);
  });

  it("lists the holds of a queue together with those of *", async () => {
    await hold(store.database, byAlice("listed", { name: "b" }));
    await hold(store.database, byAlice("*", { name: "a" }));
    expect((await listHolds(store.database, "listed")).map((found) => [found.queue, found.name])).toEqual([
      ["*", "a"],
      ["listed", "b"],
    ]);
    expect((await listHolds(store.database, "unheard-of")).map((found) => found.queue)).toEqual(["*"]);
    await lift("*", "a");
    await lift("listed", "b");
  });

  it("a held queue is known from then on, and its jobs still count as pending", async () => {
    await hold(store.database, byAlice("held-and-empty"));
    expect(await queueStats(store.database)).toContainEqual(
      expect.objectContaining({ queue: "held-and-empty", pending: 0 }),
    );
    await enqueue(store.database, { queue: "held-and-empty", kind: "k" });
    expect(await queueStats(store.database)).toContainEqual(
      expect.objectContaining({ queue: "held-and-empty", pending: 1 }),
    );
    await lift("held-and-empty");
  });

  it.each([
    ["a queue that cannot be", byAlice("Bad Queue"), /'Bad Queue' cannot be the name of a queue/],
    ["no actor", byAlice("q", { actor: "" }), /actor must have 1 to 256 characters: say who/],
    ["no reason", byAlice("q", { reason: "" }), /reason must have 1 to 1024 characters: say why/],
    ["no name", byAlice("q", { name: "" }), /the name of a hold must have 1 to 128/],
    [
      "a source of two words",
      byAlice("q", { source: "the cli" }),
      /source is 'the cli': write where the hold comes from/,
    ],
    [
      "an end that has passed",
      byAlice("q", { until: "2001-01-01T00:00:00Z" }),
      /write an instant that is still to come/,
    ],
    [
      "an end without a zone",
      byAlice("q", { until: "2099-01-01 00:00" }),
      /until is "2099-01-01 00:00": write an instant with its zone/,
    ],
  ])("%s is refused in words", async (_, request, words) => {
    const refused = hold(store.database, request);
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toMatchObject({ code: "invalid_input" });
  });
});
