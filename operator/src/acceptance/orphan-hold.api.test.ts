import { hold, listHolds, type Database } from "@jobqueue/store";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { Monitors } from "../controllers/job-store/monitors.ts";
import { secretReader } from "../controllers/job-store/credentials.ts";
import { JOB_STORES } from "../controllers/kinds.ts";
import { KubeClient, kubeMetrics, loadAccess, Transport } from "../kube/index.ts";
import type { ReleaseHold } from "../plan/action.ts";
import { createApply, type Apply } from "../plan/apply.ts";
import { WrittenObjects } from "../plan/written-objects.ts";
import { silentLog, systemClock as clock, TokenBucket } from "../runtime/index.ts";
import { ClusterUnderTest, openStore } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("releasing the hold of a JobQueue that was deleted", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;
  let transport: Transport;
  let monitors: Monitors;
  let leads = true;
  let apply: Apply;
  const never = new AbortController().signal;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("orphans");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    const access = await loadAccess({ kubeconfig: cluster.kubeconfig });
    transport = new Transport({ access, clock, metrics: kubeMetrics(new Registry()) });
    const client = new KubeClient(transport);
    const leader = { holder: "test", mayAct: () => true };
    monitors = new Monitors({ readSecret: secretReader(client), leader, onChange: () => {}, clock, log: silentLog });
    const jobStore = await client.get(JOB_STORES, { namespace: cluster.namespace, name: "default" });
    const key = `${cluster.namespace}/default`;
    await monitors.watch(key, jobStore);
    await monitors.get(key).refresh();
    apply = createApply({
      client,
      monitors,
      events: { record: () => {} },
      written: {
        deployments: new WrittenObjects(clock),
        disruptionBudgets: new WrittenObjects(clock),
        jobQueues: new WrittenObjects(clock),
        jobStores: new WrittenObjects(clock),
      },
      countWrites: new TokenBucket({ clock, perSecond: 1, burst: 1 }),
      mayAct: () => leads,
    });
  });

  afterAll(async () => {
    await monitors.stop();
    await transport.close();
    await store.close();
    await database.drop();
  });

  const releaseOf = (name: string): ReleaseHold => ({
    do: "releaseHold",
    store: `${cluster.namespace}/default`,
    queue: name,
    hold: "spec",
    actor: "jobqueue-operator:test",
    unlessExists: { namespace: cluster.namespace, name },
    reason: "OrphanHold",
    sentence: "JobQueue was deleted.",
  });
  const held = async (name: string): Promise<number> => (await listHolds(store, name)).length;

  it("does nothing when a live read shows that the JobQueue is there after all", async () => {
    await hold(store, { queue: "there", name: "spec", reason: "r", actor: "a", source: "spec" });
    await cluster.jobQueue("there", {});
    expect(await apply([releaseOf("there")], never)).toMatchObject({ changed: false, failure: undefined });
    expect(await held("there")).toBe(1);
  });

  it("releases the hold when the JobQueue is gone, and shows the release in the next look", async () => {
    await hold(store, { queue: "gone", name: "spec", reason: "r", actor: "a", source: "spec" });
    expect(await apply([releaseOf("gone")], never)).toMatchObject({ changed: true, failure: undefined });
    expect(await held("gone")).toBe(0);
    const view = monitors.get(`${cluster.namespace}/default`).view;
    expect(view.is === "up" && view.snapshot?.holds.map(({ queue }) => queue)).toEqual(["there"]);
  });

  it("does nothing for a process that does not lead any more", async () => {
    await hold(store, { queue: "late", name: "spec", reason: "r", actor: "a", source: "spec" });
    leads = false;
    expect((await apply([releaseOf("late")], never)).failure).toMatchObject({ next: "retry" });
    expect(await held("late")).toBe(1);
    leads = true;
  });

  it("does nothing for a controller that was told to stop at once", async () => {
    expect((await apply([releaseOf("late")], AbortSignal.abort())).failure).toBeDefined();
    expect(await held("late")).toBe(1);
  });

  it("stops at the first action that fails, and can be repeated from the start", async () => {
    const unknownStore = { ...releaseOf("late"), store: "nowhere/default", unlessExists: undefined };
    const outcome = await apply([unknownStore, releaseOf("late")], never);
    expect(outcome.failure?.action).toBe(unknownStore);
    expect(await held("late")).toBe(1);
    await apply([releaseOf("late"), releaseOf("late")], never);
    expect(await held("late")).toBe(0);
  });
});
