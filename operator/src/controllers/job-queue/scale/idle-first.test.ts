import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WorkerSeen } from "../../job-store/store-view.ts";
import { aPod, aWorker } from "../../testing/builders.ts";
import type { PodObserved } from "../observed.ts";
import { IDLE_COST, idleFirst, type IdleFirstFacts } from "./idle-first.ts";

const pod = (n: number, some: Partial<PodObserved> = {}) => aPod({ uid: `pod-${n}`, name: `p${n}`, ...some });
const worker = (n: number, some: Partial<WorkerSeen> = {}) => aWorker({ id: String(n), podUid: `pod-${n}`, ...some });
const costed = { deletionCost: IDLE_COST };
const drained = { drained: true };

/** Three workers, all there and idle, of whom `target` are wanted. */
const of = (target: number, some: Partial<IdleFirstFacts> = {}) =>
  idleFirst({
    target,
    current: 3,
    settled: true,
    pods: [pod(1), pod(2), pod(3)],
    workers: [worker(1), worker(2), worker(3)],
    graceMs: 30_000,
    ...some,
  });

describe("the next step towards fewer workers", () => {
  const nothing = { drain: 0, release: [], cost: [], uncost: [] };

  it.each<[string, ReturnType<typeof of>, object]>([
    ["as many as wanted: nothing", of(3), { replicas: 3, ...nothing }],
    [
      "more wanted: at once, whatever else",
      of(5, { pods: "unknown", workers: "unknown", settled: false }),
      { replicas: 5, ...nothing },
    ],
    ["fewer: idle ones are drained first", of(1), { replicas: 3, drain: 2, cost: [], waitMs: 2_000 }],
    [
      "those that are drained get a cost, and no others",
      of(1, { workers: [worker(1), worker(2, drained), worker(3)] }),
      { replicas: 3, drain: 0, cost: [pod(2)] },
    ],
    [
      "then the Deployment is lowered by as many; more are asked for once that is done",
      of(1, { pods: [pod(1), pod(2, costed), pod(3)], workers: [worker(1), worker(2, drained), worker(3)] }),
      { replicas: 2, drain: 0, cost: [] },
    ],
    [
      "lowered, and not carried out yet: wait",
      of(1, {
        current: 2,
        pods: [pod(1), pod(2, costed), pod(3)],
        workers: [worker(1), worker(2, drained), worker(3)],
      }),
      { replicas: 2, ...nothing },
    ],
    [
      "lowered all the way, and not carried out yet: nothing is released",
      of(2, {
        current: 2,
        pods: [pod(1), pod(2, costed), pod(3)],
        workers: [worker(1), worker(2, drained), worker(3)],
      }),
      { replicas: 2, ...nothing },
    ],
    [
      "another pod went instead: the drained one is released",
      of(2, { current: 2, pods: [pod(2, costed), pod(3)], workers: [worker(2, drained), worker(3)] }),
      { replicas: 2, release: ["2"], uncost: [] },
    ],
    [
      "and loses its cost once it takes jobs again",
      of(2, { current: 2, pods: [pod(2, costed), pod(3)], workers: [worker(2), worker(3)] }),
      { replicas: 2, release: [], uncost: [pod(2, costed)] },
    ],
    [
      "more wanted again: the Deployment first",
      of(4, { pods: [pod(1), pod(2, costed), pod(3)], workers: [worker(1), worker(2, drained), worker(3)] }),
      { replicas: 4, release: [], drain: 0 },
    ],
    [
      "fewer too many than are drained: the surplus is released before anything is lowered",
      of(2, {
        pods: [pod(1, costed), pod(2, costed), pod(3)],
        workers: [worker(1, drained), worker(2, drained), worker(3)],
      }),
      { replicas: 3, release: ["2"], drain: 0 },
    ],
    [
      "a cost left over from before comes off before anything is lowered",
      of(2, { pods: [pod(1, costed), pod(2, costed), pod(3)], workers: [worker(1), worker(2, drained), worker(3)] }),
      { replicas: 3, uncost: [pod(1, costed)], drain: 0 },
    ],
    ["all busy: asks again until the time is over", of(1, { graceMs: 900 }), { replicas: 3, drain: 2, waitMs: 900 }],
    ["all busy and the time is over: the rest goes too", of(1, { graceMs: 0 }), { replicas: 1 }],
    [
      "pods without a worker go by themselves",
      of(1, { pods: [pod(1, { ready: false }), pod(2, { ready: false }), pod(3)], workers: [worker(3)] }),
      { replicas: 1, ...nothing },
    ],
    [
      "pods that are not there yet need not come",
      of(1, { pods: [pod(1)], workers: [worker(1)] }),
      { replicas: 1, ...nothing },
    ],
    [
      "a worker in a pod that is not ready would go first: it is drained first, and waited for",
      of(2, {
        pods: [pod(1), pod(2, { ready: false }), pod(3, costed)],
        workers: [worker(1), worker(2), worker(3, drained)],
      }),
      { replicas: 3, drain: 0 },
    ],
    [
      "it is asked for by the uid of its pod",
      of(2, { pods: [pod(1), pod(2, { ready: false }), pod(3)] }),
      { replicas: 3, drain: 1, firstPods: ["pod-2"] },
    ],
    [
      "pods that are leaving or over do not count",
      of(2, {
        current: 2,
        pods: [pod(1, { leaving: true }), pod(2), pod(3), pod(4, { over: true })],
        workers: [worker(1, drained), worker(2), worker(3)],
      }),
      { replicas: 2, ...nothing },
    ],
    ["pods not listed yet: wait", of(1, { pods: "unknown" }), { replicas: 3, ...nothing, waitMs: 2_000 }],
    ["a silent store: wait", of(1, { workers: "unknown" }), { replicas: 3, ...nothing, waitMs: 2_000 }],
    [
      "a silent store, and the time is over: a person's word counts",
      of(1, { workers: "unknown", graceMs: 0 }),
      { replicas: 1, ...nothing },
    ],
    [
      "a silent store and autoscaling: as long as it takes",
      of(1, { workers: "unknown", graceMs: Infinity }),
      { replicas: 3 },
    ],
    ["a roll-out under way: wait", of(1, { settled: false }), { replicas: 3, ...nothing }],
    [
      "to none: all are drained, no cost is needed",
      of(0, { workers: [worker(1, drained), worker(2, drained), worker(3, drained)] }),
      { replicas: 0, ...nothing },
    ],
  ])("%s", (_sentence, step, expected) => {
    expect(step).toMatchObject(expected);
  });
});

