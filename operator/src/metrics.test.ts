import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { aHold, aJobQueue, aJobStore, aSnapshot, counts, NOW } from "./controllers/testing/builders.ts";
import type { StoreView } from "./controllers/job-store/store-view.ts";
import type { StoredJobQueue, StoredJobStore } from "./controllers/kubernetes-objects.ts";
import { Cache, keyOf } from "./kube/index.ts";
import { OPERATOR_METRICS, showKnown } from "./metrics.ts";
import { registerMetrics } from "./runtime/index.ts";

/** What the metrics say of one JobQueue of one store that looks so; only lines that contain one of `wanted`. */
async function told(view: StoreView | undefined, wanted: string): Promise<string[]> {
  const registry = new Registry();
  const metrics = registerMetrics(registry, OPERATOR_METRICS);
  const condition = {
    type: "Ready",
    status: "True",
    reason: "Reconciled",
    message: "",
    lastTransitionTime: "",
  } as const;
  const jobQueues = new Cache<StoredJobQueue>();
  const queue = aJobQueue({}, { status: { conditions: [condition] } });
  jobQueues.set(keyOf(queue.metadata), queue);
  const jobStores = new Cache<StoredJobStore>();
  jobStores.set("shop/default", aJobStore());
  const monitors = view && { keys: () => ["shop/default" as const], find: () => ({ view }) };
  showKnown(metrics, () => ({ monitors, jobQueues, jobStores, now: NOW }));
  return (await registry.metrics()).split("\n").filter((line) => !line.startsWith("#") && line.includes(wanted));
}

const up = (snapshot: ReturnType<typeof aSnapshot>): StoreView => ({
  is: "up",
  serverVersion: "18.4",
  schema: { is: "compatible", version: 1 },
  snapshot,
});

it("says how long the oldest hold has been there, by the clock of the database", async () => {
  const holds = [
    aHold({ queue: "*", since: "2026-08-01T11:00:00Z" }),
    aHold({ queue: "mailers", since: "2026-08-01T11:30:00Z" }),
    aHold({ queue: "other", since: "2026-07-01T00:00:00Z" }),
  ];
  const view = up(aSnapshot({ holds, clockAheadMs: 60_000, queues: new Map([["mailers", counts()]]) }));
  expect(await told(view, "jobqueue_paused_seconds")).toEqual([
    'jobqueue_paused_seconds{namespace="shop",name="mailers"} 3660',
  ]);
});

it("says apart how long the oldest hold without an end has been there: one that has an end is not forgotten", async () => {
  const holds = [
    aHold({ queue: "mailers", since: "2026-08-01T11:00:00Z", until: "2026-08-03T00:00:00Z" }),
    aHold({ queue: "mailers", since: "2026-08-01T11:30:00Z" }),
  ];
  const of = async (some: typeof holds) =>
    told(
      up(aSnapshot({ holds: some, queues: new Map([["mailers", counts()]]) })),
      "jobqueue_paused_without_end_seconds",
    );
  expect(await of(holds)).toEqual(['jobqueue_paused_without_end_seconds{namespace="shop",name="mailers"} 1800']);
  expect(await of(holds.slice(0, 1))).toEqual([
    'jobqueue_paused_without_end_seconds{namespace="shop",name="mailers"} 0',
  ]);
});

it("says 0 of a queue that nobody holds, and counts who holds old snapshots of a store", async () => {
  const view = up(aSnapshot({ holds: [], oldSnapshots: [{ holder: "replication slot standby" }] }));
  expect(await told(view, "jobqueue_paused_seconds")).toEqual([
    'jobqueue_paused_seconds{namespace="shop",name="mailers"} 0',
  ]);
  expect(await told(view, "jobqueue_store_old_snapshots")).toEqual([
    'jobqueue_store_old_snapshots{namespace="shop",name="default"} 1',
  ]);
});

it("has a series for every condition while it leads, and none on a replica that does not", async () => {
  expect(await told(up(aSnapshot()), "jobqueue_condition")).toEqual([
    'jobqueue_condition{kind="JobQueue",namespace="shop",name="mailers",type="Ready",status="True",reason="Reconciled"} 1',
  ]);
  expect(await told(undefined, "jobqueue_condition")).toEqual([]);
});

it("shows each queue once, however the cache changes while somebody reads", () => {
  const metrics = registerMetrics(new Registry(), OPERATOR_METRICS);
  const jobQueues = new Cache<StoredJobQueue>();
  const queues = ["a", "b"].map((name) => aJobQueue({}, { metadata: { name } }));
  for (const queue of queues) jobQueues.set(keyOf(queue.metadata), queue);
  const monitors = { keys: () => [], find: () => ({ view: up(aSnapshot()) }) };
  showKnown(metrics, () => ({ monitors, jobQueues, jobStores: new Cache<StoredJobStore>(), now: NOW }));
  const seen: (string | undefined)[] = [];
  for (const { labels } of metrics.paused.live ?? []) {
    seen.push(labels["name"]);
    const [first] = queues;
    if (!first || seen.length > 1) continue;
    jobQueues.delete(keyOf(first.metadata));
    jobQueues.set(keyOf(first.metadata), first);
  }
  expect(seen).toEqual(["a", "b"]);
});
