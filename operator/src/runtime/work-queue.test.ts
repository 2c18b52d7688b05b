import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { registerMetrics, RUNTIME_METRICS } from "./metrics.ts";
import { ManualClock, settled } from "./testing/manual-clock.ts";
import { WorkQueue, type WorkQueueOptions } from "./work-queue.ts";

function queueOf(options: Partial<WorkQueueOptions> = {}) {
  const clock = new ManualClock();
  const registry = new Registry();
  const metrics = registerMetrics(registry, RUNTIME_METRICS);
  const queue = new WorkQueue({ name: "test", clock, metrics, ...options });
  /** Everything that can be taken now, without waiting. */
  const takeAll = async () => {
    const keys: (string | undefined)[] = [];
    while (queue.depth > 0) keys.push(await queue.get());
    return keys;
  };
  return { clock, queue, takeAll, registry };
}

describe("de-duplication", () => {
  it("hands a key out once however often it was added while it waited", async () => {
    const { queue, takeAll } = queueOf();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect(await takeAll()).toEqual(["a", "b"]);
  });

  it("hands a key out again when it was added while a worker held it, but only after done", async () => {
    const { queue, takeAll } = queueOf();
    queue.add("a");
    await queue.get();
    queue.add("a");
    queue.add("a");
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(await takeAll()).toEqual(["a"]);
    queue.done("a");
    expect(queue.depth).toBe(0);
  });

  it("never gives one key to two workers", async () => {
    const { queue } = queueOf();
    const holding = new Set<string>();
    let handed = 0;
    const enough = Promise.withResolvers<void>();
    const worker = async () => {
      for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
        expect(holding.has(key)).toBe(false);
        holding.add(key);
        handed += 1;
        await settled();
        if (handed < 50) queue.add(key);
        else enough.resolve();
        holding.delete(key);
        queue.done(key);
      }
    };
    const workers = [worker(), worker(), worker()];
    for (const key of ["a", "b"]) queue.add(key);
    await enough.promise;
    queue.close();
    await Promise.all(workers);
    expect(handed).toBeGreaterThanOrEqual(50);
  });

  it("done of a key that nobody holds changes nothing", async () => {
    const { queue, takeAll } = queueOf();
    queue.add("a");
    queue.done("a");
    expect(await takeAll()).toEqual(["a"]);
  });
});

describe("order", () => {
  it("is that of adding", async () => {
    const { queue, takeAll } = queueOf();
    for (const key of ["c", "a", "b"]) queue.add(key);
    expect(await takeAll()).toEqual(["c", "a", "b"]);
  });

  it("lets a live change pass everything that only a restart wants looked at", async () => {
    const { queue, takeAll } = queueOf();
    for (const key of ["old1", "old2", "old3"]) queue.add(key, "low");
    queue.add("live");
    expect(await takeAll()).toEqual(["live", "old1", "old2", "old3"]);
  });

  it.for([
    { first: "low", second: "normal", order: ["key", "other"] },
    { first: "normal", second: "low", order: ["key", "other"] },
    { first: "low", second: "low", order: ["other", "key"] },
  ] as const)("a key added as $first and then as $second keeps the more urgent", async ({ first, second, order }) => {
    const { queue, takeAll } = queueOf();
    queue.add("other", "low");
    queue.add("key", first);
    queue.add("key", second);
    expect(await takeAll()).toEqual(order);
  });

  it("keeps the urgency of what was added while a worker held the key", async () => {
    const { queue, takeAll } = queueOf();
    queue.add("key");
    await queue.get();
    queue.add("key", "low");
    queue.add("key", "normal");
    queue.add("key", "low");
    queue.add("other", "low");
    queue.done("key");
    expect(await takeAll()).toEqual(["key", "other"]);
  });
});

