import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  aJobQueue,
  aPod,
  aReadyStore,
  aRestart,
  aWorker,
  itsDeployment,
  NOW,
  observed,
  someProgress,
  someWorkers,
  steadyCanary,
} from "../../testing/builders.ts";
import type { RestartSeen, WorkerProgress } from "../../job-store/store-view.ts";
import type { Observed, PodObserved } from "../observed.ts";
import { knownAgeMs, steadyForMs } from "./ages.ts";
import { backoffMsLeft, budgetOf, isCrashLoop, spentOf } from "./governor.ts";
import { healthOf } from "./judge.ts";

const SILENT = { alive: false, silentMs: 100_000, progress: someProgress({ heartbeatAt: NOW - 100_000 }) };

/** A pool of `size` pods of which the first `silent` have been silent for 100 s. */
function pool(
  size: number,
  silent: number,
  some: Partial<Observed> = {},
  store: Parameters<typeof aReadyStore>[0] = {},
): Observed {
  const pods = Array.from({ length: size }, (_, index) => aPod({ uid: `pod-${index}`, name: `pod-${index}` }));
  const workers = pods.map(({ uid }, index) =>
    aWorker({ id: String(index), podUid: uid, pod: uid, ...(index < silent && SILENT) }),
  );
  const queue = aJobQueue({ replicas: size });
  const beating = new Set(workers.filter(({ alive }) => alive).map(({ id }) => id));
  const fleet = { workers: 100, lapsed: silent, beating };
  return observed({
    queue,
    pods,
    store: aReadyStore({ workers, fleet, ...store }),
    deployment: itsDeployment(queue),
    ...some,
  });
}

const nextOf = (world: Observed): string | undefined => healthOf(world, NOW)?.next?.pod.uid;
const closedOf = (world: Observed): string | undefined => healthOf(world, NOW)?.closed?.reason;

describe("the verdict on a worker", () => {
  const progress = (some: Partial<WorkerProgress>) => ({ progress: someProgress(some) });
  it.each([
    ["healthy", {}, {}, "healthy"],
    [
      "silent for less than the timeout: unknown, not hung",
      { alive: false, silentMs: 60_000, progress: someProgress({ heartbeatAt: NOW - 60_000 }) },
      {},
      "unknown",
    ],
    ["silent for longer", SILENT, {}, "lapsed"],
    [
      "silent since its loop stood still",
      { ...SILENT, progress: someProgress({ heartbeatAt: NOW - 100_000, renewing: false }) },
      {},
      "blocked",
    ],
    [
      "just started",
      { ...SILENT, progress: someProgress({ heartbeatAt: NOW - 100_000, startedAt: NOW - 110_000 }) },
      {},
      "starting",
    ],
    ["draining by itself", { ...SILENT, ...progress({ state: "draining" }) }, {}, "draining"],
    ["kept idle by the operator", { ...SILENT, drained: true }, {}, "draining"],
    ["fenced", { ...SILENT, ...progress({ state: "fenced" }) }, {}, "gone"],
    ["silent in a pod that leaves", SILENT, { leaving: true }, "draining"],
    ["silent in a pod that ended", SILENT, { over: true }, "gone"],
    [
      "stuck in all its slots",
      progress({ slots: 2, slotsBusy: 2, slotsStuck: 2, lastFinishAgeMs: 95_000 }),
      {},
      "all-slots-stuck",
    ],
    ["stuck in some", progress({ slots: 2, slotsBusy: 2, slotsStuck: 1, lastFinishAgeMs: 95_000 }), {}, "healthy"],
    ["from before its container was started again", SILENT, { startedAt: NOW - 10_000 }, "starting"],
  ] as const)("%s", (_situation, worker, pod, verdict) => {
    const world = observed({ pods: [aPod(pod)], store: aReadyStore({ workers: [aWorker(worker)] }) });
    expect(healthOf(world, NOW)?.judged[0]?.verdict).toBe(verdict);
  });

  it("R9: a pod without a row is unknown; without a list of pods, or with the store away, nothing is judged", () => {
    const lonely = observed({ pods: [aPod()], store: aReadyStore({ workers: [] }) });
    expect(healthOf(lonely, NOW)?.judged[0]?.verdict).toBe("unknown");
    expect(healthOf({ ...lonely, pods: "unknown" }, NOW)).toBeUndefined();
  });

  it("G15: time in which the store could not be written, or this leader did not look, is no silence", () => {
    const canary = steadyCanary({ since: NOW - 50_000, outages: [{ from: NOW - 40_000, to: NOW - 10_000 }] });
    expect(knownAgeMs(NOW - 100_000, canary)).toBe(20_000);
    expect(steadyForMs(canary)).toBe(10_000);
  });
});

