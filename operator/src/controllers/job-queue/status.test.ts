import { CONDITIONS, reasonMeaning } from "@jobqueue/crds";
import { describe, expect, it } from "vitest";
import type { Problem } from "../../plan/plan.ts";
import { conditionOf } from "../conditions.ts";
import {
  aDownStore,
  aHold,
  aJobQueue,
  aPod,
  aReadyStore,
  aRestart,
  aWorker,
  counts,
  itsDeployment,
  NOW,
  observed,
  someProgress,
  theSpecHold,
} from "../testing/builders.ts";
import type { StoredJobQueue } from "../kubernetes-objects.ts";
import { decide } from "./decide.ts";
import type { Observed, PodObserved } from "./observed.ts";
import { statusOf, type Told } from "./status.ts";

const SECOND = 1_000;
const stopHold = theSpecHold({ reason: "spec.state is Stopped" });

/** The status as a whole pass would write it. */
const report = (world: Observed, told: Told = {}, now = NOW) => statusOf(world, decide(world, now).problem, told, now);

/** The same world one pass later, with the status that was written. */
const written = (world: Observed, now = NOW): Observed => ({
  ...world,
  queue: { ...(world.queue as StoredJobQueue), status: report(world, {}, now).status },
});

/** Conditions as "type status reason". */
const said = (world: Observed, told: Told = {}): string[] =>
  (report(world, told).status.conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);

