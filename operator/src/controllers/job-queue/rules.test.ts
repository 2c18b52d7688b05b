import { describe, expect, it } from "vitest";
import type { Action } from "../../plan/action.ts";
import type { Finding } from "../../plan/plan.ts";
import {
  aDownStore,
  aHold,
  aJobQueue,
  aJobStore,
  aPod,
  aPolicy,
  aReadyStore,
  aWorker,
  aWorkerByHand,
  counts,
  itsDeployment,
  NOW,
  observed,
  someWorkers,
  theSpecHold,
} from "../testing/builders.ts";
import type { JobQueueSchedule } from "@jobqueue/crds";
import type { StoredJobQueue } from "../kubernetes-objects.ts";
import type { PolicySeen, ScheduleSeen } from "../job-store/store-view.ts";
import { specActor } from "../spec-hold.ts";
import { decide } from "./decide.ts";
import type { Observed, StoreObserved } from "./observed.ts";
import { conflict } from "./rules/conflict.ts";
import { FINALIZER } from "./desired/names.ts";
import { deletion } from "./rules/deletion.ts";
import { finalizer } from "./rules/finalizer.ts";
import { hold } from "./rules/hold.ts";
import { objectives } from "./rules/objectives.ts";
import { policy } from "./rules/policy.ts";
import { queueKnown } from "./rules/queue-known.ts";
import { recovery } from "./rules/recovery.ts";
import { requests } from "./rules/requests.ts";
import { schedules } from "./rules/schedules.ts";
import { store } from "./rules/store.ts";
import { suspended } from "./rules/suspended.ts";
import { validity } from "./rules/validity.ts";
import { workers } from "./rules/workers.ts";

/** What a finding says, without its sentences. */
function gist({ actions = [], problem, halt }: Finding): object {
  return {
    ...(actions.length > 0 && { do: actions.map((action) => `${action.do} ${action.reason}`) }),
    ...(problem && {
      problem: `${problem.ready} ${problem.reason}${problem.needsPerson ? ", a person must act" : ""}`,
    }),
    ...(halt && { halt }),
  };
}

/** Waits as the store has them. */
const retry = { exponential: { initialSeconds: 1, maxSeconds: 9 } };

type Row = readonly [sentence: string, observation: Observed, found: object];
const table = (rule: (observation: Observed, now: number) => Finding, rows: readonly Row[]) => {
  it.each(rows)("%s", (_sentence, observation, found) => {
    expect(gist(rule(observation, NOW))).toEqual(found);
  });
};

describe("rule deletion", () => {
  table(deletion, [
    ["leaves alone what is gone", observed({ queue: undefined }), { halt: true }],
    [
      "leaves alone what is being deleted",
      observed({ queue: aJobQueue({}, { metadata: { deletionTimestamp: "2026-08-01T11:59:00Z" } }) }),
      { halt: true },
    ],
    ["says nothing about what exists", observed(), {}],
  ]);
});

