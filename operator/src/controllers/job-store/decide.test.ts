import { reasonMeaning } from "@jobqueue/crds";
import { describe, expect, it } from "vitest";
import { explain } from "../../plan/explain.ts";
import { aHold, aJobStore, aSnapshot, aWorker, counts, NOW, theSpecHold } from "../testing/builders.ts";
import { decideStore } from "./decide.ts";
import type { MonitorObserved, ObservedStore } from "./observed.ts";
import { storeStatusOf } from "./status.ts";
import type { StoreDown, StoreUp, StoreView } from "./store-view.ts";

const up = (some: Partial<StoreUp> = {}): StoreUp => ({
  is: "up",
  serverVersion: "18.4",
  schema: { is: "compatible", version: 8 },
  snapshot: aSnapshot(),
  ...some,
});
const down = (reason: StoreDown["reason"]): StoreDown => ({ is: "down", reason, sentence: "…" });

/** A JobStore that is watched and well, unless told otherwise. */
function world(
  view: StoreView = up(),
  some: Partial<Omit<ObservedStore, "monitor">> & { readonly monitor?: Partial<MonitorObserved> | undefined } = {},
): ObservedStore {
  const { monitor, ...rest } = some;
  const jobStore = "jobStore" in some ? some.jobStore : aJobStore();
  const watched = { uid: aJobStore().metadata.uid, generation: 1, view, migrationWaitMs: 0, maintainedMsAgo: 60_000 };
  return {
    key: "shop/default",
    jobStore,
    queues: 3,
    orphans: [],
    ...rest,
    monitor: "monitor" in some && monitor === undefined ? undefined : { ...watched, ...monitor },
  };
}

const steps = (observed: ObservedStore) => decideStore(observed, NOW).actions.map((action) => explain(action));
const tidy = "wait 3540 s (MaintenanceDue): The store is maintained once an hour.";

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
  const said = (view: StoreView) =>
    (storeStatusOf(world(view), NOW).status.conditions ?? []).map(
      ({ type, status, reason }) => `${type} ${status} ${reason}`,
    );

  it.each<[string, StoreView, string[]]>([
    ["well", up(), ["Reachable True Connected", "Ready True Reconciled", "SchemaCompatible True Compatible"]],
    [
      "not tried yet",
      { is: "starting" },
      ["Reachable Unknown Connecting", "Ready Unknown Progressing", "SchemaCompatible Unknown StoreUnreachable"],
    ],
    [
      "away",
      down("ConnectFailed"),
      ["Reachable False ConnectFailed", "Ready False StoreUnreachable", "SchemaCompatible Unknown StoreUnreachable"],
    ],
    [
      "refusing us",
      down("AuthFailed"),
      [
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
        "Reachable False SecretNotFound",
        "Ready False StoreUnreachable",
        "SchemaCompatible Unknown StoreUnreachable",
        "Stalled True SecretNotFound",
      ],
    ],
    [
      "a standby",
      down("NotPrimary"),
      ["Reachable False NotPrimary", "Ready False StoreUnreachable", "SchemaCompatible Unknown StoreUnreachable"],
    ],
    [
      "being installed",
      { is: "up", serverVersion: "18.4", schema: { is: "missing" } },
      ["Reachable True Connected", "Ready False Progressing", "SchemaCompatible False Migrating"],
    ],
    [
      "not to be installed",
      { is: "up", serverVersion: "18.4", schema: { is: "missing" }, migrationFailed: "…" },
      [
        "Reachable True Connected",
        "Ready False SchemaIncompatible",
        "SchemaCompatible False MigrationFailed",
        "Stalled True MigrationFailed",
      ],
    ],
    [
      "too new",
      { is: "up", serverVersion: "18.4", schema: { is: "newer", version: 99 } },
      [
        "Reachable True Connected",
        "Ready False SchemaIncompatible",
        "SchemaCompatible False TooNew",
        "Stalled True TooNew",
      ],
    ],
  ])("of a store that is %s", (_sentence, view, conditions) => {
    expect(said(view)).toEqual(conditions.toSorted());
    for (const { type, reason, status } of storeStatusOf(world(view), NOW).status.conditions ?? []) {
      expect(reasonMeaning("JobStore", type, reason)?.status, `${type} ${reason}`).toContain(status);
    }
  });

  it("keeps the versions that were seen last while the store is away", () => {
    const before = storeStatusOf(world(), NOW).status;
    expect(before).toMatchObject({ schemaVersion: 8, serverVersion: "18.4", queues: 3, observedGeneration: 1 });
    const away = storeStatusOf(world(down("Timeout"), { jobStore: aJobStore({}, { status: before }) }), NOW);
    expect(away).toMatchObject({ differs: true, status: { schemaVersion: 8, serverVersion: "18.4" } });
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