describe("the status of a JobQueue", () => {
  it("says everything about a queue at work", () => {
    const world = observed({
      queue: aJobQueue({ replicas: 3 }),
      store: aReadyStore({
        counts: counts({ pending: 1_234, running: 21, scheduled: 3, dead: 2, oldestPendingSeconds: 90 }),
        workers: [aWorker({ running: 2 }), aWorker({ id: "8", draining: true })],
      }),
    });
    expect(report(world).status).toEqual({
      observedGeneration: 1,
      queueName: "mailers",
      store: "shop/default",
      replicas: 3,
      selector: "jobqueue.dev/pool=mailers",
      workers: { desired: 3, ready: 3, busy: 1, hung: 0, draining: 1 },
      jobs: { pending: 1_200, running: 21, scheduled: 3, dead: 2 },
      oldestPendingSince: "2026-08-01T11:58:30Z",
      conditions: [
        { type: "Drained", status: "False", reason: "NotPaused", message: "No hold is in force: jobs start." },
        { type: "Healthy", status: "True", reason: "AllWorkersHealthy", message: "No worker is hung." },
        { type: "Paused", status: "False", reason: "Active", message: "No hold is in force." },
        {
          type: "Ready",
          status: "True",
          reason: "Reconciled",
          message: "The spec is in force in the store and in the cluster.",
        },
        { type: "WorkersAvailable", status: "True", reason: "MinimumAvailable", message: "3 of 3 workers are ready." },
      ].map((condition) => ({ ...condition, observedGeneration: 1, lastTransitionTime: "2026-08-01T12:00:00Z" })),
    });
  });

  it("is Ready while paused", () => {
    const world = observed({ queue: aJobQueue({ state: "Paused" }), store: aReadyStore({ holds: [theSpecHold()] }) });
    expect(said(world)).toEqual([
      "Drained True NoRunningJobs",
      "Healthy True AllWorkersHealthy",
      "Paused True PausedBySpec",
      "Ready True Reconciled",
      "WorkersAvailable True MinimumAvailable",
    ]);
  });

  it("is Ready with zero workers", () => {
    expect(said(observed({ queue: aJobQueue({ replicas: 0 }) }))).toEqual([
      "Drained False NotPaused",
      "Healthy True AllWorkersHealthy",
      "Paused False Active",
      "Ready True Reconciled",
      "WorkersAvailable False ScaledToZero",
    ]);
  });

  it.each([
    ["a hold of the spec", [theSpecHold()], "PausedBySpec"],
    ["a hold of a person", [aHold()], "PausedByHold"],
    ["a hold on the whole store", [aHold({ queue: "*" })], "PausedByHold"],
    ["both", [theSpecHold(), aHold()], "PausedBySpecAndHold"],
  ])("says who pauses: %s", (_sentence, holds, reason) => {
    const queue = aJobQueue({ state: holds.some(({ name }) => name === "spec") ? "Paused" : "Active" });
    expect(said(observed({ queue, store: aReadyStore({ holds }) }))).toContain(`Paused True ${reason}`);
  });

  it.each([
    ["runs something", 2, "Drained False JobsRunning"],
    ["runs nothing", 0, "Drained True NoRunningJobs"],
  ])("says whether a paused queue has come to rest: it %s", (_sentence, running, condition) => {
    expect(said(observed({ store: aReadyStore({ holds: [aHold()], counts: counts({ running }) }) }))).toContain(
      condition,
    );
  });

  it.each([
    ["met", { oldestPendingSeconds: 60, pending: 10 }, 10, 60, "True WithinTarget"],
    ["too old", { oldestPendingSeconds: 60 }, 1, 61, "False OldestJobTooOld"],
    ["too many", { pending: 10 }, 11, 61, "False TooManyPending"],
    ["met by an empty queue", { oldestPendingSeconds: 60, pending: 0 }, 0, undefined, "True WithinTarget"],
  ])("says whether its objectives are %s", (_sentence, objectives, pending, age, condition) => {
    const seen = counts({ pending, ...(age !== undefined && { oldestPendingSeconds: age }) });
    const world = observed({ queue: aJobQueue({ objectives }), store: aReadyStore({ counts: seen }) });
    expect(said(world)).toContain(`BacklogWithinTarget ${condition}`);
    expect(said(world)).toContain("Ready True Reconciled");
    expect(said({ ...world, store: aDownStore() })).toContain("BacklogWithinTarget Unknown StoreUnreachable");
  });

  it("counts the age on from when it was read", () => {
    const seen = counts({ pending: 1, oldestPendingSeconds: 50 });
    const queue = aJobQueue({ objectives: { oldestPendingSeconds: 60 } });
    const world = observed({ queue, store: aReadyStore({ counts: seen, at: NOW - 11_000 }) });
    expect(said(world)).toContain("BacklogWithinTarget False OldestJobTooOld");
  });

  it("says that a pause has ended by itself", () => {
    const queue = aJobQueue({ state: "Paused", pausedUntil: "2026-08-01T11:00:00Z" });
    expect(said(observed({ queue }))).toContain("Paused False PauseExpired");
    expect(conditionOf(report(observed({ queue })).status.conditions, "Paused")?.message).toBe(
      "spec.pausedUntil, 2026-08-01T11:00:00Z, has passed: no hold is in force.",
    );
  });

  it("is Ready when it has stopped, and tells that the workers have gone", () => {
    const queue = aJobQueue({ state: "Stopped", replicas: 3 });
    const deployment = itsDeployment({ ...queue, spec: { ...queue.spec, replicas: 0 } });
    const world = observed({ queue, deployment, store: aReadyStore({ holds: [stopHold] }) });
    expect(said(world)).toEqual([
      "Drained True NoRunningJobs",
      "Healthy True AllWorkersHealthy",
      "Paused True PausedBySpec",
      "Ready True Reconciled",
      "WorkersAvailable False Stopped",
    ]);
    expect(report(world).status.workers).toEqual({ desired: 0, ready: 0, busy: 0, hung: 0, draining: 0 });
  });

  it("lists the holds, the oldest first, with the names for the column", () => {
    const holds = [
      theSpecHold({ since: "2026-08-01T11:30:00Z" }),
      aHold({ until: "2026-08-01T18:00:00Z" }),
      aHold({ name: "freeze", queue: "*" }),
    ];
    const { status } = report(observed({ queue: aJobQueue({ state: "Paused" }), store: aReadyStore({ holds }) }));
    expect(status.pausedBy).toBe("*/freeze,incident-42,spec");
    expect(status.holds).toMatchObject([
      { name: "freeze", queue: "*" },
      { name: "incident-42", until: "2026-08-01T18:00:00Z" },
      { name: "spec" },
    ]);
    expect(conditionOf(status.conditions, "Paused")?.message).toBe(
      "Held by freeze (ana, on the whole store): SMTP is down; incident-42 (ana, until 2026-08-01T18:00:00Z): SMTP is down; spec: spec.state is Paused.",
    );
  });

  it("cuts what people wrote to what the CRD takes, so that the write is not refused", () => {
    const holds = Array.from({ length: 20 }, (_, number) =>
      aHold({ name: `${"é".repeat(200)}${number}`, reason: "🐢".repeat(300), actor: "x".repeat(300) }),
    );
    const { status } = report(observed({ store: aReadyStore({ holds }) }));
    expect(status.holds).toHaveLength(16);
    for (const hold of status.holds ?? []) {
      expect(Array.from(hold.name).length).toBeLessThanOrEqual(128);
      expect(Array.from(hold.reason ?? "").length).toBeLessThanOrEqual(256);
      expect(Array.from(hold.actor ?? "").length).toBeLessThanOrEqual(256);
    }
    expect(Array.from(status.pausedBy ?? "").length).toBeLessThanOrEqual(2080);
    expect(Array.from(conditionOf(status.conditions, "Paused")?.message ?? "").length).toBeLessThanOrEqual(4096);
  });

  it("says Unknown, not False, about what only the store knows, and keeps showing what was seen last", () => {
    const before = written(
      observed({ store: aReadyStore({ counts: counts({ pending: 7, oldestPendingSeconds: 5 }), holds: [aHold()] }) }),
    );
    const world = { ...before, store: aDownStore() };
    expect(said(world)).toEqual([
      "Drained Unknown StoreUnreachable",
      "Healthy Unknown StoreUnreachable",
      "Paused Unknown StoreUnreachable",
      "Ready Unknown StoreUnreachable",
      "WorkersAvailable True MinimumAvailable",
    ]);
    expect(report(world).status).toMatchObject({
      jobs: { pending: 7 },
      pausedBy: "incident-42",
      oldestPendingSince: "2026-08-01T11:59:55Z",
    });
  });

  it("tells a person to act only where a person must", () => {
    const foreign = observed({ deployment: { is: "foreign", owner: "Rollout x" } });
    expect(said(foreign)).toContain("Stalled True DeploymentConflict");
    expect(said(observed({ store: aDownStore() })).join()).not.toContain("Stalled");
  });

  it("drops Stalled when it is over", () => {
    const stalled = written(observed({ deployment: { is: "foreign", owner: "Rollout x" } }));
    expect(said({ ...observed(), queue: stalled.queue }).join()).not.toContain("Stalled");
  });

  it("tells what could not be carried out", () => {
    const problem: Problem = {
      reason: "WorkerRolloutFailed",
      sentence: "The API server forbids the Deployment.",
      ready: "False",
      needsPerson: true,
    };
    expect(said(observed(), { problem })).toContain("Ready False WorkerRolloutFailed");
  });

  it("remembers the last recovery until the next one", () => {
    const world = observed();
    const first = report(world, { recovered: { jobs: 12, reason: "PodGone" } }).status;
    expect(first.lastRecovery).toEqual({ time: "2026-08-01T12:00:00Z", jobs: 12, reason: "PodGone" });
    expect(
      report({ ...world, queue: { ...(world.queue as StoredJobQueue), status: first } }).status.lastRecovery,
    ).toEqual(first.lastRecovery);
  });

  it("has replicas and selector also for a queue without workers, since the scale subresource reads them", () => {
    const { status } = report(observed({ queue: aJobQueue({ workers: null }) }));
    expect(status).toMatchObject({ replicas: 0, selector: "jobqueue.dev/pool=mailers" });
    expect(status.workers).toBeUndefined();
  });
});