describe("delays", () => {
  it("a delayed key is ready when its time has come, not before", async () => {
    const { clock, queue } = queueOf();
    queue.addAfter("a", 1000);
    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  it.for([
    { delays: [1000, 500], readyAt: 500 },
    { delays: [500, 1000], readyAt: 500 },
    { delays: [500, 0], readyAt: 0 },
    { delays: [500, -1], readyAt: 0 },
  ])("of the delays $delays the earliest counts, and the key comes once", async ({ delays, readyAt }) => {
    const { clock, queue, takeAll } = queueOf();
    for (const ms of delays) queue.addAfter("a", ms);
    await clock.advance(readyAt - 1);
    expect(queue.depth).toBe(readyAt === 0 ? 1 : 0);
    await clock.advance(1);
    expect(await takeAll()).toEqual(["a"]);
    queue.done("a");
    await clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it("adding overrides a delay", async () => {
    const { clock, queue, takeAll } = queueOf();
    queue.addAfter("a", 1000);
    queue.add("a");
    expect(await takeAll()).toEqual(["a"]);
    queue.done("a");
    await clock.advance(2000);
    expect(queue.depth).toBe(0);
  });

  it("a key that is ready is not delayed", async () => {
    const { clock, queue } = queueOf();
    queue.add("a");
    queue.addAfter("a", 1000);
    expect(queue.depth).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it("a key whose time comes while a worker holds it comes after done", async () => {
    const { clock, queue } = queueOf();
    queue.add("a");
    await queue.get();
    queue.addAfter("a", 100);
    await clock.advance(100);
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(queue.depth).toBe(1);
  });

  it("many keys become ready in the order of their times", async () => {
    const { clock, queue, takeAll } = queueOf();
    for (const [key, ms] of [
      ["c", 30],
      ["a", 10],
      ["d", 40],
      ["b", 20],
    ] as const)
      queue.addAfter(key, ms);
    await clock.advance(30);
    expect(await takeAll()).toEqual(["a", "b", "c"]);
    await clock.advance(10);
    expect(await takeAll()).toEqual(["d"]);
  });

  it("wakes a worker that was waiting before the key was due", async () => {
    const { clock, queue } = queueOf();
    const got = queue.get();
    queue.addAfter("a", 10);
    await clock.advance(10);
    await expect(got).resolves.toBe("a");
  });
});

describe("failures", () => {
  it("delay a key exponentially, and forget makes the next one the first", () => {
    const { queue } = queueOf();
    expect([1, 2, 3, 4].map(() => queue.addRateLimited("a"))).toEqual([5, 10, 20, 40]);
    expect(queue.failures("a")).toBe(4);
    expect(queue.failures("b")).toBe(0);
    queue.forget("a");
    expect(queue.addRateLimited("a")).toBe(5);
  });

  it("wait at least as long as a server asked for", () => {
    const { queue } = queueOf();
    expect(queue.addRateLimited("a", 3000)).toBe(3000);
  });

  it("K2: leave a key alone for as long as a server asked, whatever changes meanwhile", async () => {
    const { clock, queue, takeAll } = queueOf();
    queue.addAfter("a", 1000);
    queue.addRateLimited("a", 3000);
    queue.add("a");
    await clock.advance(2999);
    expect(queue.depth).toBe(0);
    queue.add("a", "low");
    await clock.advance(1);
    expect(await takeAll()).toEqual(["a"]);
    queue.add("a"); // changed while it was worked on
    queue.addRateLimited("a", 500);
    queue.done("a");
    expect(queue.depth).toBe(0);
    await clock.advance(500);
    expect(await takeAll()).toEqual(["a"]);
    queue.forget("a");
    queue.done("a");
    queue.add("a");
    expect(await takeAll()).toEqual(["a"]);
  });

  it("of many keys at once are spread by one bucket", () => {
    const { queue } = queueOf({ bucket: { perSecond: 10, burst: 2 } });
    expect(["a", "b", "c", "d"].map((key) => queue.addRateLimited(key))).toEqual([5, 5, 100, 200]);
  });
});

describe("closing", () => {
  it("wakes everybody who waits with undefined, and hands out nothing more", async () => {
    const { clock, queue } = queueOf();
    const waiting = [queue.get(), queue.get()];
    queue.addAfter("later", 10);
    queue.close();
    queue.close();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    queue.add("a");
    queue.addAfter("a", 1);
    await clock.advance(20);
    expect(await queue.get()).toBeUndefined();
    expect(clock.timers).toBe(0);
  });

  it("drops what was not handed out, and lets holders say done", async () => {
    const { queue } = queueOf();
    queue.add("held");
    queue.add("waiting");
    await queue.get();
    queue.add("held");
    queue.close();
    queue.done("held");
    expect(queue.depth).toBe(0);
    expect(await queue.get()).toBeUndefined();
  });
});

describe("metrics", () => {
  it("show depth by priority, adds, retries, and how long keys waited, were held and are held", async () => {
    const { clock, queue, registry } = queueOf();
    queue.add("a");
    queue.add("b", "low");
    queue.add("a");
    await clock.advance(2000);
    await queue.get();
    await clock.advance(3000);
    queue.addRateLimited("c");
    const text = await registry.metrics();
    for (const line of [
      'workqueue_depth{name="test",priority="normal"} 0',
      'workqueue_depth{name="test",priority="low"} 1',
      'workqueue_adds_total{name="test"} 2',
      'workqueue_retries_total{name="test"} 1',
      'workqueue_queue_duration_seconds_sum{name="test"} 2',
      'workqueue_longest_running_processor_seconds{name="test"} 3',
      'workqueue_unfinished_work_seconds{name="test"} 3',
    ]) {
      expect(text).toContain(line);
    }
    queue.done("a");
    expect(await registry.metrics()).toContain('workqueue_work_duration_seconds_sum{name="test"} 3');
  });
});
