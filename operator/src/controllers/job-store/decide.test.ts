import { reasonMeaning } from "@jobqueue/crds";
import { describe, expect, it } from "vitest";
import { explain } from "../../plan/explain.ts";
import { aHold, aJobStore, aSnapshot, aWorker, counts, someSettings, NOW, theSpecHold } from "../testing/builders.ts";
import { conditionOf } from "../conditions.ts";
import { decideStore } from "./decide.ts";
import type { MonitorObserved, ObservedStore } from "./observed.ts";
import { storeStatusOf } from "./status.ts";
import { specActor } from "../spec-hold.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import type { HoldSeen, StoreDown, StoreUp, StoreView } from "./store-view.ts";

const up = (some: Partial<StoreUp> = {}): StoreUp => ({
  is: "up",
  serverVersion: "18.4",
  schema: { is: "compatible", version: 8 },
  snapshot: aSnapshot(),
  ...some,
});
const down = (reason: StoreDown["reason"]): StoreDown => ({ is: "down", reason, sentence: "…" });

/** The hold of the JobStore on every queue. */
const storeHold = (some: Partial<HoldSeen> = {}): HoldSeen =>
  theSpecHold({ queue: "*", actor: specActor("shop/default", aJobStore()), ...some });

/** A JobStore that is watched and well, unless told otherwise. */
function world(
  view: StoreView = up(),
  some: Partial<Omit<ObservedStore, "monitor">> & { readonly monitor?: Partial<MonitorObserved> | undefined } = {},
): ObservedStore {
  const { monitor, ...rest } = some;
  const jobStore = "jobStore" in some ? some.jobStore : aJobStore();
  const watched = {
    uid: aJobStore().metadata.uid,
    generation: 1,
    view,
    migrationWaitMs: 0,
    sweptMsAgo: undefined,
    maintainedMsAgo: 60_000,
  };
  return {
    key: "shop/default",
    jobStore,
    queues: 3,
    orphans: [],
    orphanSchedules: [],
    countsWrittenAt: undefined,
    ...rest,
    monitor: "monitor" in some && monitor === undefined ? undefined : { ...watched, ...monitor },
  };
}

const steps = (observed: ObservedStore) => decideStore(observed, NOW).actions.map((action) => explain(action));
const tidy = "wait 3540 s (MaintenanceDue): The store is maintained once an hour.";

/** Conditions as "type status reason". */
const said = (view: StoreView, jobStore = aJobStore()) =>
  (storeStatusOf(world(view, { jobStore }), NOW).status.conditions ?? []).map(
    ({ type, status, reason }) => `${type} ${status} ${reason}`,
  );