describe("WorkersAvailable", () => {
  const withoutWorkers = aJobQueue({ workers: null });
  it.each([
    ["nobody serves the queue", observed({ queue: withoutWorkers }), "False NoWorkersConfigured"],
    [
      "another pool serves it",
      observed({ queue: withoutWorkers, servedBy: [{ name: "high", ready: 2 }] }),
      "True ServedByOther",
    ],
    [
      "another pool would serve it",
      observed({ queue: withoutWorkers, servedBy: [{ name: "high", ready: 0 }] }),
      "False PodsNotReady",
    ],
    [
      "its own pool is at zero, another one serves it",
      observed({ queue: aJobQueue({ replicas: 0 }), servedBy: [{ name: "high", ready: 1 }] }),
      "True ServedByOther",
    ],
    [
      "its pool has no Deployment yet",
      observed({ deployment: { is: "absent" }, store: aDownStore() }),
      "False PodsNotReady",
    ],
  ])("%s", (_sentence, world, verdict) => {
    expect(said(world)).toContain(`WorkersAvailable ${verdict}`);
  });
});

describe("Ready follows the roll-out as kubectl rollout status does", () => {
  const queue = aJobQueue({ replicas: 3 });
  const up = { observedGeneration: 4, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
  const late = { conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }] };
  const refused = {
    conditions: [{ type: "ReplicaFailure", status: "True", message: 'pods "x" is forbidden: exceeded quota' }],
  };
  it.each([
    ["all workers are up", up, "Ready True Reconciled"],
    ["the change was not looked at yet", { ...up, observedGeneration: 3 }, "Ready False Progressing"],
    ["some workers are not up to date", { ...up, updatedReplicas: 1 }, "Ready False Progressing"],
    ["old workers are still there", { ...up, replicas: 4 }, "Ready False Progressing"],
    ["some workers are not available", { ...up, availableReplicas: 2 }, "Ready False Progressing"],
    ["it took too long", { ...up, availableReplicas: 2, ...late }, "Ready False WorkerRolloutFailed"],
    ["K9: pods are refused", { ...up, replicas: 2, updatedReplicas: 2, ...refused }, "Ready False WorkerRolloutFailed"],
    [
      "K9: the pods of an update are refused",
      { ...up, updatedReplicas: 1, ...refused },
      "Ready False WorkerRolloutFailed",
    ],
    ["K9: a surplus pod was refused, but all are up", { ...up, ...refused }, "Ready True Reconciled"],
    ["it took too long, but is done now", { ...up, ...late }, "Ready True Reconciled"],
  ])("%s", (_sentence, status, verdict) => {
    expect(said(observed({ queue, deployment: itsDeployment(queue, { status }) }))).toContain(verdict);
  });
});

