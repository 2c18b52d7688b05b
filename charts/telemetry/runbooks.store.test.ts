/**
 * Every runbook walked from the command line alone, in the order of the page, on a store in which its alert's cause has been made.
 * Left out are lines of kubectl and those that need a cluster or do not end: they are parsed in runbooks.test.ts.
 */
import {
  claim,
  complete,
  configureStore,
  type Database,
  enqueueMany,
  fail,
  getJob,
  hold,
  listHolds,
  putSchedule,
  queuePolicy,
  queueStats,
  registerWorker,
} from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { commandOnStore } from "../../cli/src/testing/command-on-store.ts";
import { forNewestPostgres } from "../../test/support/postgres/database.ts";
import { commandsOf, readRunbook, wordsOf } from "../testing/runbook.ts";
import { ALERT_GROUPS } from "./alerts.ts";

const NAMES = ALERT_GROUPS.flatMap(({ alerts }) => alerts.map(({ name }) => name));
/** What needs a cluster, does not end, or names a store that is only an example. */
const LEFT_OUT = /^jobqueue (?:explain|version --cluster|worker |migrate --store-url)|--watch$/;
const ACT = { actor: "test", reason: "test" };

/** The job and the worker that the runbooks speak of, with this id. */
async function withIds(database: Database, job: number, worker: number): Promise<void> {
  await database.query(`alter table jobqueue.jobs alter column id restart with ${job}`);
  await database.query(`alter table jobqueue.workers alter column id restart with ${worker}`);
}

const workerOf = async (database: Database, queue: string, leaseSeconds = 600): Promise<string> =>
  registerWorker(database, {
    bootId: crypto.randomUUID(),
    pod: `${queue}-1`,
    queues: [queue],
    concurrency: 2,
    leaseSeconds,
  });

/** Jobs of a worker that is lost: its lease is over. */
async function lost(database: Database, queue: string): Promise<void> {
  const workerId = await workerOf(database, queue);
  await enqueueMany(database, [{ queue, kind: "import" }]);
  await claim(database, { workerId, queues: [queue], max: 1 });
  await database.query(
    "update jobqueue.workers set lease_until = clock_timestamp() - interval '1 minute' where id = $1",
    [workerId],
  );
}

/** What makes job 4711 what the runbook is about; a pending job of `mailers` where nothing else is said. */
const CAUSES: Readonly<Record<string, (database: Database) => Promise<void>>> = {
  DeadLetters: async (database) => {
    const workerId = await workerOf(database, "mailers");
    await enqueueMany(
      database,
      Array.from({ length: 3 }, () => ({ queue: "mailers", kind: "welcome", maxAttempts: 1 })),
    );
    const jobs = await claim(database, { workerId, queues: ["mailers"], max: 3 });
    await fail(
      database,
      jobs.map((job) => ({ ...job, error: "relay refused the connection" })),
    );
  },
  StaleJobs: async (database) => {
    await configureStore(database, { recovery: "report" }, ACT);
    await lost(database, "mailers");
    await lost(database, "imports");
  },
  WorkersHung: async (database) => lost(database, "mailers"),
  QueuePausedAndForgotten: async (database) => {
    await enqueueMany(database, [{ queue: "mailers", kind: "welcome" }]);
    await database.query(
      "update jobqueue.jobs set created_at = created_at - interval '2 days', run_at = run_at - interval '2 days'",
    );
    await enqueueMany(database, [{ queue: "mailers", kind: "welcome" }]);
    await hold(database, { queue: "mailers", name: "ana", reason: "SMTP is down", actor: "ana", source: "cli" });
    await database.query("update jobqueue.holds set since = since - interval '25 hours'");
  },
  QueueBacklogGrowing: async (database) => {
    await enqueueMany(
      database,
      Array.from({ length: 200 }, (_, number) => ({
        queue: "mailers",
        kind: "welcome",
        concurrencyKey: `t${number % 3}`,
      })),
    );
  },
  OldestJobTooOld: async (database) => {
    await enqueueMany(database, [
      { queue: "mailers", kind: "welcome" },
      { queue: "mailers", kind: "misspelt" },
    ]);
    await workerOf(database, "mailers");
  },
  HandlersFail: async (database) => {
    const workerId = await workerOf(database, "mailers");
    await enqueueMany(database, [
      { queue: "mailers", kind: "welcome", labels: { customer: "acme" } },
      { queue: "mailers", kind: "welcome" },
    ]);
    const jobs = await claim(database, { workerId, queues: ["mailers"], max: 2 });
    await fail(
      database,
      jobs.map((job) => ({ ...job, error: "relay refused the connection" })),
    );
  },
  JobRunsTooLong: async (database) => {
    const workerId = await workerOf(database, "reports");
    await enqueueMany(database, [{ queue: "reports", kind: "daily" }]);
    await claim(database, { workerId, queues: ["reports"], max: 1 });
  },
  ScheduleMissed: async (database) => {
    const nightly = {
      name: "nightly",
      queue: "reports",
      kind: "daily",
      cron: "30 2 * * *",
      missedTicks: "skip",
    } as const;
    await putSchedule(database, nightly, ACT);
  },
};
const plain = async (database: Database): Promise<void> => {
  await enqueueMany(database, [{ queue: "mailers", kind: "welcome" }]);
  await workerOf(database, "mailers");
};

