import { describe, expect, it } from "vitest";
import {
  aDownStore,
  aHold,
  aJobQueue,
  aReadyStore,
  counts,
  NOW,
  someAutoscaling,
  someWorkers,
  theSpecHold,
} from "../../testing/builders.ts";
import type { StoreObserved } from "../observed.ts";
import { targetOf } from "./target.ts";

describe("the number of workers that are wanted in the end", () => {
  const of = (
    spec: Parameters<typeof aJobQueue>[0],
    store: StoreObserved = aReadyStore(),
    present: number | undefined = 3,
  ) => targetOf(aJobQueue({ replicas: 3, ...spec }), store, present, undefined, NOW);
  const running = (count: number, since = "2026-08-01T11:59:50Z") =>
    aReadyStore({ counts: counts({ running: count }), holds: [theSpecHold({ since })] });
  const stopped = { state: "Stopped" } as const;
  const autoscaled = (served: Extract<StoreObserved, { is: "ready" }>["served"], present = 3) =>
    of({ replicas: 7, workers: someWorkers({ autoscaling: someAutoscaling() }) }, aReadyStore({ served }), present);

  it.each<[string, ReturnType<typeof of>, object]>([
    [
      "an active queue has those of the spec, and waits for busy ones for the drain time",
      of({}),
      { workers: 3, patienceMs: 30_000 },
    ],
    ["a pause scales nothing", of({ state: "Paused" }, running(0)), { workers: 3 }],
    ["a stopped queue whose hold is not in force yet keeps them", of(stopped), { workers: 3 }],
    ["a person's hold does not count", of(stopped, aReadyStore({ holds: [aHold()] })), { workers: 3 }],
    ["a stopped queue keeps them while a job runs", of(stopped, running(1)), { workers: 3, waitMs: 20_000 }],
    ["they go when none runs", of(stopped, running(0)), { workers: 0, patienceMs: 0 }],
    [
      "they go when the drain time is over, busy ones too",
      of(stopped, running(1, "2026-08-01T11:59:30Z")),
      { workers: 0, patienceMs: 0 },
    ],
    ["the drain time is the database's", of(stopped, { ...running(1), clockAheadMs: 30_000 }), { workers: 0 }],
    ["while the store does not say, as many stay as there are", of(stopped, aDownStore()), { workers: 3 }],
    ["what has stopped stays so whatever runs elsewhere", of(stopped, running(2), 0), { workers: 0 }],
    ["it never grows while it stops", of({ ...stopped, replicas: 9 }, running(1)), { workers: 3, waitMs: 20_000 }],
    ["it may shrink", of({ ...stopped, replicas: 1 }, running(1)), { workers: 1, waitMs: 20_000 }],
    [
      "a pool that also serves other queues stays",
      of({ ...stopped, workers: someWorkers({ alsoServes: ["low"] }) }, running(0)),
      { workers: 3 },
    ],
    [
      "autoscaling ignores spec.replicas and waits for busy workers as long as it takes",
      autoscaled([{ held: false, counts: counts({ pending: 40, running: 5 }) }]),
      { workers: 5, patienceMs: Infinity },
    ],
    [
      "autoscaling counts the queues of alsoServes, and of a held queue only what runs",
      autoscaled([
        { held: true, counts: counts({ pending: 1_000, running: 11 }) },
        { held: false, counts: counts({ pending: 30 }) },
        { held: false, counts: undefined },
      ]),
      { workers: 5 },
    ],
    [
      "a stopped queue with autoscaling stops",
      of({ ...stopped, workers: someWorkers({ autoscaling: someAutoscaling() }) }, running(0)),
      { workers: 0 },
    ],
    [
      "while the store does not say, autoscaling keeps as many as there are",
      of({ workers: someWorkers({ autoscaling: someAutoscaling() }) }, aDownStore(), 4),
      { workers: 4 },
    ],
  ])("%s", (_sentence, target, expected) => {
    expect(target).toMatchObject(expected);
  });

  it("a new queue that is stopped gets none", () => {
    expect(targetOf(aJobQueue({ replicas: 3, ...stopped }), aReadyStore(), undefined, undefined, NOW).workers).toBe(0);
  });
});