describe("rules deletion and finalizer", () => {
  const going = (
    deletionPolicy: "Retain" | "Delete" | "DeleteIfEmpty",
    found: StoreObserved,
    some: Partial<Observed> = {},
    metadata = {},
  ) =>
    observed({
      queue: aJobQueue(
        { deletionPolicy },
        {
          metadata: { deletionTimestamp: "2026-08-01T11:59:00Z", finalizers: ["x/y", FINALIZER], ...metadata },
          status: {
            jobs: { pending: 0 },
            conditions: [
              {
                type: "Ready",
                status: "True",
                reason: "Reconciled",
                message: "",
                lastTransitionTime: "2026-08-01T11:00:00Z",
              },
            ],
          },
        },
      ),
      store: found,
      ...some,
    });
  const letGo = { do: ["setFinalizers Deleting"], halt: true };
  const deletes = { do: ["deleteQueue Deleting", "setFinalizers Deleting"], halt: true };
  const held = aReadyStore({ holds: [theSpecHold({ reason: "JobQueue shop/mailers is being deleted" })] });
  const running = counts({ running: 1 });
  table(deletion, [
    ["without our finaliser it is left alone", going("Delete", held, {}, { finalizers: ["x/y"] }), { halt: true }],
    ["Retain, written late, lets it go", going("Retain", held), letGo],
    ["an empty queue is deleted", going("DeleteIfEmpty", aReadyStore()), deletes],
    [
      "a queue is held before it is deleted with its jobs",
      going("Delete", aReadyStore()),
      { ...deletes, do: ["setHold Deleting", ...deletes.do] },
    ],
    ["and held only once", going("Delete", held), deletes],
    [
      "O1: one that is deleted already, by a leader that died then, is not made to be deleted again",
      going("Delete", { ...aReadyStore(), counts: undefined, policy: undefined }),
      letGo,
    ],
    [
      "the hold of a queue that has nothing else goes with it",
      going("Delete", { ...held, counts: undefined, policy: undefined }),
      deletes,
    ],
    [
      "jobs that run are waited for",
      going("Delete", { ...held, counts: running }),
      { do: ["wait DeletionBlocked"], problem: "False DeletionBlocked", halt: true },
    ],
    [
      "so is a store that does not answer",
      going("Delete", aDownStore()),
      { do: ["wait DeletionBlocked"], problem: "Unknown DeletionBlocked", halt: true },
    ],
    ["a JobStore that is gone is not waited for", going("Delete", { is: "absent" }), letGo],
    [
      "a queue that another JobQueue is there for is not deleted",
      going("Delete", held, { rivals: [{ name: "other", uid: "9", creationTimestamp: "2026-08-01T11:00:00Z" }] }),
      letGo,
    ],
  ]);
  it("an object that never was in force deletes nothing", () => {
    const world = going("Delete", aReadyStore());
    const { status: _, ...queue } = world.queue as StoredJobQueue;
    expect(gist(deletion({ ...world, queue }))).toEqual(letGo);
  });
  const having = (deletionPolicy: "Retain" | "Delete", finalizers: string[]) =>
    observed({ queue: aJobQueue({ deletionPolicy }, { metadata: { finalizers } }) });
  table(finalizer, [
    ["Retain has none", having("Retain", []), {}],
    ["Delete gets one", having("Delete", []), { do: ["setFinalizers FinalizerDiffers"] }],
    ["once", having("Delete", [FINALIZER]), {}],
    ["and loses it with Retain", having("Retain", ["x/y", FINALIZER]), { do: ["setFinalizers FinalizerDiffers"] }],
  ]);
  it("leaves the finalisers of others alone", () => {
    expect(finalizer(having("Retain", ["x/y", FINALIZER])).actions).toMatchObject([{ finalizers: ["x/y"] }]);
    expect(deletion(going("Retain", held)).actions).toMatchObject([{ finalizers: ["x/y"] }]);
  });
});

describe("rule conflict", () => {
  const rival = (creationTimestamp: string, uid = "99999999-aaaa-4aaa-8aaa-000000000009") => ({
    name: "other",
    uid,
    creationTimestamp,
  });
  const lost = { problem: "False QueueConflict, a person must act", halt: true };
  table(conflict, [
    ["an older rival wins", observed({ rivals: [rival("2026-08-01T09:59:59Z")] }), lost],
    ["a younger rival loses", observed({ rivals: [rival("2026-08-01T10:00:01Z")] }), {}],
    [
      "of two of one second the lower UID wins",
      observed({ rivals: [rival("2026-08-01T10:00:00Z", "00000000-aaaa-4aaa-8aaa-000000000000")] }),
      lost,
    ],
    ["and the higher UID loses", observed({ rivals: [rival("2026-08-01T10:00:00Z")] }), {}],
    [
      "one older rival among younger ones is enough",
      observed({ rivals: [rival("2026-08-02T00:00:00Z"), rival("2026-07-01T00:00:00Z")] }),
      lost,
    ],
    ["a queue without rivals is nobody's", observed(), {}],
  ]);

  it("names the winner and says what to do", () => {
    const { problem } = conflict(observed({ rivals: [rival("2026-07-01T00:00:00Z")] }));
    expect(problem?.sentence).toMatch(/^JobQueue other is older .* Delete one of the two/);
  });
});