describe("a status is written only when there is something to say", () => {
  const pending = (number: number, oldestPendingSeconds = 60, at = NOW) =>
    aReadyStore({ at, counts: counts({ pending: number, oldestPendingSeconds }) });

  it("is not written again when nothing changed, however much later", () => {
    const world = written(observed());
    expect(report(world, {}, NOW + 3_600 * SECOND)).toMatchObject({ differs: false, lookAgainMs: undefined });
  });

  it("is not written for an oldest job that just waits on, although its age grows", () => {
    const world = written(observed({ store: pending(5) }));
    const later = NOW + 300 * SECOND;
    expect(report({ ...world, store: pending(5, 360, later) }, {}, later).differs).toBe(false);
  });

  it("is not written for an age that trembles, as ages of two clocks do", () => {
    const world = written(observed({ store: pending(5) }));
    expect(report({ ...world, store: pending(5, 63) }).differs).toBe(false);
  });

  it("holds counts back for 15 seconds after the last ones, and says when to look again", () => {
    const world = { ...written(observed({ store: pending(5) })), store: pending(6), countsWrittenAt: NOW - 5 * SECOND };
    expect(report(world)).toMatchObject({ differs: false, lookAgainMs: 10 * SECOND, status: { jobs: { pending: 5 } } });
    expect(report({ ...world, countsWrittenAt: NOW - 15 * SECOND })).toMatchObject({
      differs: true,
      countsOnly: true,
      status: { jobs: { pending: 6 } },
    });
  });

  it("tells at once that the first job came, and that the last one went", () => {
    const idle = observed();
    const busy = observed({ store: pending(5) });
    const justWritten = { countsWrittenAt: NOW };
    expect(report({ ...written(idle), store: pending(5), ...justWritten }).differs).toBe(true);
    expect(report({ ...written(busy), store: aReadyStore(), ...justWritten })).toMatchObject({
      differs: true,
      status: { jobs: { pending: 0 } },
    });
    expect(
      report({ ...written(busy), store: aReadyStore(), ...justWritten }).status.oldestPendingSince,
    ).toBeUndefined();
  });

  describe("while workers are being started", () => {
    const pool = aJobQueue({ replicas: 3 });
    const withReady = (ready: number): Observed => {
      const status = { observedGeneration: 4, replicas: 3, updatedReplicas: 3, readyReplicas: ready };
      return observed({
        queue: pool,
        deployment: itsDeployment(pool, { status: { ...status, availableReplicas: ready } }),
      });
    };
    const begun = written(withReady(0));
    const then = (world: Observed, secondsAgo: number) =>
      report({ ...world, queue: begun.queue, countsWrittenAt: NOW - secondsAgo * SECOND });

    it("tells how far that is at most every two seconds, and says when to look again", () => {
      expect(then(withReady(1), 0.5)).toMatchObject({ differs: false, lookAgainMs: 1.5 * SECOND });
      expect(then(withReady(1), 0.5).status).toEqual(begun.queue?.status);
      expect(then(withReady(1), 2)).toMatchObject({ differs: true, status: { workers: { ready: 1 } } });
    });

    it("tells at once that they are there", () => {
      expect(then(withReady(3), 0)).toMatchObject({ differs: true, status: { workers: { ready: 3 } } });
    });

    it("tells at once of a pause, of what is in the way, and that the first job came", () => {
      expect(then({ ...withReady(1), store: aReadyStore({ holds: [aHold()] }) }, 0).differs).toBe(true);
      expect(then({ ...withReady(1), store: aDownStore() }, 0).differs).toBe(true);
      expect(then({ ...withReady(1), store: pending(5) }, 0).differs).toBe(true);
    });
  });

  it("brings the counts along whenever it is written for another reason", () => {
    const world = {
      ...written(observed({ store: pending(5) })),
      store: { ...pending(6), holds: [aHold()] },
      countsWrittenAt: NOW,
    };
    expect(report(world)).toMatchObject({ differs: true, countsOnly: false, status: { jobs: { pending: 6 } } });
  });

  it("is not silenced by a wall clock that was set back", () => {
    const world = {
      ...written(observed({ store: pending(5) })),
      store: pending(6),
      countsWrittenAt: NOW + 3_600 * SECOND,
    };
    expect(report(world).differs).toBe(true);
  });

  it("moves lastTransitionTime with the status of a condition and not with its message", () => {
    const queue = aJobQueue({ replicas: 3 });
    const ready = (readyReplicas: number) =>
      itsDeployment(queue, {
        status: {
          observedGeneration: 4,
          replicas: 3,
          updatedReplicas: 3,
          readyReplicas,
          availableReplicas: readyReplicas,
        },
      });
    const world = written(observed({ queue, deployment: ready(3) }));
    const { conditions } = report({ ...world, deployment: ready(2) }, {}, NOW + 60 * SECOND).status;
    expect(conditionOf(conditions, "WorkersAvailable")).toMatchObject({
      message: "2 of 3 workers are ready.",
      lastTransitionTime: "2026-08-01T12:00:00Z",
    });
    expect(conditionOf(conditions, "Ready")).toMatchObject({
      status: "False",
      lastTransitionTime: "2026-08-01T12:01:00Z",
    });
  });
});

