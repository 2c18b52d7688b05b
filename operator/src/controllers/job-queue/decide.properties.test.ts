import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action } from "../../plan/action.ts";
import { isQuiet } from "../../plan/plan.ts";
import { anyObserved } from "../testing/arbitrary.ts";
import { aPolicy, counts, NOW, observed, scaled } from "../testing/builders.ts";
import type { StoredDeployment } from "../kubernetes-objects.ts";
import { decide } from "./decide.ts";
import type { Observed, PodObserved, StoreObserved } from "./observed.ts";
import { statusOf } from "./status.ts";

/** The world after each action that changes it, as the next observation would show it. */
const AFTER: {
  readonly [Kind in Action["do"]]?: (world: Observed, action: Extract<Action, { do: Kind }>) => Observed;
} = {
  configureQueue: (world, { policy }) =>
    inStore(world, (store) => ({ policy: { ...(store.policy ?? aPolicy()), ...policy } })),
  ensureQueue: (world) => inStore(world, () => ({ counts: counts() })),
  setHold: (world, { queue, hold: name, because: reason, until, actor, source }) => {
    const since = "2026-08-01T12:00:00Z";
    const set = { queue, name, reason, actor, source, since, ...(until !== undefined && { until }) };
    return inStore(world, ({ holds }) => ({
      holds: [...holds.filter((one) => one.queue !== queue || one.name !== name), set],
    }));
  },
  releaseHold: (world, { queue, hold: name }) =>
    inStore(world, ({ holds }) => ({ holds: holds.filter((one) => one.queue !== queue || one.name !== name) })),
  recoverPods: (world, { pods }) => {
    const gone = new Set(pods.map(({ uid }) => uid));
    return inStore(world, ({ workers }) => ({ workers: workers.filter(({ podUid }) => !gone.has(podUid ?? "")) }));
  },
  recoverQueue: ({ queue, ...world }, { request }) => ({
    ...world,
    queue: queue && { ...queue, status: { ...queue.status, handledRequests: { recover: request } } },
  }),
  applyDeployment: (world, { deployment }) => {
    const before =
      world.deployment.is === "ours" ? world.deployment.object.metadata : { uid: "new", resourceVersion: "1" };
    const metadata = { ...before, ...deployment.metadata, generation: 5 };
    const object = { ...deployment, metadata } as unknown as StoredDeployment;
    return { ...world, deployment: { is: "ours", object, appliedGeneration: 5 } };
  },
  drainWorkers: (world, { pool, count }) =>
    inStore(world, ({ workers }) => {
      const idle = workers.filter((one) => one.pool === pool && one.alive && !one.drained && one.running === 0);
      const ids = new Set(idle.slice(0, count).map(({ id }) => id));
      return { workers: workers.map((one) => (ids.has(one.id) ? { ...one, drained: true } : one)) };
    }),
  releaseWorkers: (world, action) =>
    inStore(world, ({ workers }) => ({
      workers: workers.map((one) => (action.workers.includes(one.id) ? { ...one, drained: false } : one)),
    })),
  rankPods: (world, { pods, cost }) => {
    if (world.pods === "unknown") return world;
    const ranked = new Set(pods.map(({ uid }) => uid));
    const withCost = (pod: PodObserved) => {
      const { deletionCost: _, ...rest } = pod;
      return ranked.has(pod.uid) ? { ...rest, ...(cost !== undefined && { deletionCost: cost }) } : pod;
    };
    return { ...world, pods: world.pods.map(withCost) };
  },
  deleteDeployment: (world) => ({ ...world, deployment: { is: "absent", since: NOW } }),
};

type Ready = Extract<StoreObserved, { is: "ready" }>;

function inStore(world: Observed, change: (store: Ready) => Partial<Ready>): Observed {
  return world.store.is === "ready" ? { ...world, store: { ...world.store, ...change(world.store) } } : world;
}

const after = (world: Observed, action: Action): Observed => {
  const change = AFTER[action.do] as ((world: Observed, action: Action) => Observed) | undefined;
  return change ? change(world, action) : world;
};

/** Idle workers are asked for again while there are none: a wait, as far as anybody can see. */
const WAITING: ReadonlySet<string> = new Set(["wait", "drainWorkers"]);

/** As the next observations would show it when nothing else happens: a pool shrinks over several passes. */
const settled = (world: Observed): Observed => {
  let seen = world;
  for (let pass = 0; pass < 8; pass += 1) {
    const { actions } = decide(seen, NOW);
    if (actions.every((action) => WAITING.has(action.do))) break;
    seen = actions.reduce(after, seen);
    if (seen.desired) seen = scaled(seen);
  }
  return seen;
};