describe("decideStore", () => {
  it("plans nothing but the next maintenance for a store that is well", () => {
    expect(steps(world())).toEqual([tidy]);
  });

  it("watches a new JobStore", () => {
    expect(steps(world(up(), { monitor: undefined }))).toEqual([
      "watch store shop/default (NotWatched): JobStore shop/default is not watched yet.",
    ]);
  });

  it("watches anew when the spec changed, or the object was made again", () => {
    expect(steps(world(up(), { monitor: { generation: 0 } }))[0]).toMatch(/^watch store shop\/default \(SpecChanged\)/);
    expect(steps(world(up(), { monitor: { uid: "other" } }))[0]).toMatch(/^watch store shop\/default \(SpecChanged\)/);
  });

  it("stops watching a JobStore that is gone, and otherwise leaves it alone", () => {
    expect(steps(world(up(), { jobStore: undefined }))).toEqual([
      "stop watching store shop/default (JobStoreGone): JobStore shop/default is gone.",
    ]);
    expect(decideStore(world(up(), { jobStore: undefined, monitor: undefined }), NOW)).toMatchObject({
      actions: [],
      leaveAlone: true,
    });
  });

  it("lets what the last leader wrote stand until the first look is through", () => {
    const told = aJobStore({}, { status: { conditions: [] } });
    expect(decideStore(world({ is: "starting" }, { jobStore: told }), NOW)).toMatchObject({
      actions: [],
      leaveAlone: true,
    });
    expect(decideStore(world({ is: "starting" }), NOW)).toMatchObject({ leaveAlone: false });
  });

  it("installs a schema that is missing and updates an old one, but leaves a newer one alone", () => {
    const seen = (schema: StoreUp["schema"]): StoreUp => ({ is: "up", serverVersion: "18.4", schema });
    expect(steps(world(seen({ is: "missing" })))).toEqual([
      "migrate the schema of store shop/default (NotInstalled): The schema is not installed.",
    ]);
    expect(steps(world(seen({ is: "older", version: 3 })))).toEqual([
      "migrate the schema of store shop/default (TooOld): The schema has the old version 3.",
    ]);
    expect(steps(world(seen({ is: "newer", version: 99 })))).toEqual([]);
  });

  it("leaves the schema to a person when it is told to", () => {
    const view: StoreUp = { is: "up", serverVersion: "18.4", schema: { is: "missing" } };
    expect(steps(world(view, { jobStore: aJobStore({ migrations: "Manual" }) }))).toEqual([]);
  });

  it.each<[string, StoredJobStore, readonly HoldSeen[], string[]]>([
    [
      "Paused holds every queue",
      aJobStore({ state: "Paused", pauseReason: "failover test" }),
      [],
      ["set hold spec on queue * (PausedBySpec): spec.state of JobStore shop/default is Paused."],
    ],
    ["what is held is left alone", aJobStore({ state: "Paused" }), [storeHold()], []],
    [
      "Active releases its own hold",
      aJobStore(),
      [storeHold()],
      ["release hold spec of queue * (ActiveBySpec): spec.state of JobStore shop/default is Active."],
    ],
    [
      "also that of an earlier incarnation",
      aJobStore(),
      [storeHold({ actor: "jobqueue-operator:shop/default@00000000" })],
      ["release hold spec of queue * (ActiveBySpec): spec.state of JobStore shop/default is Active."],
    ],
    ["but not that of another JobStore", aJobStore(), [storeHold({ actor: specActor("other/db", aJobStore()) })], []],
    [
      "which is enough for this one's pause",
      aJobStore({ state: "Paused" }),
      [storeHold({ actor: specActor("other/db", aJobStore()) })],
      [],
    ],
    ["nor that of a person", aJobStore(), [aHold({ queue: "*" }), storeHold({ actor: "ana", source: "cli" })], []],
    [
      "a pause that ends holds until then",
      aJobStore({ state: "Paused", pausedUntil: "2026-08-01T18:00:00Z" }),
      [storeHold()],
      [
        "set hold spec on queue * until 2026-08-01T18:00:00Z (PausedBySpec): The hold spec on the whole store is not what JobStore shop/default says.",
      ],
    ],
    ["and is not set again after it", aJobStore({ state: "Paused", pausedUntil: "2026-08-01T11:00:00Z" }), [], []],
  ])("pauses the whole store: %s", (_sentence, jobStore, holds, wanted) => {
    expect(steps(world(up({ snapshot: aSnapshot({ holds }) }), { jobStore }))).toEqual([...wanted, tidy]);
  });

  it("waits before it tries a migration that failed again", () => {
    expect(
      steps(
        world({ is: "up", serverVersion: "18.4", schema: { is: "missing" } }, { monitor: { migrationWaitMs: 5_000 } }),
      ),
    ).toEqual(["wait 5 s (MigrationFailed): The migration failed; it is tried again."]);
  });

  it("recovers stale jobs, whichever queue they are in", () => {
    const queues = new Map([
      ["a", counts({ running: 3, stale: 2 })],
      ["b", counts({ stale: 1 })],
    ]);
    expect(steps(world(up({ snapshot: aSnapshot({ queues, workers: [aWorker()] }) })))[0]).toBe(
      "recover the stale jobs of store shop/default (LeaseLapsed): 3 running jobs have no live worker.",
    );
  });

  it("recovers as the spec lets it: not too often, not too many, not too soon, or not at all", () => {
    const view = up({ snapshot: aSnapshot({ queues: new Map([["a", counts({ running: 3, stale: 2 })]]) }) });
    const recovery = { mode: "Recover", graceSeconds: 60, intervalSeconds: 30, limit: 5 } as const;
    const jobStore = aJobStore({ staleLockRecovery: recovery });
    const known = someSettings({ recoveryGraceSeconds: 60 });
    const told = up({ snapshot: aSnapshot({ queues: view.snapshot?.queues ?? new Map(), settings: known }) });
    expect(decideStore(world(told, { jobStore }), NOW).actions[0]).toMatchObject({ limit: 5, graceSeconds: 60 });
    expect(steps(world(told, { jobStore, monitor: { sweptMsAgo: 10_000 } }))[0]).toMatch(/^wait 20 s \(LeaseLapsed\)/);
    for (const mode of ["Report", "Disabled"] as const) {
      const settings = someSettings({ recovery: mode === "Report" ? "report" : "disabled", recoveryGraceSeconds: 60 });
      const left = up({ snapshot: aSnapshot({ queues: view.snapshot?.queues ?? new Map(), settings }) });
      const by = aJobStore({ staleLockRecovery: { ...recovery, mode } });
      expect(steps(world(left, { jobStore: by }))).toEqual([tidy]);
      expect(said(left, by)).toContain(mode === "Report" ? "Healthy False StaleJobs" : "Healthy Unknown NotLooked");
    }
  });

  it("writes the settings that differ, and only what the spec says", () => {
    const retention = { completedSeconds: 3_600, deadSeconds: 2_592_000 };
    const differing = aJobStore({
      retention,
      staleLockRecovery: { mode: "Report", graceSeconds: 0, intervalSeconds: 10, limit: 1 },
    });
    expect(steps(world(up(), { jobStore: differing }))[0]).toBe(
      "configure store shop/default: completedSeconds, recovery (SettingsDiffer): spec of JobStore shop/default: completedSeconds, recovery.",
    );
    const settings = someSettings({ completedSeconds: 3_600, auditSeconds: 86_400, recovery: "report" });
    expect(steps(world(up({ snapshot: aSnapshot({ settings }) }), { jobStore: differing }))).toEqual([tidy]);
  });

  it("takes away the schedule of a JobQueue that was deleted a minute ago, and not before", () => {
    const orphan = { name: "mailers/nightly", queue: "mailers", owner: { namespace: "shop", name: "mailers" } };
    expect(steps(world(up(), { orphanSchedules: [{ ...orphan, forMs: 20_000 }] }))[0]).toMatch(/^wait 40 s/);
    expect(decideStore(world(up(), { orphanSchedules: [{ ...orphan, forMs: 60_000 }] }), NOW).actions[0]).toMatchObject(
      {
        do: "deleteSchedule",
        name: "mailers/nightly",
        unlessExists: { namespace: "shop", name: "mailers" },
      },
    );
  });

  it("releases the hold of a JobQueue that was deleted a minute ago, and not before", () => {
    const orphan = { hold: theSpecHold(), owner: { namespace: "shop", name: "mailers" } };
    expect(steps(world(up(), { orphans: [{ ...orphan, forMs: 20_000 }] }))[0]).toMatch(/^wait 40 s \(OrphanHold\)/);
    expect(decideStore(world(up(), { orphans: [{ ...orphan, forMs: 60_000 }] }), NOW).actions[0]).toMatchObject({
      do: "releaseHold",
      queue: "mailers",
      hold: "spec",
      unlessExists: { namespace: "shop", name: "mailers" },
    });
  });

  it("maintains the store when this process begins to lead, and every hour", () => {
    const due = "maintain store shop/default (MaintenanceDue): The store is maintained once an hour.";
    expect(steps(world(up(), { monitor: { maintainedMsAgo: undefined } }))).toEqual([due]);
    expect(steps(world(up(), { monitor: { maintainedMsAgo: 3_600_000 } }))).toEqual([due]);
  });

  it("touches nothing in a store that does not answer", () => {
    const orphans = [{ hold: aHold(), owner: { namespace: "shop", name: "x" }, forMs: 100_000 }];
    const unable = world(down("Timeout"), { orphans: [] });
    expect(steps(unable)).toEqual([]);
    expect(steps({ ...unable, monitor: undefined, orphans: [] }).join()).not.toMatch(/recover|maintain|migrate/);
    expect(orphans).toHaveLength(1);
  });
});