describe("rule validity", () => {
  const invalid = { problem: "False InvalidPodTemplate, a person must act" };
  const container = { name: "worker", image: "x" };
  const withTemplate = (containers: object[]) =>
    observed({
      queue: aJobQueue({ workers: someWorkers({ template: { spec: { containers: containers as never } } }) }),
      desired: undefined,
      deployment: { is: "absent" },
    });
  table(validity, [
    ["a queue without workers is valid", observed({ queue: aJobQueue({ workers: null }) }), {}],
    ["a pool as the CRD wants it is valid", observed(), {}],
    ["no container is named worker", withTemplate([{ ...container, name: "main" }]), invalid],
    [
      "the template sets a variable of the operator by its prefix",
      withTemplate([{ ...container, env: [{ name: "JOBQUEUE_POOL", value: "x" }] }]),
      invalid,
    ],
    [
      "the template sets a variable of the operator by its name",
      withTemplate([{ ...container, env: [{ name: "DATABASE_URL", value: "x" }] }]),
      invalid,
    ],
    [
      "another container may call its variables as it likes",
      withTemplate([container, { name: "sidecar", image: "x", env: [{ name: "POD_UID", value: "x" }] }]),
      {},
    ],
    [
      "the pool serves its own queue twice",
      observed({ queue: aJobQueue({ workers: someWorkers({ alsoServes: ["mailers"] }) }) }),
      invalid,
    ],
    [
      "the pool serves another queue twice",
      observed({ queue: aJobQueue({ workers: someWorkers({ alsoServes: ["slow", "slow"] }) }) }),
      invalid,
    ],
  ]);
});

describe("rule store", () => {
  const seen = (found: StoreObserved) => observed({ store: found });
  const down = (reason: "AuthFailed" | "Timeout"): StoreObserved => ({
    is: "unusable",
    jobStore: aJobStore(),
    view: { is: "down", reason, sentence: "…" },
  });
  const starting: StoreObserved = { is: "unusable", jobStore: aJobStore(), view: { is: "starting" } };
  table(store, [
    ["a store that answers is no problem", seen(aReadyStore()), {}],
    ["there is no JobStore of the name", seen({ is: "absent" }), { problem: "False StoreNotFound" }],
    ["the store does not answer", seen(down("Timeout")), { problem: "Unknown StoreUnreachable" }],
    ["the store refuses the credentials", seen(down("AuthFailed")), { problem: "Unknown StoreAuthFailed" }],
    [
      "the store has not been reached yet, and nobody has said anything about the queue before",
      seen(starting),
      { problem: "Unknown Progressing" },
    ],
    [
      "the store has not been reached yet by a new leader: what the last one wrote stands",
      observed({ store: starting, queue: aJobQueue({}, { status: { conditions: [] } }) }),
      { halt: true },
    ],
    [
      "the schema is being installed",
      seen({ is: "incompatible", jobStore: aJobStore(), settling: true, sentence: "…" }),
      { problem: "False Progressing" },
    ],
    [
      "the schema is too new",
      seen({ is: "incompatible", jobStore: aJobStore(), settling: false, sentence: "…" }),
      { problem: "False SchemaIncompatible" },
    ],
  ]);
});

describe("rule queue-known", () => {
  table(queueKnown, [
    ["the store knows the queue", observed(), {}],
    [
      "the store does not know the queue",
      observed({ store: aReadyStore({ counts: undefined }) }),
      { do: ["ensureQueue QueueMissing"] },
    ],
    ["a store that does not answer is not written to", observed({ store: aDownStore() }), {}],
  ]);
});

