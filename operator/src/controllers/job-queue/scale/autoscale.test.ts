import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NOW, someAutoscaling } from "../../testing/builders.ts";
import { autoscale, type Autoscaled, type AutoscaleMemory, type Backlog } from "./autoscale.ts";

/** Jobs to run, and how long the oldest has waited, seconds. */
const jobs = (count: number, oldestPendingSeconds?: number): Backlog => ({ jobs: count, oldestPendingSeconds });

/** Follows a backlog over time: entries of seconds since NOW and what there is to do; the Deployment follows at once. */
function follow(
  spec: ReturnType<typeof someAutoscaling>,
  start: number,
  looks: readonly (readonly [seconds: number, backlog: Backlog | undefined])[],
): { readonly seconds: number; readonly from: number; readonly said: Autoscaled }[] {
  let present = start;
  let memory: AutoscaleMemory | undefined;
  return looks.map(([seconds, backlog]) => {
    const said = autoscale(spec, backlog, present, memory, NOW + seconds * 1000);
    const from = present;
    memory = said.memory;
    present = said.wanted;
    return { seconds, from, said };
  });
}

describe("autoscaling, one look without a past", () => {
  const calm = { stabilizationSeconds: 0, maxPerStep: 1_000, cooldownToZeroSeconds: 0 };
  const of = (more: object, backlog: Backlog | undefined, present = 0) =>
    autoscale(
      someAutoscaling({ scaleUp: { stabilizationSeconds: 0, maxPerStep: 1_000 }, scaleDown: calm, ...more }),
      backlog,
      present,
      undefined,
      NOW,
    ).wanted;

  it.each<[string, number, number]>([
    ["nothing to do: the fewest", of({}, jobs(0)), 1],
    ["nothing to do and none needed: none", of({ minReplicas: 0 }, jobs(0)), 0],
    ["one job: one worker", of({ minReplicas: 0 }, jobs(1)), 1],
    ["jobs are rounded up", of({}, jobs(101)), 11],
    ["never more than the most", of({}, jobs(100_000)), 20],
    ["another number of jobs per worker", of({ jobsPerWorker: 1 }, jobs(7)), 7],
    [
      "old jobs want one step more than there are",
      of({ oldestPendingSeconds: 60, scaleUp: { stabilizationSeconds: 0, maxPerStep: 2 } }, jobs(9, 61), 3),
      5,
    ],
    [
      "but never more workers than jobs",
      of({ oldestPendingSeconds: 60, scaleUp: { stabilizationSeconds: 0, maxPerStep: 9 } }, jobs(4, 61), 3),
      4,
    ],
    ["jobs that are not too old count as jobs", of({ oldestPendingSeconds: 60 }, jobs(9, 60), 1), 1],
    [
      "the larger answer wins",
      of({ oldestPendingSeconds: 60, scaleUp: { stabilizationSeconds: 0, maxPerStep: 20 } }, jobs(150, 61), 1),
      20,
    ],
    ["a store that does not answer changes nothing", of({ minReplicas: 0 }, undefined, 7), 7],
    ["not even at zero", of({ minReplicas: 0 }, undefined, 0), 0],
    ["but the spec's bounds hold", of({ maxReplicas: 5 }, undefined, 7), 5],
  ])("%s", (_sentence, wanted, expected) => {
    expect(wanted).toBe(expected);
  });
});