describe("what the status says is in the table of conditions", () => {
  const worlds: Observed[] = [
    observed(),
    observed({ store: aDownStore() }),
    observed({ store: { is: "absent" } }),
    observed({ store: aReadyStore({ holds: [aHold()] }) }),
    observed({ queue: aJobQueue({ workers: null }) }),
    observed({ deployment: { is: "foreign", owner: "x" } }),
    observed({ rivals: [{ name: "other", uid: "0", creationTimestamp: "2026-07-01T00:00:00Z" }] }),
  ];
  it("type, reason and status agree", () => {
    for (const { type, reason, status } of worlds.flatMap((world) => report(world).status.conditions ?? [])) {
      expect(reasonMeaning("JobQueue", type, reason)?.status, `${type} ${reason}`).toContain(status);
    }
    expect(Object.keys(CONDITIONS.JobQueue)).toEqual([
      "Ready",
      "Paused",
      "Drained",
      "WorkersAvailable",
      "Healthy",
      "RestartsSuspended",
      "BacklogWithinTarget",
      "ReconcileSuspended",
      "Stalled",
    ]);
  });
});

describe("pods that cannot run their worker", () => {
  const queue = aJobQueue({ replicas: 2 });
  const status = { observedGeneration: 4, replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 };
  const image = { reason: "ImagePullFailed", sentence: "the image x of container worker cannot be pulled" } as const;
  const silent = { reason: "NodeUnreachable", sentence: "the node node-2 of pod b does not answer" } as const;
  const pool = (ready: number, ...pods: PodObserved[]) =>
    observed({
      queue,
      pods,
      deployment: itsDeployment(queue, { status: { ...status, readyReplicas: ready, availableReplicas: ready } }),
    });
  const message = (world: Observed, type: string) => conditionOf(report(world).status.conditions, type)?.message;

  it("N4: have a reason of their own, in Ready and, when no other runs, in WorkersAvailable", () => {
    const some = pool(1, aPod(), aPod({ uid: "2", name: "b", trouble: image }));
    expect(said(some)).toEqual(
      expect.arrayContaining(["Ready False ImagePullFailed", "WorkersAvailable True MinimumAvailable"]),
    );
    expect(message(some, "Ready")).toBe(
      "1 of 2 workers are available: the image x of container worker cannot be pulled.",
    );
    const none = pool(0, aPod({ trouble: image }), aPod({ uid: "2", name: "b", trouble: image }));
    expect(said(none)).toContain("WorkersAvailable False ImagePullFailed");
    expect(message(none, "WorkersAvailable")).toBe(
      "None of 2 workers is ready: the image x of container worker cannot be pulled (and 1 other pod).",
    );
  });

  it("N1, N2: a pod that should go from a node that does not answer is told of while its replacement works", () => {
    const world = pool(
      2,
      aPod(),
      aPod({ uid: "2", name: "b", node: "node-2", leaving: true, trouble: silent }),
      aPod({ uid: "3" }),
    );
    expect(said(world)).toEqual(
      expect.arrayContaining(["Ready True Reconciled", "WorkersAvailable True MinimumAvailable"]),
    );
    expect(message(world, "WorkersAvailable")).toBe(
      "2 of 2 workers are ready. That pod b has ended is awaited: the node node-2 does not answer. Its jobs run elsewhere once their lease is over.",
    );
  });

  it("do not matter when the pool is complete", () => {
    expect(said(pool(2, aPod(), aPod({ uid: "2", trouble: image })))).toContain("Ready True Reconciled");
  });
});