describe("the status of a JobStore", () => {
  const manual = aJobStore({ migrations: "Manual" });
  it.each<[string, StoreView, string[], StoredJobStore?]>([
    [
      "well",
      up(),
      [
        "Healthy True NothingStale",
        "Vacuumed True NothingInTheWay",
        "Paused False Active",
        "Reachable True Connected",
        "Ready True Reconciled",
        "SchemaCompatible True Compatible",
      ],
    ],
    [
      "not tried yet",
      { is: "starting" },
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable Unknown Connecting",
        "Ready Unknown Progressing",
        "SchemaCompatible Unknown StoreUnreachable",
      ],
    ],
    [
      "away",
      down("ConnectFailed"),
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable False ConnectFailed",
        "Ready False StoreUnreachable",
        "SchemaCompatible Unknown StoreUnreachable",
      ],
    ],
    [
      "refusing us",
      down("AuthFailed"),
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable False AuthFailed",
        "Ready False StoreAuthFailed",
        "SchemaCompatible Unknown StoreUnreachable",
        "Stalled True AuthFailed",
      ],
    ],
    [
      "without a Secret",
      down("SecretNotFound"),
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable False SecretNotFound",
        "Ready False StoreUnreachable",
        "SchemaCompatible Unknown StoreUnreachable",
        "Stalled True SecretNotFound",
      ],
    ],
    [
      "a standby",
      down("NotPrimary"),
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable False NotPrimary",
        "Ready False StoreUnreachable",
        "SchemaCompatible Unknown StoreUnreachable",
      ],
    ],
    [
      "being installed",
      { is: "up", serverVersion: "18.4", schema: { is: "missing" } },
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable True Connected",
        "Ready False Progressing",
        "SchemaCompatible False Migrating",
      ],
    ],
    [
      "not to be installed",
      { is: "up", serverVersion: "18.4", schema: { is: "missing" }, migrationFailed: "…" },
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable True Connected",
        "Ready False SchemaIncompatible",
        "SchemaCompatible False MigrationFailed",
        "Stalled True MigrationFailed",
      ],
    ],
    [
      "waiting for a person to install it",
      { is: "up", serverVersion: "18.4", schema: { is: "missing" } },
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable True Connected",
        "Ready False SchemaIncompatible",
        "SchemaCompatible False MigrationRequired",
        "Stalled True MigrationRequired",
      ],
      manual,
    ],
    [
      "too new",
      { is: "up", serverVersion: "18.4", schema: { is: "newer", version: 99 } },
      [
        "Healthy Unknown StoreUnreachable",
        "Vacuumed Unknown StoreUnreachable",
        "Paused Unknown StoreUnreachable",
        "Reachable True Connected",
        "Ready False SchemaIncompatible",
        "SchemaCompatible False TooNew",
        "Stalled True TooNew",
      ],
    ],
  ])("of a store that is %s", (_sentence, view, conditions, jobStore) => {
    expect(said(view, jobStore)).toEqual(conditions.toSorted());
    for (const { type, reason, status } of storeStatusOf(world(view), NOW).status.conditions ?? []) {
      expect(reasonMeaning("JobStore", type, reason)?.status, `${type} ${reason}`).toContain(status);
    }
  });

  it.each([
    ["its own hold", "Paused", [storeHold()], "True PausedBySpec"],
    ["a hold of a person", "Active", [aHold({ queue: "*" })], "True PausedByHold"],
    ["both", "Paused", [storeHold(), aHold({ queue: "*" })], "True PausedBySpecAndHold"],
    ["a hold on one queue, which is not the store", "Active", [aHold()], "False Active"],
  ] as const)("says who pauses it: %s", (_sentence, state, holds, expected) => {
    expect(said(up({ snapshot: aSnapshot({ holds }) }), aJobStore({ state }))).toContain(`Paused ${expected}`);
  });

  it("says that its pause has ended by itself", () => {
    const jobStore = aJobStore({ state: "Paused", pausedUntil: "2026-08-01T11:00:00Z" });
    expect(said(up(), jobStore)).toContain("Paused False PauseExpired");
  });

  it("keeps the versions that were seen last while the store is away", () => {
    const before = storeStatusOf(world(), NOW).status;
    expect(before).toMatchObject({ schemaVersion: 8, serverVersion: "18.4", queues: 3, observedGeneration: 1 });
    const away = storeStatusOf(world(down("Timeout"), { jobStore: aJobStore({}, { status: before }) }), NOW);
    expect(away).toMatchObject({ differs: true, status: { schemaVersion: 8, serverVersion: "18.4" } });
  });

  it("sums up what is in the store, writes counts seldom, and names who keeps it from being cleaned up", () => {
    const queues = new Map([
      ["a", counts({ pending: 1_000, running: 3, stale: 1 })],
      ["b", counts({ pending: 230, dead: 2 })],
    ]);
    const oldSnapshots = [{ holder: "session 4711 (psql)", since: "2026-08-01T10:00:00Z" }];
    const workers = [aWorker(), aWorker({ id: "8", alive: false })];
    const view = up({ snapshot: aSnapshot({ queues, workers, oldSnapshots }) });
    const { status } = storeStatusOf(world(view), NOW);
    expect(status).toMatchObject({
      primary: true,
      jobs: { pending: 1_200, scheduled: 0, running: 3, dead: 2, stale: 1 },
      workers: { pools: 1, alive: 1, lapsed: 1 },
      oldSnapshots,
    });
    const more = up({
      snapshot: aSnapshot({ queues: new Map([...queues, ["c", counts({ pending: 900 })]]), workers, oldSnapshots }),
    });
    const soon = { jobStore: aJobStore({}, { status }), countsWrittenAt: NOW - 5_000 };
    expect(storeStatusOf(world(more, soon), NOW)).toMatchObject({ differs: false, lookAgainMs: 10_000 });
    const later = storeStatusOf(world(more, { ...soon, countsWrittenAt: NOW - 15_000 }), NOW);
    expect(later).toMatchObject({ differs: true, countsOnly: true, status: { jobs: { pending: 2_100 } } });
    expect(storeStatusOf(world(down("NotPrimary"), soon), NOW).status).toMatchObject({
      primary: false,
      jobs: { pending: 1_200 },
    });
  });

  const off = {
    reason: "AutovacuumOff",
    says: "Autovacuum is switched off for jobqueue.jobs.",
    remedy: "Reset it.",
  } as const;

  it.each([
    [
      "autovacuum is off",
      aSnapshot({ vacuumTroubles: [off] }),
      "AutovacuumOff",
      /^Autovacuum is switched off for jobqueue.jobs. Reset it.$/,
    ],
    [
      "somebody holds an old snapshot",
      aSnapshot({ oldSnapshots: [{ holder: "session 1 (psql)" }] }),
      "OldSnapshots",
      /status.oldSnapshots says who/,
    ],
    [
      "both, and ids run out",
      aSnapshot({
        vacuumTroubles: [{ ...off, reason: "WraparoundNear", says: "Ids run out." }, off],
        oldSnapshots: [{ holder: "session 1 (psql)" }],
      }),
      "WraparoundNear",
      /^Ids run out. Reset it.\nAutovacuum is switched off .*\nDead rows cannot/,
    ],
  ] as const)("P13: warns when %s, and stays ready", (_sentence, snapshot, reason, message) => {
    const { conditions } = storeStatusOf(world(up({ snapshot })), NOW).status;
    expect(conditionOf(conditions, "Vacuumed")).toMatchObject({ status: "False", reason });
    expect(conditionOf(conditions, "Vacuumed")?.message).toMatch(message);
    expect(conditionOf(conditions, "Ready")?.status).toBe("True");
    expect(conditionOf(conditions, "Stalled")).toBeUndefined();
  });

  it("is not written again when nothing changed", () => {
    const { status } = storeStatusOf(world(), NOW);
    expect(storeStatusOf(world(up(), { jobStore: aJobStore({}, { status }) }), NOW + 3_600_000).differs).toBe(false);
  });

  it("says that the Secret is unusable while the connection made before goes on", () => {
    const view = up({ secretProblem: "There is no Secret shop-db." });
    expect(storeStatusOf(world(view), NOW).status.conditions).toContainEqual(
      expect.objectContaining({
        type: "Reachable",
        status: "True",
        message: expect.stringContaining("There is no Secret shop-db."),
      }),
    );
  });
});