/** A pool as Kubernetes and the store keep it, and what may happen to it. */
interface World {
  replicas: number;
  target: number;
  pods: { uid: string; ready: boolean; cost: string | undefined; drained: boolean; busy: boolean; started: boolean }[];
  next: number;
}

/** Kubernetes does what the ReplicaSet controller does: its order, in which ties are the worst case for us. */
function reconcilePods(world: World): { readonly busyVictims: number } {
  while (world.pods.length < world.replicas) {
    world.pods.push({
      uid: `pod-${world.next++}`,
      ready: false,
      cost: undefined,
      drained: false,
      busy: false,
      started: false,
    });
  }
  const rank = (one: World["pods"][number]) =>
    [Number(one.started), Number(one.ready), Number(one.cost ?? 0), one.busy ? 0 : 1] as const;
  const order = world.pods.toSorted((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2] || x[3] - y[3];
  });
  const victims = new Set(order.slice(0, world.pods.length - world.replicas));
  world.pods = world.pods.filter((one) => !victims.has(one));
  return { busyVictims: [...victims].filter(({ busy }) => busy).length };
}

describe("G: idle-first scale-down, with Kubernetes and the workers going on between all steps", () => {
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ do: "look" as const }) },
    { weight: 2, arbitrary: fc.nat({ max: 6 }).map((to) => ({ do: "want" as const, to })) },
    { weight: 3, arbitrary: fc.nat().map((which) => ({ do: "toggle" as const, which })) },
    { weight: 3, arbitrary: fc.constant({ do: "kubernetes" as const }) },
    { weight: 2, arbitrary: fc.nat().map((which) => ({ do: "ready" as const, which })) },
  );
  const seen = (world: World, settled: boolean): IdleFirstFacts => ({
    target: world.target,
    current: world.replicas,
    settled,
    pods: world.pods.map((one) =>
      aPod({
        uid: one.uid,
        name: one.uid,
        ready: one.ready,
        ...(one.cost !== undefined && { deletionCost: one.cost }),
      }),
    ),
    workers: world.pods
      .filter(({ started }) => started)
      .map((one) => aWorker({ id: one.uid, podUid: one.uid, drained: one.drained, running: one.busy ? 1 : 0 })),
    graceMs: Infinity,
  });
  /** Carries out the first `writes` writes of a step: the operator may die after any of them. */
  function carryOut(world: World, step: ReturnType<typeof idleFirst>, writes: number): number {
    const find = (uid: string) => world.pods.find((one) => one.uid === uid);
    const effects: (() => void)[] = [
      ...(step.release.length > 0
        ? [() => step.release.forEach((id) => Object.assign(find(id) ?? {}, { drained: false }))]
        : []),
      ...step.uncost.map(
        ({ uid }) =>
          () =>
            void Object.assign(find(uid) ?? {}, { cost: undefined }),
      ),
      ...(step.drain > 0
        ? [
            () => {
              const idle = world.pods.filter((one) => one.started && !one.drained && !one.busy);
              const first = (one: World["pods"][number]) => Number(!step.firstPods.includes(one.uid));
              for (const one of idle.toSorted((a, b) => first(a) - first(b)).slice(0, step.drain)) one.drained = true;
            },
          ]
        : []),
      ...step.cost.map(
        ({ uid }) =>
          () =>
            void Object.assign(find(uid) ?? {}, { cost: IDLE_COST }),
      ),
      ...(step.replicas === world.replicas ? [] : [() => void (world.replicas = step.replicas)]),
    ];
    effects.slice(0, writes).forEach((effect) => effect());
    return effects.length;
  }

  it("no busy worker is ever the victim, an increase is never delayed, and in the end everything is as wanted with nothing left over", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat({ max: 6 })), { maxLength: 80 }), (events) => {
        const world: World = { replicas: 4, target: 4, pods: [], next: 1 };
        reconcilePods(world);
        for (const one of world.pods) Object.assign(one, { ready: true, started: true });
        let delayed = false;
        for (const [happens, writes] of events) {
          const one = "which" in happens ? world.pods[happens.which % Math.max(1, world.pods.length)] : undefined;
          if (happens.do === "want") world.target = happens.to;
          // A worker that starts is ready before it is busy: what it claims before its first probe is the known gap.
          if (happens.do === "toggle" && one?.started && one.ready && !one.drained) one.busy = !one.busy;
          if (happens.do === "ready" && one) Object.assign(one, { ready: true, started: true });
          const victims = happens.do === "kubernetes" ? reconcilePods(world).busyVictims : 0;
          expect(victims, "busy victims").toBe(0);
          if (happens.do === "look") {
            const step = idleFirst(seen(world, world.pods.length === world.replicas));
            delayed ||= world.target > world.replicas && step.replicas !== world.target;
            carryOut(world, step, writes);
          }
        }
        expect(delayed, "an increase").toBe(false);
        for (const one of world.pods) Object.assign(one, { ready: true, started: true, busy: false });
        for (let pass = 0; pass < 12; pass += 1) {
          expect(reconcilePods(world).busyVictims).toBe(0);
          for (const one of world.pods) Object.assign(one, { ready: true, started: true });
          carryOut(world, idleFirst(seen(world, true)), Infinity);
        }
        expect(world.pods.length).toBe(world.target);
        expect(world.pods.filter(({ drained: left, cost }) => left || cost !== undefined)).toEqual([]);
        expect(carryOut(world, idleFirst(seen(world, true)), 0), "writes when converged").toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
