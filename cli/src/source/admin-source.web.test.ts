/** Every verb that takes a source, once by the database and once by the admin API over it: what a person or a script sees is the same. */
import { hostname, userInfo } from "node:os";
import {
  claim,
  complete,
  type Database,
  enqueueMany,
  fail,
  fireDueSchedules,
  getJob,
  hold,
  type NewJob,
  putSchedule,
  queuePolicy,
  registerWorker,
} from "@jobqueue/store";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AdminUnderTest } from "../../../admin/src/testing/admin-under-test.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { forNewestPostgres } from "../../../test/support/postgres/database.ts";
import { atTerminal } from "../testing/at-terminal.ts";
import { runJobqueue } from "../testing/run-jobqueue.ts";

const ACT = { actor: "test", reason: "test" };
const ME = userInfo().username;
/** Fields that are of the moment of the look. */
const OF_THE_MOMENT = new Set(["heartbeatAgeMs", "oldestPendingSeconds"]);

/** What was printed, without ages: the second look is later than the first. */
const ageless = (text: string): string =>
  text.replaceAll(/(\d+(\.\d+)?(ms|s|m|h|d))+\b/g, "AGE").replaceAll(/ +/g, " ");
const timeless = (json: string): unknown =>
  JSON.parse(ageless(json), (name, value: unknown) => (OF_THE_MOMENT.has(name) ? "AGE" : value));

forNewestPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  let database: Database;
  let byDatabase: Record<string, string>;
  let byApi: Record<string, string>;
  let workerId: string;
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl, ["--auth", "keys"]);
    ({ database } = admin.store);
    byDatabase = { DATABASE_URL: admin.store.url };
    byApi = { JOBQUEUE_ADMIN_URL: admin.url, JOBQUEUE_API_KEY: await admin.key("admin", "ana") };
  });
  afterAll(async () => admin.close());
  beforeEach(async () => {
    await admin.store.clear();
    workerId = await worker(["mailers"]);
  });

  const worker = async (queues: string[]): Promise<string> =>
    registerWorker(database, { bootId: crypto.randomUUID(), pod: "pool-1", namespace: "shop", queues, concurrency: 4 });
  const add = async (...jobs: Partial<NewJob>[]): Promise<string[]> =>
    (
      await enqueueMany(
        database,
        jobs.map((job) => ({ queue: "mailers", kind: "welcome", ...job })),
      )
    ).map(({ id }) => id);
  const dead = async (...jobs: Partial<NewJob>[]): Promise<string[]> => {
    await add(...jobs.map((job) => ({ ...job, priority: -1 })));
    const claimed = await claim(database, { workerId, queues: ["mailers"], max: jobs.length });
    await fail(
      database,
      claimed.map((job) => ({ ...job, error: "no such mailbox", permanent: true })),
    );
    return claimed.map(({ id }) => id);
  };
  const running = async (...jobs: Partial<NewJob>[]): Promise<string[]> => {
    await add(...jobs.map((job) => ({ ...job, priority: -1 })));
    return (await claim(database, { workerId, queues: ["mailers"], max: jobs.length })).map(({ id }) => id);
  };
  const lost = async (): Promise<void> => admin.store.lapse(workerId);

  /** Waits for counts of now: on a machine that is busy the server may give the last ones, and from here on these are such. */
  const counted = async (): Promise<void> => {
    const key = byApi["JOBQUEUE_API_KEY"] ?? "";
    await eventually("the counts to be of now", async () => {
      const { json } = await admin.ask("GET", "/api/v1/queues", { key });
      return (json as { partial: boolean }).partial ? undefined : true;
    });
  };
  const throughApi = async (args: readonly string[]) => {
    const ended = await atTerminal(args, byApi);
    return { ...ended, stderr: () => ended.stderr().replaceAll(/^The store takes long to count: .*\n/gm, "") };
  };

  /** Runs it both ways; what it printed must be the same, and so must how it ended. */
  const same = async (...args: string[]) => {
    await counted();
    const first = await atTerminal(args, byDatabase);
    const second = await throughApi(args);
    expect({
      code: second.code,
      stdout: ageless(second.stdout()),
      stderr: ageless(second.stderr()),
      failure: second.failure,
    }).toEqual({
      code: first.code,
      stdout: ageless(first.stdout()),
      stderr: ageless(first.stderr()),
      failure: first.failure,
    });
    return second;
  };
  const sameJson = async (...args: string[]) => {
    const json = [...args, "-o", "json"];
    await counted();
    const first = await atTerminal(json, byDatabase);
    const second = await throughApi(json);
    expect({ args, code: second.code, json: timeless(second.stdout()) }).toEqual({
      args,
      code: first.code,
      json: timeless(first.stdout()),
    });
    return timeless(second.stdout());
  };
  const look = async (...args: string[]): Promise<void> => {
    const table = await same(...args);
    if (table.code !== 0) return;
    await sameJson(...args);
    await same(...args, "-o", "name");
  };

  /**
   * Acts once by the database on the first, once through the API on the second; ids and who acted apart, the same is said. How
   * far one is, is said only by what takes long.
   */
  const sameAct = async (act: (thing: string) => string[], [first, second]: readonly [string, string]) => {
    const apart = (text: string, thing: string): string =>
      ageless(text)
        .replaceAll(/^\d+ of \d+ jobs .* per second\)\n/gm, "")
        .replaceAll(thing, "THING")
        .replaceAll(/^ *\d+ /gm, "N ")
        .replaceAll(/"(id|actor|source|since|until|at|createdAt|nextAt|workerId)": (".*"|null)/g, '"$1": …')
        .replaceAll(/\b(job|Job|first|last) \d+/g, "$1 N");
    await counted();
    const one = await atTerminal(act(first), byDatabase);
    const two = await throughApi(act(second));
    expect({
      code: two.code,
      stdout: apart(two.stdout(), second),
      stderr: apart(two.stderr(), second),
      failure: apart(two.failure ?? "", second),
    }).toEqual({
      code: one.code,
      stdout: apart(one.stdout(), first),
      stderr: apart(one.stderr(), first),
      failure: apart(one.failure ?? "", first),
    });
    return two;
  };
  const pair = (ids: readonly string[]): readonly [string, string] => [ids[0] ?? "", ids[1] ?? ""];
  const actors = async (): Promise<string[]> =>
    (
      await database.query<{ actor: string }>(
        "select actor from jobqueue.v_audit_events where action not in ('create_api_key', 'reveal') order by id",
      )
    ).map(({ actor }) => actor);

  describe("through the admin API the same is seen as in the database, by the verb", () => {
    it("status", async () => {
      await add({}, { queue: "imports", delaySeconds: 3600 }, { queue: "held" });
      await dead({});
      await hold(database, { queue: "held", name: "bob", reason: "disks", actor: "bob", source: "cli" });
      await hold(database, { queue: "later", name: "x", reason: "not yet", actor: "bob", source: "api" });
      await look("status");
      await look("status", "held");
      const missed = await same("status", "mailer");
      expect(missed).toMatchObject({ code: 3, failure: expect.stringContaining("Did you mean mailers?") as string });
    });

    it("jobs, with what they carry, and by every filter", async () => {
      const [id = ""] = await add({
        payload: { to: "ana" },
        labels: { note: "a,b", customer: "acme" },
        tag: "t",
        uniqueKey: "k",
      });
      await add({ kind: "other" });
      await dead({}, {});
      await running({ queue: "mailers" });
      await look("jobs");
      for (const flags of [
        ["--label", "note=a,b", "--label", "customer=acme"],
        ["--tag", "t"],
        ["--unique-key", "k"],
        ["--worker", workerId],
        ["--state", "dead", "--limit", "1"],
        ["--queue", "nothing"],
        ["--stale"],
      ])
        await look("jobs", ...flags);
      expect(await sameJson("jobs", "--tag", "t")).toMatchObject([{ id, payload: { to: "ana" }, result: null }]);
      await lost();
      await look("jobs", "--stale");
    });

    it("job: pending, running, stale, dead, completed with its result, and one that waits for another", async () => {
      const [pending = ""] = await add({ payload: [1] });
      const [waits = ""] = await add({ dependsOn: [{ id: pending, policy: "run" }] });
      const [deadOne = ""] = await dead({});
      const [done = "", runs = ""] = await running({}, {});
      const token = (await getJob(database, done))?.leaseToken ?? "";
      await complete(database, [{ id: done, leaseToken: token, result: { sent: true } }]);
      for (const id of [pending, waits, deadOne, done, runs]) await look("job", id);
      await lost();
      await look("job", runs);
      expect((await same("job", "999999999")).code).toBe(3);
    });

    it("why, of queues and jobs, and of what is not there", async () => {
      const [id = ""] = await add({ queue: "held" });
      await hold(database, { queue: "held", name: "bob", reason: "disks", actor: "bob", source: "cli" });
      for (const what of ["held", id, "mailers"]) await look("why", what);
      for (const what of ["nothing", "No Queue", "999999999"]) expect((await same("why", what)).code).toBe(3);
    });

    it("workers", async () => {
      await running({});
      await look("workers");
      await look("workers", "--queue", "nothing");
      await lost();
      await look("workers", "--all");
      expect(await sameJson("workers")).toMatchObject([{ id: workerId, verdict: "lapsed", running: 1 }]);
    });

    it("holds", async () => {
      await look("holds");
      await hold(database, {
        queue: "*",
        name: "bob",
        reason: "disks",
        actor: "bob",
        source: "cli",
        until: new Date(Date.now() + 3_600_000),
      });
      await look("holds");
      await look("holds", "mailers");
      await look("holds", "*");
      expect(await sameJson("holds", "mailers")).toMatchObject([{ name: "bob", reason: "disks" }]);
    });

    it("schedules with what their jobs carry, their ticks, and a preview", async () => {
      await look("schedules");
      const nightly = {
        name: "nightly",
        queue: "reports",
        kind: "daily",
        cron: "30 2 * * *",
        payload: { a: 1 },
        priority: 3,
      };
      await putSchedule(database, nightly, ACT);
      await putSchedule(database, { ...nightly, name: "a/b" }, ACT);
      await database.query(
        "update jobqueue.schedules set next_at = date_trunc('minute', clock_timestamp()) where name = 'nightly'",
      );
      expect(await fireDueSchedules(database)).toHaveLength(1);
      await look("schedules");
      for (const name of ["nightly", "a/b"]) await look("schedules", name);
      expect(await sameJson("schedules", "nightly")).toMatchObject({
        payload: { a: 1 },
        options: { priority: 3 },
        lastTicks: [{ outcome: "fired" }],
      });
      await look("schedule", "preview", "nightly");
      for (const name of ["nightli", "No Schedule"]) expect((await same("schedules", name)).code).toBe(3);
    });

    it("audit", async () => {
      await hold(database, { queue: "mailers", name: "bob", reason: "disks", actor: "bob", source: "cli" });
      const [id = ""] = await add({});
      await atTerminal(["cancel", id], byApi);
      await look("audit");
      await look("audit", "--action", "hold", "--actor", "bob", "--since", "1h");
      await look("audit", "--target", id, "--limit", "1");
      expect(await sameJson("audit", "--limit", "1")).toMatchObject([{ action: "cancel", actor: "key:ana" }]);
    });

    it("configure, and what acts would do", async () => {
      await add({}, {});
      await dead({});
      const [runs = ""] = await running({});
      await look("configure", "mailers");
      expect((await same("configure", "mailer")).code).toBe(3);
      for (const verb of ["retry", "cancel", "delete"]) {
        await same(verb, "--queue", "mailers", "--dry-run");
        await sameJson(verb, "--queue", "mailers", "--older-than", "0s", "--max", "1", "--dry-run");
        await same(verb, runs, "--dry-run");
      }
      await lost();
      await look("recover-stale", "--dry-run");
      await look(
        "recover-stale",
        "--queue",
        "mailers",
        "--worker",
        workerId,
        "--policy",
        "hold",
        "--older-than",
        "0s",
        "--dry-run",
      );
    });
  });

  describe("through the admin API the same is done as in the database, by whoever has the key (G19), by the verb", () => {
    it("enqueue: one, many, and one whose key is taken", async () => {
      const job = (queue: string): string[] => [
        "enqueue",
        queue,
        "welcome",
        "--payload",
        '{"to": "ana"}',
        "--label",
        "a=b",
      ];
      await sameAct(job, ["one-a", "one-b"]);
      await sameAct(
        (queue) => ["enqueue", queue, "k", "--count", "1200", "--payload", '{"n": {i}}'],
        ["many-a", "many-b"],
      );
      await sameAct(
        (queue) => ["enqueue", queue, "k", "--unique-key", queue, "--delay", "1h", "-o", "json"],
        ["key-a", "key-b"],
      );
      await sameAct((queue) => ["enqueue", queue, "k", "--unique-key", queue], ["key-a", "key-b"]);
      for (const env of [byDatabase, byApi]) expect((await atTerminal(["enqueue", "Bad", "k"], env)).code).toBe(2);
      const many = await database.query(
        "select queue, count(*)::int as jobs from jobqueue.v_jobs where queue like 'many-%' group by 1 order by 1",
      );
      expect(many).toEqual([
        { queue: "many-a", jobs: 1200 },
        { queue: "many-b", jobs: 1200 },
      ]);
      const [last] = await database.query(
        "select payload from jobqueue.v_jobs where queue = 'many-b' order by id desc limit 1",
      );
      expect(last).toEqual({ payload: { n: 1200 } });
    });

    it("retry, cancel and delete of one: done, refused by its state, and not there", async () => {
      for (const [verb, ids] of [
        ["retry", await dead({}, {})],
        ["retry", await add({}, {})],
        ["cancel", await add({}, {})],
        ["cancel", await running({}, {})],
        ["cancel", await dead({}, {})],
        ["delete", await add({}, {})],
        ["delete", await running({}, {})],
        ["delete", await dead({}, {})],
        ["delete", ["999999998", "999999999"]],
      ] as const) {
        await sameAct((id) => [verb, id, "--reason", "by test"], pair(ids));
      }
      expect(new Set(await actors())).toEqual(new Set([`${ME}@${hostname()}`, "key:ana"]));
    });

    it("retry of one whose unique key another has", async () => {
      const ids = await dead({ uniqueKey: "a" }, { uniqueKey: "b" });
      await add({ uniqueKey: "a" }, { uniqueKey: "b" });
      expect((await sameAct((id) => ["retry", id], pair(ids))).code).toBe(8);
    });

    it("retry, cancel and delete of many, at most so many, and of none", async () => {
      await dead(
        ...Array.from({ length: 3 }, () => ({ tag: "tag-a" })),
        ...Array.from({ length: 3 }, () => ({ tag: "tag-b" })),
      );
      await sameAct((tag) => ["retry", "--tag", tag, "--state", "dead", "--max", "2", "--yes"], ["tag-a", "tag-b"]);
      await sameAct((tag) => ["retry", "--tag", tag, "--state", "dead", "--yes"], ["tag-a", "tag-b"]);
      await sameAct((tag) => ["delete", "--tag", tag, "--max", "1", "--yes"], ["tag-a", "tag-b"]);
      await sameAct((tag) => ["cancel", "--tag", tag, "--yes"], ["tag-a", "tag-b"]);
      const left = await database.query(
        "select tag, state, count(*)::int as jobs from jobqueue.v_jobs group by 1, 2 order by 1",
      );
      expect(left).toEqual([
        { tag: "tag-a", state: "cancelled", jobs: 2 },
        { tag: "tag-b", state: "cancelled", jobs: 2 },
      ]);
    });

    it("pause and resume; the hold says whose key it was", async () => {
      await add({ queue: "a-queue" }, { queue: "b-queue" });
      const queues = ["a-queue", "b-queue"] as const;
      await sameAct((queue) => ["pause", queue, "--reason", "SMTP is down", "--for", "1h"], queues);
      await sameAct((queue) => ["pause", queue, "--reason", "SMTP is down", "--name", "mine", "-o", "json"], queues);
      const holds = await database.query("select queue, name, actor, source from jobqueue.v_holds order by 1, 2");
      expect(holds).toEqual(
        [
          { queue: "a-queue", name: "mine", actor: `${ME}@${hostname()}`, source: "cli" },
          { queue: "a-queue", name: ME, actor: `${ME}@${hostname()}`, source: "cli" },
          { queue: "b-queue", name: "mine", actor: "key:ana", source: "api" },
          { queue: "b-queue", name: ME, actor: "key:ana", source: "api" },
        ].toSorted((a, b) => `${a.queue} ${a.name}`.localeCompare(`${b.queue} ${b.name}`)),
      );
      await hold(database, { queue: "*", name: "all", reason: "disks", actor: "bob", source: "cli" });
      expect((await sameAct((queue) => ["resume", queue, "--name", "nobody"], queues)).code).toBe(3);
      expect((await sameAct((queue) => ["resume", queue, "-o", "name"], queues)).code).toBe(7);
      expect((await atTerminal(["resume", "*"], byApi)).code).toBe(0);
      expect(await database.query("select from jobqueue.v_holds")).toEqual([]);
    });

    it("recover-stale", async () => {
      const [one, two] = [await worker(["mailers"]), await worker(["mailers"])];
      await add({}, {});
      for (const id of [one, two]) await claim(database, { workerId: id, queues: ["mailers"], max: 1 });
      for (const id of [one, two]) await admin.store.lapse(id);
      await sameAct((id) => ["recover-stale", "--worker", id, "--policy", "hold", "--yes"], [one, two]);
      expect(await database.query("select distinct state from jobqueue.v_jobs")).toEqual([{ state: "deferred" }]);
    });

    it("configure: changed, changed back, and refused", async () => {
      await add({ queue: "a-queue" }, { queue: "b-queue" });
      const queues = ["a-queue", "b-queue"] as const;
      await sameAct(
        (queue) => ["configure", queue, "--max-running", "3", "--rate", "100/1m", "--retry", "10s,1m"],
        queues,
      );
      await sameAct((queue) => ["configure", queue, "--max-running", "3"], queues);
      await sameAct((queue) => ["configure", queue, "--unset", "rate", "--fair", "on", "-o", "json"], queues);
      const policy = await queuePolicy(database, "b-queue");
      expect(policy).toMatchObject({ maxRunning: 3, rate: null, fair: true, retry: { intervalsSeconds: [10, 60] } });
      expect(await queuePolicy(database, "a-queue")).toEqual(policy);
    });

    it("schedule put, pause, resume, trigger, delete", async () => {
      const names = ["a-night", "b-night"] as const;
      const more = ["--cron", "30 2 * * *", "--payload", '{"a": 1}'];
      const put = (name: string): string[] => ["schedule", "put", name, "reports", "daily", ...more];
      await sameAct(put, names);
      await sameAct(put, names);
      await sameAct((name) => [...put(name), "--priority", "3", "-o", "json"], names);
      for (const verb of ["pause", "pause", "trigger", "resume", "delete"])
        await sameAct((name) => ["schedule", verb, name], names);
      for (const verb of ["pause", "trigger", "delete"]) {
        expect((await sameAct((name) => ["schedule", verb, name], names)).code).toBe(3);
      }
      expect(await database.query("select queue, kind, payload from jobqueue.v_jobs")).toEqual([
        { queue: "reports", kind: "daily", payload: { a: 1 } },
        { queue: "reports", kind: "daily", payload: { a: 1 } },
      ]);
    });
  });

  it("jobqueue as a process shows the same, with the key in its environment", async () => {
    await add({});
    await counted();
    const [one, two] = [
      await runJobqueue(["status"], { env: byDatabase }),
      await runJobqueue(["status"], { env: byApi }),
    ];
    expect(two.code).toBe(0);
    expect(ageless(two.stdout)).toBe(ageless(one.stdout));
  });
});
