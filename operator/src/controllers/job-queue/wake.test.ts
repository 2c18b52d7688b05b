import { describe, expect, it } from "vitest";
import { aJobQueue, someWorkers } from "../testing/builders.ts";
import type { StoredDeployment, StoredJobQueue, StoredPod } from "../kubernetes-objects.ts";
import { JOB_QUEUE_INDEXES, wokenByChild, wokenByJobQueue, wokenByPod, wokenByStore } from "./wake.ts";

const named = (name: string, spec: Parameters<typeof aJobQueue>[0] = {}, metadata: object = {}) =>
  aJobQueue(spec, { metadata: { name, uid: name, ...metadata } });
const finder = (queues: readonly StoredJobQueue[]) => (index: string, value: string) =>
  queues.filter((queue) => JOB_QUEUE_INDEXES[index]?.(queue).includes(value));

describe("what wakes a JobQueue", () => {
  const mailers = named("mailers");
  const rival = named("rival", { queueName: "mailers" });
  const high = named("high", { workers: someWorkers({ alsoServes: ["mailers", "low"] }) });
  const low = named("low", { workers: null });
  const elsewhere = named("elsewhere", { storeRef: { name: "other" }, queueName: "mailers" });
  const find = finder([mailers, rival, high, low, elsewhere]);

  it("a new JobQueue wakes its rivals for the queue, in the same store only", () => {
    expect(wokenByJobQueue(mailers, undefined, find)).toEqual(new Set(["shop/mailers", "shop/rival"]));
  });

  it("a JobQueue whose workers serve other queues wakes those", () => {
    expect(wokenByJobQueue(high, undefined, find)).toEqual(
      new Set(["shop/high", "shop/mailers", "shop/rival", "shop/low"]),
    );
  });

  it("a queue that is not served any more is woken too", () => {
    const before = high;
    const now = named("high", { workers: someWorkers({ alsoServes: [] }) }, { generation: 2 });
    expect(wokenByJobQueue(now, before, find)).toEqual(
      new Set(["shop/high", "shop/mailers", "shop/rival", "shop/low"]),
    );
  });

  it("a status write wakes nobody else, unless the first worker became ready or the last one went", () => {
    const ready = (number: number) => ({ ...high, status: { workers: { desired: 2, ready: number } } });
    expect(wokenByJobQueue(ready(2), ready(1), find)).toEqual(new Set(["shop/high"]));
    expect(wokenByJobQueue(ready(1), ready(0), find)).toContain("shop/low");
  });

  it("a Deployment wakes its owner and the pool it claims to be", () => {
    const ownerReferences = [{ apiVersion: "jobqueue.dev/v1alpha1", kind: "JobQueue", name: "mailers", uid: "u" }];
    const deployment = {
      metadata: { namespace: "shop", name: "x", labels: { "jobqueue.dev/pool": "other" }, ownerReferences },
    };
    expect(wokenByChild(deployment as unknown as StoredDeployment)).toEqual(new Set(["shop/mailers", "shop/other"]));
  });

  it("a pod wakes its pool", () => {
    const pod = (labels: object) => ({ metadata: { namespace: "shop", name: "x", labels } }) as unknown as StoredPod;
    expect(wokenByPod(pod({ "jobqueue.dev/pool": "mailers" }))).toEqual(new Set(["shop/mailers"]));
    expect(wokenByPod(pod({}))).toEqual(new Set());
  });

  it("a store wakes the queues that changed in it and the pools whose workers did, or everybody", () => {
    const change = { store: false, all: false, queues: new Set(["low"]), pools: new Set(["shop/high"]) };
    expect(wokenByStore("shop/default", change, find)).toEqual(new Set(["shop/low", "shop/high"]));
    expect(wokenByStore("shop/default", { ...change, all: true }, find)).toEqual(
      new Set(["shop/mailers", "shop/rival", "shop/high", "shop/low"]),
    );
    expect(wokenByStore("shop/other", { ...change, queues: new Set(["mailers"]), pools: new Set() }, find)).toEqual(
      new Set(["shop/elsewhere"]),
    );
  });
});