describe("properties of decide", () => {
  it("carrying out a plan leaves nothing to do but to wait", () => {
    fc.assert(
      fc.property(anyObserved(), (world) => {
        expect(decide(settled(world), NOW).actions.filter((action) => !WAITING.has(action.do))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("is deterministic", () => {
    fc.assert(
      fc.property(anyObserved(), (world) => {
        expect(decide(structuredClone(world), NOW)).toEqual(decide(world, NOW));
      }),
    );
  });

  it("never deletes, makes or writes anything on account of what is unknown", () => {
    fc.assert(
      fc.property(anyObserved(), (world) => {
        const forbidden = new Set([
          ...(world.deployment.is === "unknown" ? ["deleteDeployment", "applyDeployment"] : []),
          ...(world.pods === "unknown" ? ["recoverPods"] : []),
          ...(world.store.is === "ready"
            ? []
            : ["ensureQueue", "configureQueue", "setHold", "releaseHold", "recoverPods", "recoverQueue"]),
          ...(world.store.is !== "ready" && world.deployment.is === "absent" ? ["applyDeployment"] : []),
        ]);
        expect(decide(world, NOW).actions.filter((action) => forbidden.has(action.do))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("never touches a Deployment of somebody else", () => {
    fc.assert(
      fc.property(anyObserved(), (world) => {
        fc.pre(world.deployment.is === "foreign");
        expect(decide(world, NOW).actions.some((action) => action.do.endsWith("Deployment"))).toBe(false);
      }),
    );
  });

  it("a paused spec always ends with exactly one hold `spec`, an active one with none, and other holds are untouched", () => {
    fc.assert(
      fc.property(anyObserved({ managed: true }), (world) => {
        const holds = (one: Observed) => (one.store.is === "ready" ? one.store.holds : []);
        const ours = (one: Observed) => holds(one).filter(({ queue, name }) => queue === "mailers" && name === "spec");
        const others = (one: Observed) =>
          holds(one).filter(({ queue, name }) => queue !== "mailers" || name !== "spec");
        const { state, pausedUntil } = world.queue?.spec ?? { state: "Active" };
        const ended = state === "Paused" && pausedUntil !== undefined && Date.parse(pausedUntil) <= NOW;
        expect(ours(settled(world))).toHaveLength(state === "Active" || ended ? 0 : 1);
        expect(others(settled(world))).toEqual(others(world));
      }),
      { numRuns: 300 },
    );
  });

  it("never both makes and deletes a Deployment, and sets its hold before it makes one", () => {
    fc.assert(
      fc.property(anyObserved(), (world) => {
        const done = decide(world, NOW).actions.map((action) => action.do);
        expect(done.includes("applyDeployment") && done.includes("deleteDeployment")).toBe(false);
        const late = done.slice(done.indexOf("applyDeployment") + 1);
        expect(done.includes("applyDeployment") && late.includes("setHold")).toBe(false);
      }),
    );
  });

  it("scaling to zero and back returns to the start", () => {
    const start = observed();
    const scale = (world: Observed, replicas: number): Observed => {
      const queue = { ...world.queue, spec: { ...world.queue?.spec, replicas } } as Observed["queue"];
      const changed = observed({ queue, deployment: world.deployment });
      return settled(changed);
    };
    const spec = ({ deployment }: Observed) => (deployment.is === "ours" ? deployment.object.spec : undefined);
    expect(spec(scale(scale(start, 0), 1))).toEqual(spec(start));
  });
});

describe("properties of the status", () => {
  it("a status that was written is not written again", () => {
    fc.assert(
      fc.property(anyObserved(), fc.nat({ max: 3_600_000 }), (world, later) => {
        const plan = decide(world, NOW);
        fc.pre(world.queue !== undefined && !plan.leaveAlone);
        const first = statusOf(world, plan.problem, {}, NOW);
        const queue = { ...world.queue, status: first.status } as Observed["queue"];
        expect(statusOf({ ...world, queue }, plan.problem, {}, NOW + later).differs).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("says Ready only when there is nothing left to do, and Stalled only beside a Ready that is not True", () => {
    fc.assert(
      fc.property(anyObserved(), (world) => {
        const plan = decide(world, NOW);
        fc.pre(world.queue !== undefined && !plan.leaveAlone && isQuiet(plan));
        const { conditions = [] } = statusOf(world, plan.problem, {}, NOW).status;
        const of = (type: string) => conditions.find((condition) => condition.type === type);
        const ready = of("Ready")?.status === "True";
        expect(ready && of("Stalled") !== undefined).toBe(false);
        expect(ready && world.store.is !== "ready").toBe(false);
      }),
    );
  });
});
