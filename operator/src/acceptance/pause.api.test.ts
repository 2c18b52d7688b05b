import { enqueue, claim, hold, listHolds, registerWorker, release, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

/** What Git can say about a pause, and whether that holds the queue. */
const GIT = [
  { name: "active", spec: {}, holds: false },
  { name: "paused", spec: { state: "Paused", pauseReason: "SMTP is down" }, holds: true },
  { name: "until", spec: { state: "Paused", pausedUntil: "2099-01-01T00:00:00+01:00" }, holds: true },
  { name: "ended", spec: { state: "Paused", pausedUntil: "2020-01-01T00:00:00Z" }, holds: false },
  { name: "stopped", spec: { state: "Stopped" }, holds: true },
] as const;

/** What people can say beside it. */
const PEOPLE = [
  { name: "nobody", holds: [] },
  { name: "ana", holds: ["incident-42"] },
  { name: "both", holds: ["incident-42", "audit"] },
] as const;

const ALL = GIT.flatMap((git) => PEOPLE.map((people) => ({ queue: `${git.name}-${people.name}`, git, people })));

/** The condition Paused that follows. */
function expected(git: (typeof GIT)[number], others: boolean): string {
  if (git.holds) return others ? "PausedBySpecAndHold" : "PausedBySpec";
  if (others) return "PausedByHold";
  return git.name === "ended" ? "PauseExpired" : "Active";
}

describe("pause: Git owns the hold `spec`, people own theirs, and a queue is paused while there is any", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("pause");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.operator();
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  const names = async (queue: string): Promise<string[]> =>
    (await listHolds(store, queue)).filter((one) => one.queue === queue).map(({ name }) => name);
  const byAna = { reason: "investigating", actor: "ana", source: "cli" };
  const git = (manifest: (typeof ALL)[number], labels = {}) =>
    cluster.api.apply(cluster.path(`jobqueues/${manifest.queue}`), {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobQueue",
      metadata: { name: manifest.queue, labels },
      spec: manifest.git.spec,
    });
  /** Every queue says what its spec and the holds of people amount to. */
  const allAsExpected = async (others: (row: (typeof ALL)[number]) => readonly string[]): Promise<void> => {
    for (const row of ALL) {
      const { queue, git: wanted } = row;
      const people = others(row);
      const reason = expected(wanted, people.length > 0);
      await cluster.condition(`jobqueues/${queue}`, "Paused", reason.startsWith("Paused") ? "True" : "False", reason);
      const pausing = [...(wanted.holds ? ["spec"] : []), ...people];
      await waitFor(
        `${queue} to be paused by ${pausing.join()}`,
        async () => ((await cluster.status(queue)).pausedBy?.split(",") ?? []).sort().join() === pausing.sort().join(),
        { timeoutMs: 20_000, explain: async () => JSON.stringify(await cluster.status(queue)) },
      );
      const columns = await cluster.columns(`jobqueues/${queue}`);
      expect(columns).toMatchObject({ READY: "True", PAUSED: pausing.length > 0 ? "True" : "False" });
      const pausedBy = columns["PAUSED-BY"];
      expect(typeof pausedBy === "string" ? pausedBy.split(",").sort() : []).toEqual(pausing.sort());
    }
  };

  it("all combinations are in force in the store, and visible as PAUSED and PAUSED-BY", async () => {
    for (const { queue, people } of ALL) {
      for (const name of people.holds) await hold(store, { queue, name, ...byAna });
    }
    await Promise.all(ALL.map((row) => git(row)));
    await allAsExpected(({ people }) => people.holds);
    for (const { queue, git: wanted, people } of ALL) {
      expect((await names(queue)).sort()).toEqual([...people.holds, ...(wanted.holds ? ["spec"] : [])].sort());
    }
    const [until] = await listHolds(store, "until-nobody");
    expect(until?.until).toEqual(new Date("2098-12-31T23:00:00Z"));
  });

  it("a pause by command on the whole store is added to all of them, and taken from all of them", async () => {
    await hold(store, { queue: "*", name: "freeze", ...byAna });
    await allAsExpected(({ people }) => [...people.holds, "*/freeze"]);
    await release(store, { queue: "*", name: "freeze", actor: "ana", reason: "done" });
    await allAsExpected(({ people }) => people.holds);
    expect(await names("*")).toEqual([]);
  });

  it("a pause by command survives a re-sync from Git, and a resume by command", async () => {
    await Promise.all(ALL.map((row) => git(row, { synced: "again" })));
    await allAsExpected(({ people }) => people.holds);
    for (const { queue } of ALL.filter(({ people }) => people.name === "both"))
      await release(store, { queue, name: "audit", actor: "bob", reason: "seen" });
    await allAsExpected(({ people }) => people.holds.filter((name) => name !== "audit"));
    expect(await names("active-both")).toEqual(["incident-42"]);
  });

  it("a pause from Git survives a resume by command, and says why", async () => {
    const held = ALL.filter(({ git: wanted }) => wanted.holds);
    const released = await Promise.all(
      held.map(({ queue }) => release(store, { queue, name: "spec", actor: "ana", reason: "by hand" })),
    );
    expect(released).toEqual(held.map(() => true));
    for (const { queue, git: wanted } of held) {
      const [back] = await waitFor(
        `the hold spec of ${queue} to be back`,
        async () => {
          const holds = (await listHolds(store, queue)).filter(({ name }) => name === "spec");
          return holds.length > 0 ? holds : undefined;
        },
        { timeoutMs: 20_000 },
      );
      const reason = "pauseReason" in wanted.spec ? wanted.spec.pauseReason : /^spec\.state is (Paused|Stopped)$/;
      expect(back?.reason).toMatch(reason);
      const { message } = await cluster.condition(`jobqueues/${queue}`, "Paused", "True");
      expect(message).toMatch(/\bspec( \(until [^)]*\))?: (SMTP is down|spec\.state is (Paused|Stopped))/);
    }
    await allAsExpected(({ people }) => people.holds.filter((name) => name !== "audit"));
  });

  it("what people hold with an end ends by itself, and so does what Git holds with an end", async () => {
    const [{ soon } = { soon: "" }] = await store.query<{ soon: string }>(
      "select to_char(date_trunc('second', clock_timestamp() at time zone 'UTC') + interval '4 s', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as soon",
    );
    await cluster.jobQueue("ends", { state: "Paused", pausedUntil: soon });
    await cluster.condition("jobqueues/ends", "Paused", "True", "PausedBySpec");
    const { message } = await cluster.condition("jobqueues/ends", "Paused", "False", "PauseExpired");
    expect(message).toBe(`spec.pausedUntil, ${soon}, has passed: no hold is in force.`);
    const { metadata, spec } = await cluster.object("jobqueues/ends");
    expect(spec).toMatchObject({ state: "Paused", pausedUntil: soon }); // nobody edits what Git says
    expect(metadata["generation"]).toBe(1);
    const [audit] = await store.query<{ count: number }>(
      "select count(*)::int as count from jobqueue.audit_events where target = 'ends'",
    );
    expect(audit?.count).toBe(1); // the end needs nobody to write anything
  });

  it("Stopped lets the workers go once nothing runs, and Active brings them back", async () => {
    const pool = { replicas: 2, workers: workersSpec({ drainTimeoutSeconds: 600 }) };
    await cluster.jobQueue("import", pool);
    await cluster.becomeReady("import", 2);
    await cluster.condition("jobqueues/import", "Ready", "True");
    const replicas = (count: number) =>
      cluster.object("deployments/import-workers", ({ spec }) => (spec as { replicas: number }).replicas === count);
    const workerId = await registerWorker(store, {
      bootId: crypto.randomUUID(),
      queues: ["import"],
      leaseSeconds: 600,
    });
    await enqueue(store, { queue: "import", kind: "x", payload: {} });
    const [job] = await claim(store, { workerId, queues: ["import"], max: 1 });

    await cluster.jobQueue("import", { ...pool, state: "Stopped" });
    await cluster.condition("jobqueues/import", "Paused", "True", "PausedBySpec");
    await cluster.condition("jobqueues/import", "Drained", "False", "JobsRunning");
    await replicas(2);
    await store.query("select jobqueue.complete(array[$1::bigint], array[$2::bigint])", [job?.id, job?.leaseToken]);
    await replicas(0);
    await cluster.condition("jobqueues/import", "Drained", "True", "NoRunningJobs");
    await cluster.condition("jobqueues/import", "WorkersAvailable", "False", "Stopped");
    await cluster.condition("jobqueues/import", "Ready", "True", "Reconciled");
    await waitFor(
      "the last workers to be gone from the columns",
      async () => (await cluster.columns("jobqueues/import"))["WORKERS"] === 0,
      { timeoutMs: 20_000 },
    );
    expect(await cluster.columns("jobqueues/import")).toMatchObject({ READY: "True", PAUSED: "True", DESIRED: 0 });

    await cluster.jobQueue("import", pool);
    await replicas(2);
    await cluster.condition("jobqueues/import", "Paused", "False", "Active");
  });
});