describe("rule hold", () => {
  const paused = aJobQueue({ state: "Paused", pauseReason: "SMTP is down" });
  const inForce = theSpecHold({ reason: "SMTP is down" });
  const seen = (queue: typeof paused, ...holds: ReturnType<typeof aHold>[]) =>
    observed({ queue, store: aReadyStore({ holds }) });
  const set = { do: ["setHold PausedBySpec"] };
  const stopped = aJobQueue({ state: "Stopped" });
  const later = "2026-08-01T18:00:00Z";
  const soon = "2026-08-01T12:00:01Z";
  const until = (pausedUntil: string) => aJobQueue({ ...paused.spec, workers: someWorkers(), pausedUntil });
  const ends = { ...inForce, until: later };
  const stoppedUntil = aJobQueue({ state: "Stopped", pausedUntil: later });
  table(hold, [
    ["Paused without the hold sets it", seen(paused), set],
    ["Paused with the hold is left alone", seen(paused, inForce), {}],
    ["a hold with another reason is corrected", seen(paused, { ...inForce, reason: "spec.state is Paused" }), set],
    ["a hold that would expire is corrected", seen(paused, { ...inForce, until: "2026-08-01T13:00:00Z" }), set],
    ["a hold `spec` that somebody else set is corrected", seen(paused, { ...inForce, actor: "ana" }), set],
    ["a hold `spec` from another source is corrected", seen(paused, { ...inForce, source: "cli" }), set],
    ["a hold of another name does not count as ours", seen(paused, aHold()), set],
    ["a hold `spec` on the whole store does not count as ours", seen(paused, { ...inForce, queue: "*" }), set],
    ["Active without holds does nothing", seen(aJobQueue()), {}],
    ["Active releases our hold", seen(aJobQueue(), inForce), { do: ["releaseHold ActiveBySpec"] }],
    [
      "Active releases a hold `spec` whoever set it: the queue has one owner",
      seen(aJobQueue(), { ...inForce, actor: "ana" }),
      { do: ["releaseHold ActiveBySpec"] },
    ],
    ["Active touches nobody else's hold", seen(aJobQueue(), aHold(), aHold({ queue: "*", name: "freeze" })), {}],
    ["a store that does not answer is not written to", observed({ queue: paused, store: aDownStore() }), {}],
    ["Stopped without the hold sets it", seen(aJobQueue({ state: "Stopped" })), set],
    ["Stopped with the hold is left alone", seen(stopped, theSpecHold({ reason: "spec.state is Stopped" })), {}],
    ["Stopped has no end, whatever an old pausedUntil says", seen(stoppedUntil), set],
    ["a pause that ends sets a hold that ends", seen(until("2026-08-01T12:00:02Z")), set],
    ["and is left alone", seen(until(later), { ...inForce, until: later }), {}],
    ["an end is compared as a time, in whole seconds", seen(until("2026-08-01T20:00:00.7+02:00"), ends), {}],
    ["another end is corrected", seen(until("2026-08-01T18:00:01Z"), { ...inForce, until: later }), set],
    ["an end that was taken away is corrected", seen(paused, { ...inForce, until: later }), set],
    ["a pause whose end has passed is not set again", seen(until("2026-08-01T11:59:59Z")), {}],
    ["nor one that ends within the second", seen(until("2026-08-01T12:00:01Z")), {}],
    [
      "what counts is the clock of the database",
      observed({ queue: until("2026-08-01T12:00:20Z"), store: aReadyStore({ clockAheadMs: 60_000 }) }),
      {},
    ],
    [
      "an end in the past ends a pause that had none",
      seen(until("2026-08-01T11:00:00Z"), inForce),
      { do: ["releaseHold PauseExpired"] },
    ],
    ["a pause with an end is not ended early", seen(until(soon), { ...inForce, until: soon }), {}],
    ["Active with an old end is active", seen(aJobQueue({ pausedUntil: later })), {}],
  ]);

  it("says whose hold it is: the JobQueue, and the JobStore by its UID", () => {
    const [action] = hold(seen(paused), NOW).actions ?? [];
    expect(action).toMatchObject({
      queue: "mailers",
      hold: "spec",
      source: "spec",
      because: "SMTP is down",
      actor: "jobqueue-operator:shop/mailers@1f9a2b3c",
    });
  });

  it("holds the queue under its own name where that differs from the object's", () => {
    const queue = aJobQueue({ state: "Paused", queueName: "mail.outgoing" });
    expect(hold(observed({ queue }), NOW).actions).toMatchObject([
      { queue: "mail.outgoing", actor: specActor("shop/mailers", aJobStore()) },
    ]);
  });
});

describe("rule policy", () => {
  const wants = (spec: Parameters<typeof aJobQueue>[0], there: PolicySeen = aPolicy()) =>
    observed({ queue: aJobQueue(spec), store: aReadyStore({ policy: there }) });
  const writes = { do: ["configureQueue PolicyDiffers"] };
  const exponential = { initialSeconds: 5, maxSeconds: 60 };
  table(policy, [
    ["what the spec leaves out is nobody's business", wants({}, aPolicy({ maxRunning: 7, onWorkerLoss: "hold" })), {}],
    ["a limit", wants({ concurrency: 5 }), writes],
    ["that is in force", wants({ concurrency: 5 }, aPolicy({ maxRunning: 5 })), {}],
    ["attempts", wants({ retry: { maxAttempts: 3 } }), writes],
    ["that are in force", wants({ retry: { maxAttempts: 3 } }, aPolicy({ maxAttempts: 3, retry })), {}],
    ["waits", wants({ retry: { exponential } }, aPolicy({ maxAttempts: 3 })), writes],
    ["that are in force", wants({ retry: { exponential } }, aPolicy({ retry: { exponential } })), {}],
    ["other waits", wants({ retry: { intervalsSeconds: [1, 5] } }, aPolicy({ retry })), writes],
    ["a result that is not kept", wants({ resultTTLSeconds: 0 }), writes],
    ["a timeout", wants({ timeoutSeconds: 9 }, aPolicy({ timeoutSeconds: 10 })), writes],
    ["a policy for losses", wants({ onWorkerLoss: "Hold" }), writes],
    ["that is the default", wants({ onWorkerLoss: "Retry" }), {}],
    [
      "of a queue that the store does not know",
      observed({ queue: aJobQueue({ onWorkerLoss: "Retry" }), store: aReadyStore({ policy: undefined }) }),
      writes,
    ],
    ["a store that does not answer", observed({ queue: aJobQueue({ concurrency: 5 }), store: aDownStore() }), {}],
  ]);

  it("writes only what differs, and says for whom", () => {
    const queue = aJobQueue({ concurrency: 5, timeoutSeconds: 60, onWorkerLoss: "Fail" });
    const world = observed({ queue, store: aReadyStore({ policy: aPolicy({ timeoutSeconds: 60 }) }) });
    expect(policy(world).actions).toMatchObject([
      { policy: { maxRunning: 5, onWorkerLoss: "fail" }, actor: "jobqueue-operator:shop/mailers" },
    ]);
  });
});