describe("the gates", () => {
  it("R2: one of twenty is replaced, and that one", () => {
    expect(nextOf(pool(20, 1))).toBe("pod-0");
  });

  const suspendedQueue = aJobQueue(
    { replicas: 20 },
    { metadata: { annotations: { "jobqueue.dev/restarts": "suspended" } } },
  );
  const health = { ...someWorkers().health };
  const rolling = itsDeployment(aJobQueue({ replicas: 20 }), {
    status: { observedGeneration: 4, replicas: 22, updatedReplicas: 2 },
  });
  const first = (pod: Partial<PodObserved>): Partial<Observed> => ({
    pods:
      pool(20, 1).pods === "unknown"
        ? []
        : (pool(20, 1).pods as PodObserved[]).map((one, index) => (index === 0 ? { ...one, ...pod } : one)),
  });
  const crashed = (opened: number[], finished = false): readonly RestartSeen[] =>
    opened.map((openedAt, index) =>
      aRestart({ id: String(index), podUid: `gone-${index}`, openedAt, evidence: { hung: true, finished } }),
    );
  const fiveInARow = crashed([5, 4, 3, 2, 1].map((n) => NOW - n * 7_200_000));
  const withoutAFinish = Array.from({ length: 20 }, (_, index) => {
    const { lastFinishAgeMs: _never, ...progress } = index === 0 ? SILENT.progress : someProgress();
    const worker = aWorker({ id: String(index), podUid: `pod-${index}`, pod: `pod-${index}` });
    return { ...worker, ...(index === 0 && SILENT), progress };
  });
  it("G15: five restarts in a row are no crash loop of the template while its other workers finish jobs", () => {
    expect(nextOf(pool(20, 1, {}, { restarts: fiveInARow }))).toBe("pod-0");
  });

  it.each([
    ["SuspendedByAnnotation", pool(20, 1, { queue: suspendedQueue })],
    [
      "ReportOnly",
      pool(20, 1, {
        queue: aJobQueue({ replicas: 20, workers: someWorkers({ health: { ...health, mode: "Report" } }) }),
      }),
    ],
    ["ApiServerDegraded", pool(20, 1, { watchesCurrent: false })],
    ["TooManyUnhealthy", pool(20, 11)],
    ["FleetUnhealthy", pool(20, 1, {}, { fleet: { workers: 10, lapsed: 3, beating: new Set() } })],
    ["Cooldown", pool(20, 1, { stormAt: NOW - 599_000 })],
    ["RolloutInProgress", pool(20, 1, { deployment: rolling })],
    ["RolloutInProgress", pool(20, 1, { deployment: { is: "absent", since: NOW } })],
    [
      "NodeUnreachable",
      pool(20, 1, first({ trouble: { reason: "NodeUnreachable", sentence: "the node does not answer" } })),
    ],
    [
      "LeftToKubernetes",
      pool(20, 1, first({ trouble: { reason: "WorkersCrashing", sentence: "it ends again and again" } })),
    ],
    ["LeftToKubernetes", pool(20, 1, first({ running: false }))],
    ["NoIndependentEvidence", pool(1, 1, {}, { canary: steadyCanary({ since: NOW - 170_000 }) })],
    ["CrashLoop", pool(20, 1, {}, { restarts: fiveInARow, workers: withoutAFinish })],
    ["Backoff", pool(20, 1, {}, { restarts: crashed([NOW - 50_000], true) })],
    [
      "BudgetSpent",
      pool(20, 1, {}, { restarts: [aRestart({ podUid: "pod-5", isOpen: true, openedAt: NOW - 7_200_000 })] }),
    ],
  ] as const)("%s holds back", (reason, world) => {
    expect([nextOf(world), closedOf(world)]).toEqual([undefined, reason]);
  });

  it("R1: right after an outage nobody is hung, so there is nothing to hold back", () => {
    const canary = steadyCanary({ outages: [{ from: NOW - 700_000, to: NOW - 89_000 }] });
    const world = pool(20, 1, {}, { canary });
    expect([nextOf(world), closedOf(world)]).toEqual([undefined, undefined]);
  });

  it("R3: more than maxUnhealthy of twenty are nobody's to restart, and a lower share in the whole store neither", () => {
    expect(closedOf(pool(20, 11))).toBe("TooManyUnhealthy");
    expect(closedOf(pool(20, 8, {}, { fleet: { workers: 20, lapsed: 8, beating: new Set() } }))).toBe("FleetUnhealthy");
  });

  it("R4: beats that come late, but within the timeout, are no reason", () => {
    const late = { alive: false, silentMs: 85_000, progress: someProgress({ heartbeatAt: NOW - 85_000 }) };
    const workers = Array.from({ length: 20 }, (_, index) =>
      aWorker({ id: String(index), podUid: `pod-${index}`, pod: `pod-${index}`, ...late }),
    );
    const found = healthOf(pool(20, 0, {}, { workers }), NOW);
    expect(new Set(found?.judged.map(({ verdict }) => verdict))).toEqual(new Set(["unknown"]));
    expect(found?.next).toBeUndefined();
  });

  it("R8, G16: a pod that took the name of a hung one is another pod", () => {
    const world = pool(1, 1);
    const heir = aPod({ uid: "pod-new", name: "pod-0" });
    expect(nextOf({ ...world, pods: [heir] })).toBeUndefined();
  });

  it("N6: a pod that is not ready for another reason counts as being replaced", () => {
    const world = pool(20, 1);
    const pods = (world.pods as PodObserved[]).map((pod, index) => (index === 7 ? { ...pod, ready: false } : pod));
    expect(closedOf({ ...world, pods })).toBe("BudgetSpent");
  });

  it("R7: the only worker is replaced after two timeouts without a break, or when another one of the store beats", () => {
    expect(nextOf(pool(1, 1))).toBe("pod-0");
    const compared = {
      canary: steadyCanary({ since: NOW - 120_000 }),
      fleet: { workers: 2, lapsed: 1, beating: new Set(["77"]) },
    };
    expect(nextOf(pool(1, 1, {}, compared))).toBe("pod-0");
  });

  it("one worker is replaced at a time, and never one that has an intent", () => {
    const world = pool(
      20,
      3,
      {},
      {
        fleet: { workers: 100, lapsed: 3, beating: new Set() },
        restarts: [aRestart({ podUid: "pod-0", templateHash: "old" })],
      },
    );
    expect(nextOf(world)).toBe("pod-1");
  });
});

