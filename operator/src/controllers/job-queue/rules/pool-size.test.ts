import { describe, expect, it } from "vitest";
import type { Finding } from "../../../plan/plan.ts";
import {
  aDownStore,
  aJobQueue,
  aPod,
  aReadyStore,
  aWorker,
  itsDeployment,
  observed,
  someAutoscaling,
  someWorkers,
} from "../../testing/builders.ts";
import { desiredDisruptionBudget } from "../desired/disruption-budget.ts";
import { desiredDeployment } from "../desired/deployment.ts";
import type { DisruptionBudgetObserved, Observed } from "../observed.ts";
import { IDLE_COST } from "../scale/idle-first.ts";
import { statusOf } from "../status.ts";
import { NOW } from "../../testing/builders.ts";
import { disruptionBudget } from "./disruption-budget.ts";
import { scale } from "./scale.ts";
import { workers } from "./workers.ts";

const gist = ({ actions = [], problem }: Finding) => ({
  do: actions.map((action) => `${action.do} ${action.reason}`),
  ...(problem && { problem: `${problem.ready} ${problem.reason}` }),
});

/** A pool of two of which one is wanted: the second worker is idle. */
const shrinking = (some: Partial<Observed> = {}, second: Parameters<typeof aWorker>[0] = {}) =>
  observed({
    queue: aJobQueue({ replicas: 1 }),
    deployment: itsDeployment(aJobQueue({ replicas: 2 })),
    pods: [aPod(), aPod({ uid: "pod-2", name: "b", ...(second.drained && { deletionCost: IDLE_COST }) })],
    store: aReadyStore({ workers: [aWorker({ running: 1 }), aWorker({ id: "8", podUid: "pod-2", ...second })] }),
    ...some,
  });

describe("rule scale", () => {
  it.each<[string, Observed, readonly string[]]>([
    ["a pool of the right size needs nothing", observed(), []],
    [
      "fewer workers: an idle one is drained before anything else",
      shrinking(),
      ["drainWorkers FewerWorkers", "wait Scaling"],
    ],
    [
      "more wanted again: those that stay are released",
      observed({
        queue: aJobQueue({ replicas: 2 }),
        deployment: itsDeployment(aJobQueue({ replicas: 2 })),
        pods: [aPod(), aPod({ uid: "pod-2", name: "b", deletionCost: IDLE_COST })],
        store: aReadyStore({ workers: [aWorker(), aWorker({ id: "8", podUid: "pod-2", drained: true })] }),
      }),
      ["releaseWorkers WorkersWanted"],
    ],
    [
      "a template that is refused keeps everybody",
      shrinking({ template: { is: "refused", judged: true, sentence: "…" } }),
      [],
    ],
    ["a silent store: a decrease waits", shrinking({ store: aDownStore() }), ["wait Scaling"]],
  ])("%s", (_sentence, world, expected) => {
    expect(gist(scale(world)).do).toEqual(expected);
  });

  it("names the pool and the worker, and lowers the Deployment only when the idle worker's pod goes first", () => {
    expect(scale(shrinking()).actions?.[0]).toMatchObject({
      store: "shop/default",
      pool: "shop/mailers",
      count: 1,
      actor: "jobqueue-operator:shop/mailers",
    });
    expect(workers(shrinking(), NOW).actions).toBeUndefined();
    const [lowered] = workers(shrinking({}, { drained: true }), NOW).actions ?? [];
    expect(lowered).toMatchObject({ do: "applyDeployment", deployment: { spec: { replicas: 1 } } });
  });

  it("the status says how many are wanted, and how many are still to go", () => {
    const { status } = statusOf(shrinking(), undefined, {}, NOW);
    expect(status.workers).toMatchObject({ desired: 1, ready: 2 });
    const available = status.conditions?.find(({ type }) => type === "WorkersAvailable");
    expect(available?.message).toBe("2 of 2 workers are ready. 1 of them goes once it is idle.");
  });

  it("a pool that autoscaling took to zero says so and what brings it back", () => {
    const queue = aJobQueue({ workers: someWorkers({ autoscaling: someAutoscaling({ minReplicas: 0 }) }) });
    const world = observed({ queue, deployment: itsDeployment(aJobQueue({ replicas: 0 })) });
    const { status } = statusOf(world, undefined, {}, NOW);
    expect(status.conditions?.find(({ type }) => type === "WorkersAvailable")).toMatchObject({
      reason: "ScaledToZero",
      message: expect.stringContaining("the next job that may run brings one back") as string,
    });
  });
});