describe("rule schedules", () => {
  const nightly = { name: "nightly", cron: "0 2 * * *", kind: "cleanup" } as const;
  const inForce: ScheduleSeen = {
    name: "mailers/nightly",
    queue: "mailers",
    kind: "cleanup",
    payload: {},
    options: {},
    cron: "0 2 * * *",
    timeZone: "UTC",
    missedTicks: "once",
    maxMissed: 100,
    paused: false,
    owner: specActor("shop/mailers", aJobStore()),
  };
  const wants = (wanted: readonly JobQueueSchedule[], ...there: ScheduleSeen[]) =>
    observed({ queue: aJobQueue({ schedules: [...wanted] }), store: aReadyStore({ schedules: there }) });
  const puts = { do: ["putSchedule ScheduleDiffers"] };
  table(schedules, [
    ["one that is missing is put", wants([nightly]), puts],
    ["one that is in force is left alone", wants([nightly], inForce), {}],
    ["another time is put", wants([{ ...nightly, cron: "0 3 * * *" }], inForce), puts],
    ["another time zone is put", wants([{ ...nightly, timeZone: "Europe/Berlin" }], inForce), puts],
    ["a priority is put", wants([{ ...nightly, priority: 5 }], inForce), puts],
    [
      "a priority that is in force is not",
      wants([{ ...nightly, priority: 5 }], { ...inForce, options: { priority: 5 } }),
      {},
    ],
    [
      "keys of a payload have no order",
      wants([{ ...nightly, payload: { b: 1, a: 2 } }], { ...inForce, payload: { a: 2, b: 1 } }),
      {},
    ],
    ["one of the name that is somebody else's becomes ours", wants([nightly], { ...inForce, owner: null }), puts],
    ["one that the spec has no longer is deleted", wants([], inForce), { do: ["deleteSchedule ScheduleRemoved"] }],
    ["one that people put stays", wants([], { ...inForce, owner: null }), {}],
    ["so does one of another cluster", wants([], { ...inForce, owner: "jobqueue-operator:shop/mailers@deadbeef" }), {}],
    ["whether it is paused is left to people", wants([nightly], { ...inForce, paused: true }), {}],
    [
      "unless the spec says that it is",
      wants([{ ...nightly, state: "Paused" }], inForce),
      { do: ["pauseSchedule ScheduleDiffers"] },
    ],
    [
      "or that it is not",
      wants([{ ...nightly, state: "Active" }], { ...inForce, paused: true }),
      { do: ["pauseSchedule ScheduleDiffers"] },
    ],
    [
      "a new one that is paused is put and paused",
      wants([{ ...nightly, state: "Paused" }]),
      { do: ["putSchedule ScheduleDiffers", "pauseSchedule ScheduleDiffers"] },
    ],
    [
      "one that cannot be leaves all as they are",
      { ...wants([], inForce), invalidSchedule: "spec.schedules[x]: …" },
      { problem: "False InvalidSpec, a person must act" },
    ],
    [
      "a store that does not answer is not written to",
      observed({ queue: aJobQueue({ schedules: [nightly] }), store: aDownStore() }),
      {},
    ],
  ]);
});