describe("autoscaling over time", () => {
  it("grows by its step every 15 seconds, from zero by one at once", () => {
    const looks = [0, 5, 15, 20, 30, 45, 60].map((seconds) => [seconds, jobs(200)] as const);
    const said = follow(someAutoscaling({ minReplicas: 0 }), 0, looks);
    expect(said.map(({ said: { wanted } }) => wanted)).toEqual([1, 1, 2, 2, 4, 8, 16]);
    expect(said[1]?.said).toMatchObject({ because: "Stepping", waitMs: 10_000 });
  });

  it("shrinks to the largest answer of the window, a quarter of the present ones at a time, at least one", () => {
    const looks = [
      [0, jobs(160)],
      [10, jobs(20)],
      [200, jobs(20)],
      [309, jobs(20)],
      [310, jobs(20)],
      [325, jobs(20)],
      [340, jobs(20)],
    ] as const;
    const said = follow(someAutoscaling(), 16, looks);
    expect(said.map(({ said: { wanted } }) => wanted)).toEqual([16, 16, 16, 16, 12, 9, 7]);
    expect(said[1]?.said).toMatchObject({ because: "Stabilising" });
  });

  it("does not follow a short peak when it is told to wait before it grows", () => {
    const spec = someAutoscaling({ scaleUp: { stabilizationSeconds: 60, maxPerStep: 100 } });
    const looks = [
      [0, jobs(10)],
      [100, jobs(150)],
      [110, jobs(10)],
      [200, jobs(150)],
      [259, jobs(150)],
      [260, jobs(150)],
    ] as const;
    expect(follow(spec, 1, looks).map(({ said: { wanted } }) => wanted)).toEqual([1, 1, 1, 1, 1, 15]);
  });

  it("keeps the last worker until there has been nothing to run for the cooldown, whatever the window", () => {
    const spec = someAutoscaling({ minReplicas: 0 });
    const looks = [
      [0, jobs(1)],
      [100, jobs(0)],
      [650, jobs(0)],
      [660, jobs(3)],
      [700, jobs(0)],
      [1_299, jobs(0)],
      [1_300, jobs(0)],
    ] as const;
    const said = follow(spec, 1, looks);
    expect(said.map(({ said: { wanted } }) => wanted)).toEqual([1, 1, 1, 1, 1, 1, 0]);
    expect(said[5]?.said).toMatchObject({ because: "CoolingDown", waitMs: 1_000 });
    expect(said[6]?.said.waitMs).toBeUndefined();
  });

  it("K12/O5: holds while the store is silent and goes on afterwards as if what was wanted before had been wanted all the time", () => {
    const looks = [
      [0, jobs(160)],
      [60, undefined],
      [900, undefined],
      [910, jobs(0)],
      [1_200, jobs(0)],
      [1_211, jobs(0)],
    ] as const;
    expect(follow(someAutoscaling(), 16, looks).map(({ said: { wanted } }) => wanted)).toEqual([
      16, 16, 16, 16, 16, 12,
    ]);
  });

  it("a fresh leader holds downwards for one window, and grows at once", () => {
    const down = [0, 299, 301].map((seconds) => [seconds, jobs(0)] as const);
    expect(follow(someAutoscaling(), 8, down).map(({ said: { wanted } }) => wanted)).toEqual([8, 8, 6]);
    expect(follow(someAutoscaling(), 8, [[0, jobs(160)]])[0]?.said.wanted).toBe(16);
  });

  it("a change of the bounds counts at once", () => {
    expect(follow(someAutoscaling({ minReplicas: 9 }), 2, [[0, jobs(0)]])[0]?.said.wanted).toBe(9);
    expect(follow(someAutoscaling({ maxReplicas: 3 }), 12, [[0, jobs(500)]])[0]?.said.wanted).toBe(3);
  });
});