describe("rule disruption budget", () => {
  const budgeted = aJobQueue({ workers: someWorkers({ disruptionBudget: { maxUnavailable: "25%" } }) });
  const ours = (some: { readonly spec?: object; readonly metadata?: object } = {}): DisruptionBudgetObserved => {
    const desired = desiredDisruptionBudget(budgeted)!;
    const metadata = { uid: "33", resourceVersion: "5", creationTimestamp: "2026-08-01T10:00:01Z" };
    const object = { ...desired, metadata: { ...desired.metadata, ...metadata, ...some.metadata } };
    return { is: "ours", object: { ...object, spec: { ...desired.spec, ...some.spec } } };
  };
  const world = (found: DisruptionBudgetObserved, queue = budgeted) => observed({ queue, disruptionBudget: found });

  it.each<[string, Observed, object]>([
    ["none is wanted and none is there", observed(), { do: [] }],
    ["one is wanted: it is made", world({ is: "absent" }), { do: ["applyDisruptionBudget DisruptionBudgetMissing"] }],
    ["as it should be: nothing", world(ours()), { do: [] }],
    [
      "somebody changed it",
      world(ours({ spec: { maxUnavailable: 3 } })),
      { do: ["applyDisruptionBudget DisruptionBudgetDiffers"] },
    ],
    [
      "its owner was taken away",
      world(ours({ metadata: { ownerReferences: [] } })),
      { do: ["applyDisruptionBudget DisruptionBudgetDiffers"] },
    ],
    [
      "the field is gone: so is it",
      world(ours(), aJobQueue()),
      { do: ["deleteDisruptionBudget DisruptionBudgetRemoved"] },
    ],
    [
      "the workers are gone: so is it",
      world(ours(), aJobQueue({ workers: null })),
      { do: ["deleteDisruptionBudget DisruptionBudgetRemoved"] },
    ],
    [
      "what cannot be read is left alone",
      world({ is: "unknown", sentence: "…" }),
      { do: ["wait DisruptionBudgetUnknown"] },
    ],
    [
      "somebody else's is reported and never adopted",
      world({ is: "foreign", owner: "Deployment x" }),
      { do: ["wait DisruptionBudgetConflict"], problem: "False DisruptionBudgetConflict" },
    ],
    [
      "somebody else's is nobody's business without the field",
      world({ is: "foreign", owner: "x" }, aJobQueue()),
      { do: [] },
    ],
  ])("%s", (_sentence, seen, expected) => {
    expect(gist(disruptionBudget(seen, NOW))).toEqual(expected);
  });
});

describe("metadata of the Deployment", () => {
  const store = aReadyStore().jobStore;
  const of = (deploymentMetadata?: object) =>
    desiredDeployment(
      aJobQueue({ workers: someWorkers({ ...(deploymentMetadata && { deploymentMetadata }) }) }),
      store,
    );

  it("is added to what the operator sets, changes no pod, and without the field everything is as before", () => {
    const plain = of();
    const more = of({
      labels: { team: "growth", "jobqueue.dev/pool": "x" },
      annotations: { "example.com/owner": "ana" },
    });
    expect(more.metadata.labels).toEqual({ ...plain.metadata.labels, team: "growth" });
    expect(more.metadata.annotations).toMatchObject({ "example.com/owner": "ana" });
    expect(more.spec).toEqual(plain.spec);
    const hash = "jobqueue.dev/applied-hash";
    expect(more.metadata.annotations[hash]).not.toBe(plain.metadata.annotations[hash]);
    expect(of({})).toEqual(plain);
  });
});
