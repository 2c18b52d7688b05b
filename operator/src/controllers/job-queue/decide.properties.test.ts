import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action } from "../../plan/action.ts";
import { isQuiet } from "../../plan/action.ts";
import { anyObserved } from "../testing/arbitrary.ts";
import { counts, NOW, observed } from "../testing/builders.ts";
import type { StoredDeployment } from "../kubernetes-objects.ts";
import { decide } from "./decide.ts";
import type { Observed, StoreObserved } from "./observed.ts";
import { statusOf } from "./status.ts";

/** The world after an action, as the next observation would show it. */
function after(world: Observed, action: Action): Observed {
  const inStore = (change: (store: Extract<StoreObserved, { is: "ready" }>) => Partial<typeof store>): Observed =>
    world.store.is === "ready" ? { ...world, store: { ...world.store, ...change(world.store) } } : world;
  switch (action.do) {
    case "ensureQueue":
      return inStore(() => ({ counts: counts() }));
    case "setHold": {
      const { queue, hold: name, because: reason, actor, source } = action;
      const set = { queue, name, reason, actor, source, since: "2026-08-01T12:00:00Z" };
      return inStore(({ holds }) => ({
        holds: [...holds.filter((one) => one.queue !== queue || one.name !== name), set],
      }));
    }
    case "releaseHold":
      return inStore(({ holds }) => ({
        holds: holds.filter((one) => one.queue !== action.queue || one.name !== action.hold),
      }));
    case "recoverPods": {
      const gone = new Set(action.pods.map(({ uid }) => uid));
      return inStore(({ workers }) => ({ workers: workers.filter(({ podUid }) => !gone.has(podUid ?? "")) }));
    }
    case "applyDeployment": {
      const before =
        world.deployment.is === "ours" ? world.deployment.object.metadata : { uid: "new", resourceVersion: "1" };
      const metadata = { ...before, ...action.deployment.metadata, generation: 5 };
      const object = { ...action.deployment, metadata } as unknown as StoredDeployment;
      return { ...world, deployment: { is: "ours", object, appliedGeneration: 5 } };
    }
    case "deleteDeployment":
      return { ...world, deployment: { is: "absent" } };
    default:
      return world;
  }
}

/** Time passes: what was waited for has become known one way or the other. */
const settled = (world: Observed): Observed => decide(world, NOW).actions.reduce(after, world);

describe("properties of decide", () => {
  it("carrying out a plan leaves nothing to do but to wait", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        expect(decide(settled(world), NOW).actions.filter((action) => action.do !== "wait")).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("is deterministic", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        expect(decide(structuredClone(world), NOW)).toEqual(decide(world, NOW));
      }),
    );
  });

  it("never deletes, makes or writes anything on account of what is unknown", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        const done = decide(world, NOW).actions.map((action) => action.do);
        if (world.deployment.is === "unknown") {
          expect(done).not.toContain("deleteDeployment");
          expect(done).not.toContain("applyDeployment");
        }
        if (world.pods === "unknown") expect(done).not.toContain("recoverPods");
        if (world.store.is !== "ready") {
          expect(done.filter((one) => ["ensureQueue", "setHold", "releaseHold", "recoverPods"].includes(one))).toEqual(
            [],
          );
          expect(world.deployment.is === "absent" && done.includes("applyDeployment")).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("never touches a Deployment of somebody else", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        fc.pre(world.deployment.is === "foreign");
        expect(decide(world, NOW).actions.some((action) => action.do.endsWith("Deployment"))).toBe(false);
      }),
    );
  });

  it("a paused spec always ends with exactly one hold `spec`, an active one with none, and other holds are untouched", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        fc.pre(world.queue !== undefined && world.store.is === "ready" && world.rivals.length === 0);
        fc.pre(world.queue?.metadata.deletionTimestamp === undefined);
        const holds = (one: Observed) => (one.store.is === "ready" ? one.store.holds : []);
        const ours = (one: Observed) => holds(one).filter(({ queue, name }) => queue === "mailers" && name === "spec");
        const others = (one: Observed) =>
          holds(one).filter(({ queue, name }) => queue !== "mailers" || name !== "spec");
        expect(ours(settled(world))).toHaveLength(world.queue?.spec.state === "Paused" ? 1 : 0);
        expect(others(settled(world))).toEqual(others(world));
      }),
      { numRuns: 1000 },
    );
  });

  it("never both makes and deletes a Deployment, and sets its hold before it makes one", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        const done = decide(world, NOW).actions.map((action) => action.do);
        expect(done.includes("applyDeployment") && done.includes("deleteDeployment")).toBe(false);
        if (done.includes("setHold") && done.includes("applyDeployment")) {
          expect(done.indexOf("setHold")).toBeLessThan(done.indexOf("applyDeployment"));
        }
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
      fc.property(anyObserved, fc.nat({ max: 3_600_000 }), (world, later) => {
        const plan = decide(world, NOW);
        fc.pre(world.queue !== undefined && !plan.leaveAlone);
        const first = statusOf(world, plan.problem, {}, NOW);
        const queue = { ...world.queue, status: first.status } as Observed["queue"];
        expect(statusOf({ ...world, queue }, plan.problem, {}, NOW + later).differs).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it("says Ready only when there is nothing left to do, and Stalled only beside a Ready that is not True", () => {
    fc.assert(
      fc.property(anyObserved, (world) => {
        const plan = decide(world, NOW);
        fc.pre(world.queue !== undefined && !plan.leaveAlone && isQuiet(plan));
        const { conditions = [] } = statusOf(world, plan.problem, {}, NOW).status;
        const of = (type: string) => conditions.find((condition) => condition.type === type);
        if (of("Stalled")) expect(of("Ready")?.status).not.toBe("True");
        if (of("Ready")?.status === "True") expect(world.store.is).toBe("ready");
      }),
    );
  });
});