describe("properties of autoscaling", () => {
  const share = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom("1%", "25%", "100%"));
  const spec = fc
    .record({
      minReplicas: fc.nat({ max: 5 }),
      more: fc.nat({ max: 40 }),
      jobsPerWorker: fc.integer({ min: 1, max: 20 }),
      oldestPendingSeconds: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      up: fc.constantFrom(0, 30, 120),
      down: fc.constantFrom(0, 60, 300),
      maxUp: share,
      maxDown: share,
      cooldown: fc.constantFrom(0, 120),
    })
    .map(({ minReplicas, more, jobsPerWorker, oldestPendingSeconds, up, down, maxUp, maxDown, cooldown }) =>
      someAutoscaling({
        minReplicas,
        maxReplicas: Math.max(1, minReplicas + more),
        jobsPerWorker,
        ...(oldestPendingSeconds !== undefined && { oldestPendingSeconds }),
        scaleUp: { stabilizationSeconds: up, maxPerStep: maxUp },
        scaleDown: { stabilizationSeconds: down, maxPerStep: maxDown, cooldownToZeroSeconds: cooldown },
      }),
    );
  const backlog = fc
    .record({ jobs: fc.oneof(fc.constant(0), fc.nat({ max: 500 })), age: fc.nat({ max: 200 }) })
    .map(({ jobs: count, age }) => (count === 0 ? jobs(0) : jobs(count, age)));
  const looks = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.option(backlog, { nil: undefined })), {
      minLength: 1,
      maxLength: 60,
    })
    .map((steps) => {
      let seconds = 0;
      return steps.map(([after, seen]) => [(seconds += after), seen] as const);
    });

  it("the number is always within the bounds", () => {
    fc.assert(
      fc.property(spec, fc.nat({ max: 60 }), looks, (one, start, seen) => {
        for (const { said } of follow(one, start, seen)) {
          expect(said.wanted).toBeGreaterThanOrEqual(one.minReplicas);
          expect(said.wanted).toBeLessThanOrEqual(one.maxReplicas);
        }
      }),
    );
  });

  it("more jobs never want fewer workers", () => {
    fc.assert(
      fc.property(
        spec,
        fc.nat({ max: 40 }),
        looks,
        fc.nat({ max: 500 }),
        fc.nat({ max: 100 }),
        (one, start, seen, few, more) => {
          const memory = follow(one, start, seen).at(-1)?.said.memory;
          const at = NOW + 10_000_000;
          const wanted = (count: number) => autoscale(one, jobs(count), start, memory, at).wanted;
          expect(wanted(few + more)).toBeGreaterThanOrEqual(wanted(few));
        },
      ),
    );
  });

  it("shrinks below no answer of the window, and grows beyond none: no flapping within it", () => {
    fc.assert(
      fc.property(spec, looks, (one, seen) => {
        const inside = Math.round((one.minReplicas + one.maxReplicas) / 2);
        const steps = follow(one, inside, seen);
        for (const { seconds, from, said } of steps) {
          const answers = (windowSeconds: number) =>
            steps.flatMap(({ seconds: at, said: { memory } }, n) => {
              const until = steps[n + 1]?.seconds ?? Infinity;
              return at <= seconds && until > seconds - windowSeconds && memory ? [memory.answer] : [];
            });
          const { scaleUp, scaleDown } = one;
          const [least, most] = [
            Math.max(...answers(scaleDown.stabilizationSeconds)),
            Math.min(...answers(scaleUp.stabilizationSeconds)),
          ];
          expect(said.wanted).toBeGreaterThanOrEqual(Math.min(from, least));
          expect(said.wanted).toBeLessThanOrEqual(Math.max(from, most));
        }
      }),
    );
  });

  it("waiting jobs want one step more than where the step began, however often one looks while it lasts", () => {
    const one = someAutoscaling({
      minReplicas: 0,
      maxReplicas: 9,
      jobsPerWorker: 2,
      oldestPendingSeconds: 10,
      scaleUp: { stabilizationSeconds: 0, maxPerStep: 1 },
      scaleDown: { stabilizationSeconds: 0, maxPerStep: 9, cooldownToZeroSeconds: 0 },
    });
    const late = jobs(9, 60);
    const said = follow(one, 1, [
      [1, jobs(2, 60)],
      [16, jobs(0)],
      [17, jobs(3, 60)],
      [17, jobs(3, 60)],
      [18, late],
      [32, late],
    ]).map(({ said: { wanted } }) => wanted);
    expect(said).toEqual([2, 0, 3, 3, 3, 4]);
  });

  it("looking twice at the same says the same", () => {
    fc.assert(
      fc.property(spec, fc.nat({ max: 40 }), looks, (one, start, seen) => {
        const last = follow(one, start, seen).at(-1);
        if (!last) return;
        const at = NOW + last.seconds * 1000;
        const again = autoscale(one, seen.at(-1)?.[1], last.said.wanted, last.said.memory, at);
        expect(again.wanted).toBe(last.said.wanted);
      }),
    );
  });
});