describe("the governor", () => {
  it("waits 1, 2, 4 … 30 minutes between restarts of one template, and forgets after ten calm ones", () => {
    const at = (...minutes: number[]) => minutes.map((minute) => aRestart({ openedAt: NOW + minute * 60_000 }));
    expect(backoffMsLeft(at(0), "abc", NOW)).toBe(60_000);
    expect(backoffMsLeft(at(0, 1), "abc", NOW + 60_000)).toBe(120_000);
    expect(backoffMsLeft(at(0, 1, 3, 7, 15, 31, 61), "abc", NOW + 61 * 60_000)).toBe(30 * 60_000);
    expect(backoffMsLeft(at(0, 11), "abc", NOW + 11 * 60_000)).toBe(60_000);
    expect(backoffMsLeft(at(0), "other", NOW)).toBe(0);
  });

  it("R6: five in a row of one template that finished nothing are enough, unless one of it has finished a job since", () => {
    const five = [1, 2, 3, 4, 5].map((n) =>
      aRestart({ openedAt: NOW - (6 - n) * 60_000, evidence: { hung: true, finished: false } }),
    );
    expect(isCrashLoop(five, "abc", [], NOW)).toBe(true);
    expect(isCrashLoop(five.slice(1), "abc", [], NOW)).toBe(false);
    expect(isCrashLoop(five, "new", [], NOW)).toBe(false);
    const busy = { pod: aPod(), worker: aWorker(), verdict: "healthy", lapsed: false, silentMs: 0 } as const;
    expect(isCrashLoop(five, "abc", [busy], NOW)).toBe(false);
  });

  it("G15: whatever happens when, no ten minutes see more restarts than the window has", () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 200 });
    const limits = fc.record({
      size: fc.integer({ min: 1, max: 100 }),
      spacing: fc.integer({ min: 0, max: 120 }),
      most: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(arrivals, limits, (gaps, { size, spacing, most }) => {
        const budget = budgetOf({ maxConcurrentRestarts: most, minSecondsBetweenRestarts: spacing }, size);
        const restarts: RestartSeen[] = [];
        let now = NOW;
        for (const gap of gaps) {
          now += gap;
          if (!spentOf(budget, restarts, 0, now)) restarts.push(aRestart({ openedAt: now }));
        }
        const windows = restarts.map(
          ({ openedAt }) =>
            restarts.filter((one) => one.openedAt >= openedAt && one.openedAt < openedAt + 600_000).length,
        );
        expect(Math.max(...windows)).toBeLessThanOrEqual(Math.max(3, Math.floor(size / 10)));
        const gapsSeen = restarts.slice(1).map((one, index) => one.openedAt - (restarts[index]?.openedAt ?? 0));
        expect(Math.min(Infinity, ...gapsSeen)).toBeGreaterThanOrEqual(spacing * 1000);
      }),
    );
  });

  it("G15, G16: only who is seen hung by a store that has been well is replaced, whatever else is", () => {
    const worker = fc.record({
      alive: fc.boolean(),
      silent: fc.integer({ min: 0, max: 300_000 }),
      renewing: fc.boolean(),
    });
    const outage = fc.integer({ min: 0, max: 300_000 });
    fc.assert(
      fc.property(fc.array(worker, { minLength: 1, maxLength: 8 }), outage, (some, ended) => {
        const pods = some.map((_, index) => aPod({ uid: `pod-${index}` }));
        const workers = some.map(({ alive, silent, renewing }, index) =>
          aWorker({
            id: String(index),
            podUid: `pod-${index}`,
            alive,
            silentMs: silent,
            progress: someProgress({ heartbeatAt: NOW - silent, renewing }),
          }),
        );
        const canary = steadyCanary({ outages: [{ from: NOW - 600_000, to: NOW - ended }] });
        const next = nextOf(observed({ pods, store: aReadyStore({ workers, canary }) }));
        const chosen = next === undefined ? undefined : some[Number(next.slice(4))];
        const isRight = chosen && !chosen.alive && chosen.silent >= 90_000 && ended >= 90_000;
        expect(next === undefined || isRight).toBe(true);
      }),
    );
  });
});
