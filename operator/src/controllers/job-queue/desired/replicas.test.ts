import { describe, expect, it } from "vitest";
import {
  aDownStore,
  aHold,
  aJobQueue,
  aReadyStore,
  counts,
  itsDeployment,
  NOW,
  someWorkers,
  theSpecHold,
} from "../../testing/builders.ts";
import type { DeploymentObserved, StoreObserved } from "../observed.ts";
import { wantedReplicas } from "./replicas.ts";

describe("the number of workers that are wanted", () => {
  const of = (
    spec: Parameters<typeof aJobQueue>[0],
    store: StoreObserved = aReadyStore(),
    deployment: DeploymentObserved = itsDeployment(aJobQueue({ replicas: 3 })),
  ) => wantedReplicas(aJobQueue({ replicas: 3, ...spec }), { store, deployment }, NOW);
  const running = (count: number, since = "2026-08-01T11:59:50Z") =>
    aReadyStore({ counts: counts({ running: count }), holds: [theSpecHold({ since })] });
  const stopped = { state: "Stopped" } as const;

  it.each<[string, ReturnType<typeof of>, object]>([
    ["an active queue has those of the spec", of({}), { replicas: 3 }],
    ["a pause scales nothing", of({ state: "Paused" }, running(0)), { replicas: 3 }],
    ["a stopped queue whose hold is not in force yet keeps them", of(stopped), { replicas: 3 }],
    ["a person's hold does not count", of(stopped, aReadyStore({ holds: [aHold()] })), { replicas: 3 }],
    ["a stopped queue keeps them while a job runs", of(stopped, running(1)), { replicas: 3, waitMs: 20_000 }],
    ["they go when none runs", of(stopped, running(0)), { replicas: 0 }],
    ["they go when the drain time is over", of(stopped, running(1, "2026-08-01T11:59:30Z")), { replicas: 0 }],
    ["the drain time is the database's", of(stopped, { ...running(1), clockAheadMs: 30_000 }), { replicas: 0 }],
    ["while the store does not say, as many stay as there are", of(stopped, aDownStore()), { replicas: 3 }],
    ["what has stopped stays so whatever runs elsewhere", of(stopped, running(2), gone()), { replicas: 0 }],
    ["a new queue that is stopped gets none", of(stopped, aReadyStore(), { is: "absent" }), { replicas: 0 }],
    ["it never grows while it stops", of({ ...stopped, replicas: 9 }, running(1)), { replicas: 3, waitMs: 20_000 }],
    ["it may shrink", of({ ...stopped, replicas: 1 }, running(1)), { replicas: 1, waitMs: 20_000 }],
    [
      "a pool that also serves other queues stays",
      of({ ...stopped, workers: someWorkers({ alsoServes: ["low"] }) }, running(0)),
      { replicas: 3 },
    ],
  ])("%s", (_sentence, wanted, expected) => {
    expect(wanted).toEqual(expected);
  });
});

const gone = (): DeploymentObserved => itsDeployment(aJobQueue({ replicas: 0 }));
