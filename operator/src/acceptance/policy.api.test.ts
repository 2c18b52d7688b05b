import {
  configureQueue,
  enqueue,
  listJobs,
  listSchedules,
  pauseSchedule,
  putSchedule,
  queuePolicy,
  storeSettings,
  type Database,
} from "@jobqueue/store";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import type { RequestObservation } from "../kube/index.ts";
import { ClusterUnderTest, openStore, writesOf } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("what a spec says to the store", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;
  const requests: RequestObservation[] = [];
  const ana = { actor: "ana", reason: "by hand" };

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("policy");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.operator({ onRequest: (request) => requests.push(request) });
    await cluster.condition("jobstores/default", "Ready", "True");
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  const until = (what: string, reached: () => Promise<boolean>) => waitFor(what, reached, { timeoutMs: 20_000 });
  const audited = async (action: string, target: string): Promise<readonly { actor: string; after: object }[]> =>
    store.query("select actor, after from jobqueue.audit_events where action = $1 and target = $2 order by id", [
      action,
      target,
    ]);
  /** Lets the operator look at the store so many times more; it must write nothing. The absence of something has no signal. */
  const looks = async (count: number): Promise<void> => {
    await sleep(2_500); // what it had to tell still, of what went before
    const before = requests.length;
    await sleep(count * 1_200);
    expect(writesOf(requests.slice(before))).toEqual([]);
  };

  it("writes the policy of a queue once, audited, with the fields that the spec has", async () => {
    await cluster.jobQueue("mail", {
      concurrency: 5,
      timeoutSeconds: 60,
      resultTTLSeconds: 0,
      onWorkerLoss: "Hold",
      retry: { maxAttempts: 3, exponential: { initialSeconds: 5, maxSeconds: 60 } },
    });
    await until("the policy", async () => (await queuePolicy(store, "mail"))?.maxRunning === 5);
    expect(await queuePolicy(store, "mail")).toMatchObject({
      maxRunning: 5,
      timeoutSeconds: 60,
      resultTtlSeconds: 0,
      onWorkerLoss: "hold",
      maxAttempts: 3,
      retry: { exponential: { initialSeconds: 5, maxSeconds: 60 } },
      fair: false,
    });
    await cluster.condition("jobqueues/mail", "Ready", "True");
    await looks(3);
    expect(await audited("configure_queue", "mail")).toMatchObject([
      { actor: `jobqueue-operator:${cluster.namespace}/mail` },
    ]);
  });

  it("puts back what somebody changes of it, and leaves alone what the spec does not say", async () => {
    await configureQueue(store, "mail", { maxRunning: 50, maxRecoveries: 7, fair: true }, ana);
    await until("the limit to be back", async () => (await queuePolicy(store, "mail"))?.maxRunning === 5);
    expect(await queuePolicy(store, "mail")).toMatchObject({ maxRecoveries: 7, fair: true });
    expect(await audited("configure_queue", "mail")).toHaveLength(3);
  });

  it("leaves behind what a spec says no longer: absent is not default", async () => {
    await cluster.jobQueue("mail", { retry: { maxAttempts: 4 } });
    await until("the attempts", async () => (await queuePolicy(store, "mail"))?.maxAttempts === 4);
    expect(await queuePolicy(store, "mail")).toMatchObject({ maxRunning: 5, onWorkerLoss: "hold" });
    await configureQueue(store, "mail", { maxRunning: null }, ana);
    await looks(3);
    expect(await queuePolicy(store, "mail")).toMatchObject({ maxRunning: null });
  });

  it("a second JobQueue for the queue says nothing to the store, and names the first", async () => {
    await until("the clock of the API server, which counts seconds, to move on", async () => {
      const { metadata } = await cluster.api.get(cluster.path("jobqueues/mail"));
      return Date.now() > Date.parse(String(metadata["creationTimestamp"])) + 1_500;
    });
    await cluster.jobQueue("rival", {
      queueName: "mail",
      concurrency: 1,
      schedules: [{ name: "x", cron: "0 0 * * *", kind: "x" }],
    });
    const { message } = await cluster.condition("jobqueues/rival", "Stalled", "True", "QueueConflict");
    expect(message).toMatch(/^JobQueue mail is older and already manages the queue mail/);
    await looks(2);
    expect(await queuePolicy(store, "mail")).toMatchObject({ maxRunning: null });
    expect(await listSchedules(store, { queue: "mail" })).toEqual([]);
    await cluster.api.delete(cluster.path("jobqueues/rival"));
  });

  it("puts schedules under the name of the queue, and fires them where no worker does (G14)", async () => {
    const nightly = {
      name: "nightly",
      cron: "0 2 * * *",
      timeZone: "Europe/Berlin",
      kind: "cleanup",
      payload: { days: 7 },
    };
    await cluster.jobQueue("clean", { schedules: [nightly], concurrency: 1 });
    await until("the schedule", async () => (await listSchedules(store, { queue: "clean" })).length === 1);
    expect(await listSchedules(store, { queue: "clean" })).toMatchObject([
      { name: "clean/nightly", kind: "cleanup", payload: { days: 7 }, cron: "0 2 * * *", timeZone: "Europe/Berlin" },
    ]);
    await store.query(
      "update jobqueue.schedules set next_at = date_trunc('second', clock_timestamp()) where name = 'clean/nightly'",
    );
    const jobs = await waitFor(
      "the job of the tick",
      async () => {
        const found = await listJobs(store, { queue: "clean" });
        return found.length > 0 ? found : undefined;
      },
      { timeoutMs: 20_000 },
    );
    expect(jobs).toMatchObject([{ kind: "cleanup", payload: { days: 7 } }]);
    await cluster.condition("jobqueues/clean", "Ready", "True");
    await looks(3);
    expect(await audited("put_schedule", "schedules/clean/nightly")).toHaveLength(1);
  });

  it("a person may pause a schedule of Git and put others; taking one out of the spec takes it out of the store", async () => {
    await pauseSchedule(store, "clean/nightly", true, ana);
    await putSchedule(store, { name: "clean/by-ana", queue: "clean", kind: "x", payload: {}, cron: "0 0 1 1 *" }, ana);
    await looks(3);
    expect(await listSchedules(store, { queue: "clean" })).toMatchObject([
      { name: "clean/by-ana", owner: null },
      { name: "clean/nightly", paused: true },
    ]);
    await cluster.jobQueue("clean", { concurrency: 1 });
    await until("the schedule to be gone", async () => (await listSchedules(store, { queue: "clean" })).length === 1);
    expect(await listSchedules(store, { queue: "clean" })).toMatchObject([{ name: "clean/by-ana" }]);
  });

  it("a schedule that cannot be is told, and ends none that works", async () => {
    const works = { name: "works", cron: "0 0 * * *", kind: "x" };
    await cluster.jobQueue("broken", { schedules: [works] });
    await until("the schedule", async () => (await listSchedules(store, { queue: "broken" })).length === 1);
    await cluster.jobQueue("broken", { schedules: [{ ...works, cron: "0 0 31 2 *" }] });
    const never = await cluster.condition("jobqueues/broken", "Stalled", "True", "InvalidSpec");
    expect(never.message).toBe("spec.schedules[works]: 0 0 31 2 * never comes.");
    await cluster.jobQueue("broken", { schedules: [{ ...works, timeZone: "Mars/Olympus" }] });
    await until("the other sentence", async () => {
      const { message } = await cluster.condition("jobqueues/broken", "Stalled", "True", "InvalidSpec");
      return message.includes('"Mars/Olympus" is no time zone');
    });
    expect(await listSchedules(store, { queue: "broken" })).toMatchObject([
      { name: "broken/works", cron: "0 0 * * *" },
    ]);
    await cluster.jobQueue("broken", { schedules: [works] });
    await cluster.condition("jobqueues/broken", "Ready", "True");
  });

  it("says when an objective is missed, by age alone, and when it is met again", async () => {
    await cluster.jobQueue("slow", { objectives: { oldestPendingSeconds: 3, pending: 100 } });
    await cluster.condition("jobqueues/slow", "BacklogWithinTarget", "True", "WithinTarget");
    await enqueue(store, { queue: "slow", kind: "x", payload: {} });
    await cluster.condition("jobqueues/slow", "BacklogWithinTarget", "False", "OldestJobTooOld");
    const ready = await cluster.condition("jobqueues/slow", "Ready", "True");
    expect(ready.reason).toBe("Reconciled");
    await store.query("select jobqueue.delete_jobs('{\"queue\": \"slow\"}', 'ana', 'by hand')");
    await cluster.condition("jobqueues/slow", "BacklogWithinTarget", "True", "WithinTarget");
    await cluster.jobQueue("slow", {});
    await until(
      "the condition to go with its objectives",
      async () => !(await cluster.status("slow")).conditions?.some(({ type }) => type === "BacklogWithinTarget"),
    );
  });

  it("every status and condition says which generation it is about, as kubectl wait and kstatus read it", async () => {
    const { metadata } = await cluster.jobQueue("slow", { pauseReason: "x", state: "Paused" });
    const generation = Number(metadata["generation"]);
    await until(
      "the status to be about this generation",
      async () => (await cluster.status("slow")).observedGeneration === generation,
    );
    const { conditions = [] } = await cluster.status("slow");
    expect(conditions.map(({ type }) => type)).toEqual(["Drained", "Paused", "Ready", "WorkersAvailable"]);
    expect(conditions.map((condition) => condition.observedGeneration)).toEqual(conditions.map(() => generation));
    await until(
      "the pause",
      async () => (await cluster.condition("jobqueues/slow", "Paused", "True")).status === "True",
    );
  });

  it("writes what a JobStore says about retention and recovery, and leaves the rest", async () => {
    await cluster.jobStore("default", {
      retention: { completedSeconds: 3_600 },
      staleLockRecovery: { mode: "Report", graceSeconds: 5 },
    });
    await until("the settings", async () => (await storeSettings(store)).completedSeconds === 3_600);
    expect(await storeSettings(store)).toMatchObject({
      completedSeconds: 3_600,
      deadSeconds: 2_592_000,
      recovery: "report",
      recoveryGraceSeconds: 5,
    });
    await looks(2);
    expect(await audited("configure_store", "store")).toMatchObject([
      { actor: `jobqueue-operator:${cluster.namespace}/default` },
    ]);
    await cluster.jobStore("default");
    await until("recovery to be as it was", async () => (await storeSettings(store)).recovery === "recover");
    expect(await storeSettings(store)).toMatchObject({ completedSeconds: 3_600 });
  });
});
