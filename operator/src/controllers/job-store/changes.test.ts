import { describe, expect, it } from "vitest";
import { aHold, aPolicy, aSnapshot, someSettings, aWorker, aWorkerByHand, counts, NOW } from "../testing/builders.ts";
import { changesBetween } from "./changes.ts";
import type { StoreSnapshot, StoreUp, StoreView } from "./store-view.ts";

const up = (some: Partial<StoreSnapshot> = {}): StoreUp => ({
  is: "up",
  serverVersion: "18.4",
  schema: { is: "compatible", version: 8 },
  snapshot: aSnapshot(some),
});
const queue = (some: Parameters<typeof counts>[0]) =>
  new Map([
    ["mailers", counts(some)],
    ["other", counts()],
  ]);
const down: StoreView = { is: "down", reason: "Timeout", sentence: "…" };

/** Whom a change wakes, in words. */
function woken(before: StoreView, after: StoreView): string[] {
  const { store, all, queues, pools } = changesBetween(before, after);
  return [
    ...(store ? ["store"] : []),
    ...(all ? ["all"] : []),
    ...[...queues].map((name) => `queue ${name}`),
    ...[...pools].map((name) => `pool ${name}`),
  ];
}

describe("what a look at a store wakes", () => {
  it.each<[string, StoreView, StoreView, string[]]>([
    ["nothing changed", up({ queues: queue({ pending: 5 }) }), up({ queues: queue({ pending: 5 }) }), []],
    ["the first look", { is: "starting" }, up(), ["store", "all"]],
    ["the store went away", up(), down, ["store", "all"]],
    ["the store is still away", down, { ...down }, []],
    ["the store came back", down, up(), ["store", "all"]],
    ["a schema was installed", { is: "up", serverVersion: "18.4", schema: { is: "missing" } }, up(), ["store", "all"]],
    [
      "a backlog grew",
      up({ queues: queue({ pending: 5 }) }),
      up({ queues: queue({ pending: 6 }) }),
      ["store", "queue mailers"],
    ],
    [
      "a backlog moved within its rounding",
      up({ queues: queue({ pending: 36_012 }) }),
      up({ queues: queue({ pending: 36_015 }) }),
      [],
    ],
    [
      "the oldest job waits on",
      up({ queues: queue({ pending: 1, oldestPendingSeconds: 60 }) }),
      up({ clockAheadMs: 0, at: NOW + 5_000, queues: queue({ pending: 1, oldestPendingSeconds: 65 }) }),
      [],
    ],
    [
      "the oldest job is another one",
      up({ queues: queue({ pending: 1, oldestPendingSeconds: 60 }) }),
      up({ queues: queue({ pending: 1, oldestPendingSeconds: 2 }) }),
      ["queue mailers"],
    ],
    ["a queue appeared", up(), up({ queues: new Map([["mailers", counts()]]) }), ["queue mailers"]],
    ["a hold came", up(), up({ holds: [aHold()] }), ["store", "queue mailers"]],
    [
      "a hold changed its reason",
      up({ holds: [aHold()] }),
      up({ holds: [aHold({ reason: "other" })] }),
      ["store", "queue mailers"],
    ],
    ["a hold went", up({ holds: [aHold()] }), up(), ["store", "queue mailers"]],
    ["a hold came on the whole store", up(), up({ holds: [aHold({ queue: "*" })] }), ["store", "all"]],
    ["a worker came", up(), up({ workers: [aWorker()] }), ["store", "pool shop/mailers"]],
    ["a worker beats on", up({ workers: [aWorker()] }), up({ workers: [aWorker({ silentMs: 9_000 })] }), []],
    [
      "a worker's lease lapsed",
      up({ workers: [aWorker()] }),
      up({ workers: [aWorker({ alive: false })] }),
      ["store", "pool shop/mailers"],
    ],
    ["a worker without a pool came", up(), up({ workers: [aWorkerByHand()] }), ["store"]],
    [
      "the policy of a queue changed",
      up({ policies: new Map([["mailers", aPolicy()]]) }),
      up({ policies: new Map([["mailers", aPolicy({ maxRunning: 1 })]]) }),
      ["queue mailers"],
    ],
    ["the settings changed", up(), up({ settings: someSettings({ recovery: "report" }) }), ["store"]],
    ["a session holds an old snapshot", up(), up({ oldSnapshots: [{ holder: "session 1 (psql)" }] }), ["store"]],
    [
      "P13: autovacuum is switched off",
      up(),
      up({ vacuumTroubles: [{ reason: "AutovacuumOff", says: "It is off.", remedy: "Switch it on." }] }),
      ["store"],
    ],
    [
      "there are stale jobs, still",
      up({ queues: queue({ running: 1, stale: 1 }) }),
      up({ queues: queue({ running: 1, stale: 1 }) }),
      ["store"],
    ],
  ])("%s", (_sentence, before, after, keys) => {
    expect(woken(before, after)).toEqual(keys);
  });
});
