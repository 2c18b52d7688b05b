import { registerMetrics } from "@jobqueue/operator/runtime";
import type { QueueStats } from "@jobqueue/store";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, it } from "vitest";
import { NO_JOBS } from "../../store/src/testing/no-jobs.ts";
import { ADMIN_METRICS, type AdminMetrics } from "./metrics.ts";
import { measureQueues } from "./queue-metrics.ts";

const AT = new Date("2026-08-01T12:00:00Z");

const queue = (name: string, some: Partial<QueueStats> = {}): QueueStats => ({
  queue: name,
  ...NO_JOBS,
  ...some,
});
const counted = (...value: QueueStats[]) => ({ value, at: AT, partial: false });

describe("what a scrape of the admin server tells of queues", () => {
  let registry: Registry;
  let metrics: AdminMetrics;
  beforeEach(() => {
    registry = new Registry();
    metrics = registerMetrics(registry, ADMIN_METRICS);
  });
  const lines = async (prefix: string): Promise<string[]> =>
    (await registry.metrics()).split("\n").filter((line) => line.startsWith(prefix));

  it("size by state, age, and how long what runs has been running on which host, as Posit Connect has them", async () => {
    measureQueues(metrics, {
      stats: counted(queue("mailers", { pending: 3, running: 2, dead: 1, oldestPendingSeconds: 90 })),
      active: [{ queue: "mailers", hostname: "node-1", jobs: 2, longestSeconds: 12.5 }],
    });
    expect(await lines("jobqueue_queue_items_size{")).toContain(
      'jobqueue_queue_items_size{queue="mailers",state="pending"} 3',
    );
    expect(await lines("jobqueue_queue_items_size{")).toHaveLength(7);
    expect(await lines("jobqueue_queue_items_age_seconds{")).toEqual([
      'jobqueue_queue_items_age_seconds{queue="mailers"} 90',
    ]);
    expect(await lines("jobqueue_queue_items_active_duration_seconds{")).toEqual([
      'jobqueue_queue_items_active_duration_seconds{queue="mailers",hostname="node-1"} 12.5',
    ]);
    expect(await lines("jobqueue_queue_items_counted_timestamp_seconds ")).toEqual([
      `jobqueue_queue_items_counted_timestamp_seconds ${AT.getTime() / 1000}`,
    ]);
  });

  it("a queue that is gone leaves no series behind", async () => {
    measureQueues(metrics, { stats: counted(queue("a"), queue("b")), active: [] });
    measureQueues(metrics, { stats: counted(queue("b")), active: [] });
    expect(await lines("jobqueue_queue_items_age_seconds{")).toEqual(['jobqueue_queue_items_age_seconds{queue="b"} 0']);
  });

  it("while the store does not answer it says so, and shows no old number", async () => {
    measureQueues(metrics, { stats: counted(queue("a", { pending: 5 })), active: [] });
    measureQueues(metrics, undefined);
    expect(await lines("jobqueue_admin_store_up ")).toEqual(["jobqueue_admin_store_up 0"]);
    expect(await lines("jobqueue_queue_items_size{")).toEqual([]);
  });

  it("has at most a thousand queues, and says how many it leaves out", async () => {
    const many = Array.from({ length: 1_002 }, (_, number) => queue(`q-${number}`));
    measureQueues(metrics, {
      stats: counted(...many),
      active: [{ queue: "q-1001", hostname: "h", jobs: 1, longestSeconds: 1 }],
    });
    expect(await lines("jobqueue_queue_items_age_seconds{")).toHaveLength(1_000);
    expect(await lines("jobqueue_queues_left_out ")).toEqual(["jobqueue_queues_left_out 2"]);
    expect(await lines("jobqueue_queue_items_active{")).toEqual([]);
  });
});