describe("Healthy", () => {
  const silent = { alive: false, silentMs: 100_000, progress: someProgress({ heartbeatAt: NOW - 100_000 }) };
  const pods = ["a", "b", "c"].map((name) => aPod({ uid: name, name }));
  const workers = pods.map(({ uid }, index) => aWorker({ id: uid, podUid: uid, ...(index === 0 && silent) }));
  const world = (some: Partial<Observed> = {}, store: Parameters<typeof aReadyStore>[0] = {}): Observed => {
    const queue = aJobQueue({ replicas: 3 });
    const ready = aReadyStore({ workers, ...store });
    return observed({ queue, pods, deployment: itsDeployment(queue), store: ready, ...some });
  };
  const message = (one: Observed): string | undefined => conditionOf(report(one).status.conditions, "Healthy")?.message;
  const restarted = (some: Parameters<typeof aRestart>[0]) =>
    message(world({}, { restarts: [aRestart({ pod: "a", podUid: "a", isOpen: true, ...some })] }));

  it("says which worker is hung and what becomes of it", () => {
    expect(message(world())).toBe(
      "1 of 3 workers is hung: the worker of pod a has written no heartbeat. It is replaced.",
    );
    expect(message(world({ watchesCurrent: false }))).toBe(
      "1 of 3 workers is hung: the worker of pod a has written no heartbeat. The condition RestartsSuspended says why it is not replaced now.",
    );
  });

  it("says how far its replacement has come", () => {
    const begin =
      "1 of 3 workers is hung: the worker of pod a is being replaced, because it was hung (HeartbeatLapsed).";
    expect(restarted({ state: "open" })).toBe(begin);
    expect(restarted({ state: "recovered" })).toBe(
      `${begin} Its lease was taken away, so that it changes nothing any more.`,
    );
    expect(restarted({ state: "evicted" })).toBe(
      `${begin} Its jobs were handed on and the pod is being removed: its node has not confirmed yet that it is gone.`,
    );
  });

  it("is not about the worker that a person wants restarted while another one is hung", () => {
    const asked = aRestart({ pod: "b", podUid: "b", isOpen: true, asked: true, reason: "Requested" });
    expect(message(world({}, { restarts: [asked] }))).toBe(
      "1 of 3 workers is hung: the worker of pod a has written no heartbeat. The condition RestartsSuspended says why it is not replaced now.",
    );
  });
});