describe("rule objectives", () => {
  const seen = (oldestPendingSeconds: number | undefined, more = {}) =>
    observed({
      queue: aJobQueue({ objectives: { oldestPendingSeconds: 300 } }),
      store: aReadyStore({
        counts: counts({ pending: 1, ...(oldestPendingSeconds !== undefined && { oldestPendingSeconds }) }),
        ...more,
      }),
    });
  it("looks again when the oldest job becomes too old", () => {
    expect(objectives(seen(100), NOW).actions).toMatchObject([{ do: "wait", ms: 200_001 }]);
    expect(objectives(seen(100, { at: NOW - 3_000 }), NOW).actions).toMatchObject([{ do: "wait", ms: 197_001 }]);
    expect(objectives(seen(301), NOW)).toEqual({});
    expect(objectives(seen(undefined), NOW)).toEqual({});
  });
});

describe("a store of another namespace", () => {
  const elsewhere = (pool: ReturnType<typeof someWorkers> | null, some: Partial<Observed> = {}) =>
    observed({
      queue: aJobQueue({ storeRef: { name: "default", namespace: "platform" }, workers: pool }),
      deployment: { is: "absent" },
      desired: undefined,
      ...some,
    });
  const refused = (known: boolean): StoreObserved => ({ is: "notAllowed", known, sentence: "…" });
  const own = someWorkers({ storeCredentials: { uriSecretRef: { name: "own", key: "uri" } } });
  const withCa = aJobStore({
    connection: {
      uriSecretRef: { name: "db", key: "uri" },
      tls: { mode: "VerifyFull", caSecretRef: { name: "ca", key: "ca.crt" } },
    },
  });
  table(store, [
    [
      "that does not let this one in is told, and needs a person",
      elsewhere(null, { store: refused(true) }),
      { problem: "False StoreNotAllowed, a person must act" },
    ],
    [
      "of which that cannot be told is unknown",
      elsewhere(null, { store: refused(false) }),
      { problem: "Unknown StoreNotAllowed, a person must act" },
    ],
    [
      "that comes later is waited for",
      elsewhere(null, { store: { is: "absent" } }),
      { problem: "False StoreNotFound" },
    ],
  ]);
  table(validity, [
    ["a queue without workers needs no credentials", elsewhere(null), {}],
    [
      "workers without credentials of their own cannot run",
      elsewhere(someWorkers()),
      { problem: "False StoreCredentialsMissing, a person must act" },
    ],
    ["workers with credentials of their own can", elsewhere(own), {}],
    [
      "a CA certificate of the store has to be theirs as well",
      elsewhere(own, { store: aReadyStore({ jobStore: withCa }) }),
      { problem: "False StoreCredentialsMissing, a person must act" },
    ],
  ]);

  it("G18: a JobQueue that is deleted after the store shut it out deletes nothing there, and goes", () => {
    const metadata = { deletionTimestamp: "2026-08-01T11:00:00Z", finalizers: [FINALIZER] };
    const was = { type: "Ready", status: "True", reason: "Reconciled", message: "", lastTransitionTime: "" } as const;
    const status = { jobs: { pending: 0 }, conditions: [was] };
    const queue = aJobQueue({ deletionPolicy: "Delete" }, { metadata, status });
    expect(gist(deletion(observed({ queue, store: refused(true) })))).toEqual({
      do: ["setFinalizers Deleting"],
      halt: true,
    });
  });

  it("does nothing at all in a store that does not let it in", () => {
    for (const known of [true, false]) {
      const { actions } = decide(elsewhere(own, { store: refused(known) }), NOW);
      expect(actions.filter((action) => action.do !== "wait")).toEqual([]);
    }
  });
});

describe("rule requests", () => {
  const asked = (value: string, handled?: string, some: Partial<Observed> = {}) =>
    observed({
      queue: aJobQueue(
        {},
        {
          metadata: { annotations: { "jobqueue.dev/recover-requested": value } },
          ...(handled !== undefined && { status: { handledRequests: { recover: handled } } }),
        },
      ),
      ...some,
    });
  const recovers = { do: ["recoverQueue RecoverRequested"] };
  table(requests, [
    ["nobody asked", observed(), {}],
    ["a new value is carried out", asked("1"), recovers],
    ["another value than the last is carried out", asked("2", "1"), recovers],
    ["a value that was carried out is not again", asked("2", "2"), {}],
    ["an empty value asks for nothing", asked(""), {}],
    ["a long value counts as the status shows it", asked("x".repeat(200), `${"x".repeat(127)}…`), {}],
    ["a store that does not answer is waited for", asked("1", undefined, { store: aDownStore() }), {}],
    [
      "a person's wish does not ask what the JobStore does by itself",
      asked("1", undefined, {
        store: aReadyStore({
          jobStore: aJobStore({
            staleLockRecovery: { mode: "Disabled", graceSeconds: 600, intervalSeconds: 10, limit: 1 },
          }),
        }),
      }),
      recovers,
    ],
  ]);
});