/** What is so when a runbook has been walked to its end, as its Verify says. */
const VERIFIED: Readonly<Record<string, (database: Database) => Promise<void>>> = {
  DeadLetters: async (database) => {
    expect(await getJob(database, "4711")).toMatchObject({ state: "pending", generation: 2, attempt: 0 });
    expect((await queueStats(database)).find(({ queue }) => queue === "mailers")).toMatchObject({
      dead: 0,
      pending: 3,
    });
    expect(await listHolds(database)).toEqual([]);
    // And they do run again: none of the leases is lost.
    const workerId = await workerOf(database, "mailers");
    const jobs = await claim(database, { workerId, queues: ["mailers"], max: 3 });
    expect(jobs).toHaveLength(3);
    expect(await complete(database, jobs)).toEqual([]);
  },
  StaleJobs: async (database) => {
    const stats = await queueStats(database);
    expect(stats.map(({ queue, stale }) => [queue, stale])).toEqual([
      ["imports", 0],
      ["mailers", 0],
    ]);
    expect(await getJob(database, "4711")).toMatchObject({ state: "pending" });
  },
  WorkersHung: async (database) => {
    expect((await getJob(database, "4711"))?.state).not.toBe("running");
  },
  QueuePausedAndForgotten: async (database) => {
    const holds = await listHolds(database);
    expect(holds.filter(({ until }) => until === null)).toEqual([]);
    expect(await getJob(database, "4711")).toMatchObject({ state: "cancelled" });
    expect(await getJob(database, "4712")).toMatchObject({ state: "pending" });
    expect(await queuePolicy(database, "mailers")).toMatchObject({ rate: { count: 100 } });
  },
  QueueBacklogGrowing: async (database) => {
    expect(await queuePolicy(database, "mailers")).toMatchObject({ maxRunning: 40, fair: true, maxRunningPerKey: 5 });
  },
  OldestJobTooOld: async (database) => {
    expect((await getJob(database, "4712"))?.state).toBe("cancelled");
  },
  JobRunsTooLong: async (database) => {
    expect(await queuePolicy(database, "reports")).toMatchObject({ timeoutSeconds: 7200 });
  },
};

forNewestPostgres(({ adminUrl }) => {
  describe.each(NAMES)("the runbook %s, from the command line alone", (name) => {
    const { database, atTerminal } = commandOnStore(adminUrl);

    it("is walked to its end: every command does what it is there for, and what Verify says is so", async () => {
      await withIds(database(), 4711, 17);
      await (CAUSES[name] ?? plain)(database());
      const lines = commandsOf(readRunbook(name)).map(({ line }) => line);
      for (const line of lines.filter((one) => one.startsWith("jobqueue ") && !LEFT_OUT.test(one))) {
        const { code, stdout, stderr } = await atTerminal("", ...wordsOf(line).slice(1));
        expect({ line, code, said: code === 0 ? "" : stdout() + stderr() }).toEqual({ line, code: 0, said: "" });
      }
      await VERIFIED[name]?.(database());
    });
  });
});
