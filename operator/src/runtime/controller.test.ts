import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { Controller, type ControllerOptions, type Outcome } from "./controller.ts";
import type { Log } from "./log.ts";
import { registerMetrics, RUNTIME_METRICS } from "./metrics.ts";
import { describeService } from "./service.suite.ts";
import { ManualClock, settled } from "./testing/manual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

function controllerOf(reconcile: ControllerOptions["reconcile"], options: Partial<ControllerOptions> = {}) {
  const clock = new ManualClock();
  const registry = new Registry();
  const metrics = registerMetrics(registry, RUNTIME_METRICS);
  const queue = new WorkQueue({ name: "things", clock, metrics });
  const lines: { level: string; message: string; fields: object }[] = [];
  const level = (name: string) => (fields: object, message: string) =>
    void lines.push({ level: name, message, fields });
  const log: Log = { debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
  const controller = new Controller({ name: "things", queue, clock, log, metrics, reconcile, ...options });
  return { clock, registry, queue, controller, lines };
}

describeService("a controller", () => {
  const { controller, clock, queue } = controllerOf(async () => ({ kind: "done" }));
  queue.add("a");
  return { service: controller, leftovers: () => clock.timers };
});

it("lets others have their turn, however many keys are due and however little they wait for", async () => {
  let reconciled = 0;
  const { queue, controller } = controllerOf(
    async () => {
      reconciled += 1;
      return { kind: "done" };
    },
    { workers: 4 },
  );
  for (let key = 0; key < 1_000; key += 1) queue.add(String(key));
  const seen: number[] = [];
  const everyTurn = (): void => {
    seen.push(reconciled);
    if (reconciled < 1_000) setImmediate(everyTurn);
  };
  setImmediate(everyTurn);
  await controller.start();
  await expect.poll(() => reconciled).toBe(1_000);
  const most = Math.max(...seen.map((count, turn) => count - (seen[turn - 1] ?? 0)));
  expect(most).toBeLessThanOrEqual(4);
  await controller.stop();
});

describe("outcomes", () => {
  it.for<{ outcome: Outcome; againAfterMs: number | undefined; level: string; result: string; failures: number }>([
    { outcome: { kind: "done" }, againAfterMs: undefined, level: "debug", result: "success", failures: 0 },
    {
      outcome: { kind: "requeueAfter", ms: 700 },
      againAfterMs: 700,
      level: "debug",
      result: "requeue_after",
      failures: 0,
    },
    {
      outcome: { kind: "retry", error: new Error("no") },
      againAfterMs: 20,
      level: "warn",
      result: "error",
      failures: 3,
    },
    {
      outcome: { kind: "retry", error: "no", afterMs: 90 },
      againAfterMs: 90,
      level: "warn",
      result: "error",
      failures: 3,
    },
    {
      outcome: { kind: "terminal", error: new Error("no") },
      againAfterMs: undefined,
      level: "error",
      result: "error",
      failures: 0,
    },
  ])(
    "$outcome.kind leads to one queue action, one metric and one log line",
    async ({ outcome, againAfterMs, level, result, failures }) => {
      const seen: number[] = [];
      const { clock, queue, controller, registry, lines } = controllerOf(async () => {
        seen.push(clock.now());
        return seen.length === 1 ? outcome : { kind: "done" };
      });
      queue.addRateLimited("key"); // two failures before, to see whether they are forgotten
      queue.addRateLimited("key");
      queue.add("key");
      await controller.start();
      await settled();
      expect(queue.failures("key")).toBe(failures);
      expect(lines).toMatchObject([{ level, fields: { controller: "things", key: "key" } }]);
      expect(await registry.metrics()).toContain(
        `controller_runtime_reconcile_total{controller="things",result="${result}"} 1`,
      );
      await clock.advance(10_000);
      expect(seen).toEqual(againAfterMs === undefined ? [0] : [0, againAfterMs]);
      await controller.stop();
    },
  );

  it("a reconcile that throws is retried, and counted as a panic", async () => {
    let calls = 0;
    const { clock, queue, controller, registry } = controllerOf(async () => {
      calls += 1;
      if (calls === 1) throw new Error("a defect");
      return { kind: "done" };
    });
    queue.add("key");
    await controller.start();
    await clock.advance(5);
    expect(calls).toBe(2);
    expect(await registry.metrics()).toContain('controller_runtime_reconcile_panics_total{controller="things"} 1');
    await controller.stop();
  });

  it("one failing key does not delay another", async () => {
    const order: string[] = [];
    const { clock, queue, controller } = controllerOf(
      async (key) => {
        order.push(key);
        return key === "bad" ? { kind: "retry", error: "always" } : { kind: "done" };
      },
      { workers: 1 },
    );
    queue.add("bad");
    queue.add("good");
    await controller.start();
    await clock.advance(0);
    expect(order).toEqual(["bad", "good"]);
    await controller.stop();
  });
});

describe("workers", () => {
  it("work on as many keys at once as there are workers, and no more", async () => {
    const running = new Set<string>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { queue, controller } = controllerOf(
      async (key) => {
        running.add(key);
        await gate;
        return { kind: "done" };
      },
      { workers: 3 },
    );
    for (const key of ["a", "b", "c", "d"]) queue.add(key);
    await controller.start();
    await settled();
    expect([...running]).toEqual(["a", "b", "c"]);
    open();
    await settled();
    expect(running.has("d")).toBe(true);
    await controller.stop();
  });
});

describe("stopping", () => {
  it("lets a running reconcile finish, takes no new key, and waits", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const finished: string[] = [];
    const { queue, controller } = controllerOf(
      async (key, { signal }) => {
        await gate;
        finished.push(`${key} ${signal.aborted ? "aborted" : "in peace"}`);
        return { kind: "done" };
      },
      { workers: 1 },
    );
    queue.add("a");
    queue.add("b");
    await controller.start();
    await settled();
    let stopped = false;
    const stopping = controller.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).toBe(false);
    open();
    await stopping;
    expect(finished).toEqual(["a in peace"]);
  });

  it("aborts a reconcile that takes longer than the grace", async () => {
    const { clock, queue, controller } = controllerOf(
      (_key, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ kind: "done" }));
        }),
      { stopGraceMs: 5000 },
    );
    queue.add("a");
    await controller.start();
    await settled();
    const stopping = controller.stop();
    await clock.advance(4999);
    expect(clock.timers).toBe(1);
    await clock.advance(1);
    await stopping;
    expect(clock.timers).toBe(0);
  });

  it("at once when the right to act is taken away: aborts what runs and takes nothing more", async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const { queue, controller, registry } = controllerOf(
      (key, { signal }) => {
        seen.push(key);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        });
      },
      { abort: abort.signal, workers: 1 },
    );
    queue.add("a");
    queue.add("b");
    await controller.start();
    await settled();
    abort.abort();
    await controller.stop();
    expect(seen).toEqual(["a"]);
    expect(await registry.metrics()).not.toContain('reconcile_panics_total{controller="things"} 1');
  });

  it("works on nothing when the right to act was gone before the start", async () => {
    const seen: string[] = [];
    const { queue, controller } = controllerOf(
      async (key) => {
        seen.push(key);
        return { kind: "done" };
      },
      { abort: AbortSignal.abort() },
    );
    queue.add("a");
    await controller.start();
    await settled();
    await controller.stop();
    expect(seen).toEqual([]);
  });
});