describe("rule suspended", () => {
  const annotated = (value: string) =>
    observed({ queue: aJobQueue({}, { metadata: { annotations: { "jobqueue.dev/reconcile": value } } }) });
  table(suspended, [
    ["nobody asked", observed(), {}],
    ["a queue that is gone", observed({ queue: undefined }), {}],
    ["suspended ends it, and says so", annotated("suspended"), { problem: "Unknown ReconcileSuspended", halt: true }],
    ["any other value means nothing", annotated("true"), {}],
  ]);
});

describe("rule recovery", () => {
  const seen = (some: Partial<Observed>, ...pool: ReturnType<typeof aWorker>[]) =>
    observed({ store: aReadyStore({ workers: pool }), ...some });
  const before = new Set(["pod-1"]);
  const gone = { do: ["recoverPods PodGone"] };
  table(recovery, [
    ["a worker whose pod is there is left alone", seen({ pods: [aPod()], podsSeenBefore: before }, aWorker()), {}],
    ["a pod that was seen and is missing is gone", seen({ podsSeenBefore: before }, aWorker()), gone],
    ["a pod that ended for good is gone", seen({ pods: [aPod({ over: true })] }, aWorker()), gone],
    [
      "a pod nobody saw is gone once its worker was silent for half its lease",
      seen({}, aWorker({ silentMs: 15_000 })),
      gone,
    ],
    [
      "a pod nobody saw whose worker still beats belongs elsewhere: it is waited for",
      seen({}, aWorker({ silentMs: 5_000 })),
      { do: ["wait PodUnconfirmed"] },
    ],
    [
      "pods that have not all been listed prove nothing",
      seen({ pods: "unknown", podsSeenBefore: before }, aWorker()),
      {},
    ],
    ["a store that does not answer proves nothing", observed({ store: aDownStore(), podsSeenBefore: before }), {}],
    [
      "a worker of another pool is not ours to judge",
      seen({ podsSeenBefore: before }, aWorker({ pool: "shop/other" })),
      {},
    ],
    ["a worker without a pod is left to its lease", seen({}, aWorkerByHand()), {}],
  ]);

  it("names each pod once, whatever number of workers registered in it", () => {
    const found = recovery(seen({ podsSeenBefore: before }, aWorker(), aWorker({ id: "8" })));
    expect(found.actions).toMatchObject([{ pods: [{ uid: "pod-1", namespace: "shop", name: "mailers-workers-1" }] }]);
  });

  it("says when to look again at a pod that is waited for", () => {
    expect(recovery(seen({}, aWorker({ silentMs: 5_000 }))).actions).toMatchObject([{ do: "wait", ms: 10_000 }]);
  });
});

describe("rule workers", () => {
  const queue = aJobQueue();
  const ours = itsDeployment(queue);
  const young = aJobQueue({}, { metadata: { creationTimestamp: new Date(NOW - 10_000).toISOString() } });
  const withSpec = (spec: object) => itsDeployment(queue, { spec });
  const scaled = aJobQueue({ replicas: 3 });
  const none = aJobQueue({ workers: null });
  const change = { do: ["applyDeployment WorkersDiffer"] };
  table(workers, [
    ["a Deployment as it should be is left alone", observed(), {}],
    [
      "a missing Deployment is made",
      observed({ deployment: { is: "absent" } }),
      { do: ["applyDeployment WorkersMissing"] },
    ],
    [
      "a missing one waits for the pods of an earlier one to leave: the garbage collector must have seen that it is gone",
      observed({ deployment: { is: "absent", since: NOW - 59_000 }, pods: [aPod()] }),
      { do: ["wait Progressing"], problem: "False Progressing" },
    ],
    [
      "and for no longer than a minute: pods that were left to run on purpose are adopted",
      observed({ deployment: { is: "absent", since: NOW - 60_000 }, pods: [aPod()] }),
      { do: ["applyDeployment WorkersMissing"] },
    ],
    [
      "pods that are leaving or have ended are not waited for",
      observed({
        deployment: { is: "absent", since: NOW },
        pods: [aPod({ leaving: true }), aPod({ uid: "pod-2", over: true })],
      }),
      { do: ["applyDeployment WorkersMissing"] },
    ],
    ["a missing Deployment waits for the store", observed({ deployment: { is: "absent" }, store: aDownStore() }), {}],
    [
      "without the JobStore there is no address, so nothing is made",
      observed({ deployment: { is: "absent" }, store: { is: "absent" } }),
      {},
    ],
    ["without the JobStore what runs goes on running", observed({ store: { is: "absent" } }), {}],
    [
      "a change of the spec changes the Deployment",
      observed({ queue: scaled, deployment: itsDeployment(queue) }),
      change,
    ],
    [
      "a change of the spec is carried out while the store is down: it may be the cure",
      observed({ queue: scaled, deployment: itsDeployment(queue), store: aDownStore() }),
      change,
    ],
    ["somebody else's change is undone", observed({ deployment: withSpec({ replicas: 7 }) }), change],
    [
      "a label that somebody removed comes back",
      observed({ deployment: itsDeployment(queue, { metadata: { labels: {} } }) }),
      change,
    ],
    ["a field that somebody added is none of our business", observed({ deployment: withSpec({ paused: false }) }), {}],
    [
      "a generation that our own apply gave needs no comparison",
      observed({
        deployment: { ...withSpec({ replicas: 1, paused: "as stored" }), appliedGeneration: 4 },
      }),
      {},
    ],
    [
      "whether there is a Deployment is unknown: wait",
      observed({ deployment: { is: "unknown", sentence: "…" } }),
      { do: ["wait DeploymentUnknown"] },
    ],
    [
      "what the API server thinks of the template is unknown: wait",
      observed({ queue: scaled, deployment: ours, template: { is: "unknown", sentence: "…" } }),
      { do: ["wait TemplateUnknown"] },
    ],
    [
      "the API server refuses the template",
      observed({ queue: scaled, deployment: ours, template: { is: "refused", judged: true, sentence: "…" } }),
      { do: ["wait InvalidPodTemplate"], problem: "False InvalidPodTemplate, a person must act" },
    ],
    [
      "K7, K9: rights or a quota forbid the Deployment, whatever its template",
      observed({ queue: scaled, deployment: ours, template: { is: "refused", judged: false, sentence: "…" } }),
      { do: ["wait WorkerRolloutFailed"], problem: "False WorkerRolloutFailed, a person must act" },
    ],
    [
      "a Deployment of somebody else is reported, never adopted",
      observed({ deployment: { is: "foreign", owner: "Rollout x" } }),
      { do: ["wait DeploymentConflict"], problem: "False DeploymentConflict, a person must act" },
    ],
    [
      "a Deployment of an earlier JobQueue of the name is waited for while this one is new",
      observed({ queue: young, deployment: { ...ours, is: "leftover" } }),
      { do: ["wait Progressing"], problem: "False Progressing" },
    ],
    [
      "K1: one that the garbage collector has missed is removed",
      observed({ deployment: { ...ours, is: "leftover" } }),
      { do: ["deleteDeployment LeftBehind"], problem: "False Progressing" },
    ],
    [
      "one that is on its way out is waited for",
      observed({
        deployment: {
          is: "leftover",
          object: { ...ours.object, metadata: { ...ours.object.metadata, deletionTimestamp: "2026-08-01T11:00:00Z" } },
        },
      }),
      { do: ["wait Progressing"], problem: "False Progressing" },
    ],
    [
      "without workers our Deployment is removed",
      observed({ queue: none, deployment: ours }),
      { do: ["deleteDeployment WorkersRemoved"] },
    ],
    [
      "without workers somebody else's Deployment stays",
      observed({ queue: none, deployment: { is: "foreign", owner: "x" } }),
      {},
    ],
    [
      "without workers an unknown Deployment stays",
      observed({ queue: none, deployment: { is: "unknown", sentence: "…" } }),
      { do: ["wait DeploymentUnknown"] },
    ],
  ]);

  it("changes and removes only the Deployment that was seen", () => {
    const { uid, resourceVersion } = ours.object.metadata;
    const changed = workers(observed({ queue: scaled, deployment: ours }), NOW).actions as readonly Action[];
    expect(changed).toMatchObject([{ uid }]);
    const removed = workers(observed({ queue: none, deployment: ours }), NOW).actions as readonly Action[];
    expect(removed).toMatchObject([{ uid, resourceVersion, namespace: "shop", name: "mailers-workers" }]);
  });

  it("says what makes the Deployment different", () => {
    const [action] = workers(observed({ deployment: withSpec({ replicas: 7 }) }), NOW).actions ?? [];
    expect(action?.sentence).toBe("Because somebody changed spec.replicas of the Deployment.");
  });
});
