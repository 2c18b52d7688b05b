import { SCHEMA_VERSION } from "@jobqueue/store";
import { expect, it } from "vitest";
import { CHECK_COUNT, type Examined, faultsOf } from "./faults.ts";

const NOW = new Date("2026-08-01T12:00:00Z");
const SOUND: Examined = {
  schemaVersion: SCHEMA_VERSION,
  clockAheadMs: 40,
  now: NOW,
  queues: [{ queue: "mailers", pending: 3, stale: 0, dead: 1, why: [{ code: "slots_busy", message: "" }] }],
  holds: [],
  workers: [{ id: "17", pod: "mailers-1", hostname: null, verdict: "healthy", version: "0.1.0", isLive: true }],
  settings: { recovery: "recover" },
  oldSnapshots: [],
  vacuumTroubles: [],
};
const waiting = (code: string) => [{ queue: "mailers", pending: 3, stale: 0, dead: 0, why: [{ code, message: "" }] }];
const held = (since: string, until: Date | null) => ({
  queue: "mailers",
  name: "ana",
  reason: "SMTP is down",
  actor: "ana",
  source: "cli",
  since: new Date(since),
  until,
});
const worker = (some: Partial<Examined["workers"][number]>) => ({
  ...(SOUND.workers[0] as Examined["workers"][number]),
  ...some,
});

it("a sound store has no fault, busy as it may be", () => {
  expect(faultsOf(SOUND)).toEqual([]);
  const ending = held("2026-07-01T00:00:00Z", new Date("2026-09-01T00:00:00Z"));
  expect(faultsOf({ ...SOUND, holds: [held("2026-08-01T11:00:00Z", null), ending] })).toEqual([]);
});

it.each<[string, Partial<Examined>, string]>([
  ["schema", { schemaVersion: undefined }, "not installed"],
  ["schema", { schemaVersion: SCHEMA_VERSION - 1 }, `has version ${SCHEMA_VERSION - 1}`],
  ["schema", { schemaVersion: SCHEMA_VERSION + 1 }, "newer"],
  ["clock", { clockAheadMs: -61_000 }, "61s behind"],
  ["noWorker", { queues: waiting("no_worker") }, "no worker serves their queue: mailers"],
  ["noHandler", { queues: waiting("no_handler") }, "no worker has a handler for"],
  ["stopped", { queues: waiting("stopped") }, "may run none at once: mailers"],
  ["hungWorkers", { workers: [worker({ verdict: "loop_blocked" })] }, "mailers-1 (loop blocked)"],
  ["staleJobs", { queues: [{ queue: "q", pending: 0, stale: 2, dead: 0, why: [] }] }, "2 running jobs"],
  ["forgottenHold", { holds: [held("2026-07-01T00:00:00Z", null)] }, "mailers (ana, by ana)"],
  ["oldSnapshot", { oldSnapshots: [{ holder: "session 4711 (psql)", since: NOW }] }, "session 4711 (psql)"],
  [
    "vacuum",
    { vacuumTroubles: [{ reason: "AutovacuumOff", says: "The setting autovacuum is off.", remedy: "Switch it on." }] },
    "autovacuum is off",
  ],
  ["mixedVersions", { workers: [worker({}), worker({ id: "18", version: "0.2.0" })] }, "0.1.0, 0.2.0"],
])("finds %s in %j, and says what to do", (fault, some, words) => {
  const found = faultsOf({ ...SOUND, ...some });
  expect(found.map((one) => one.fault)).toEqual([fault]);
  expect(found[0]?.says).toContain(words);
  expect(found[0]?.remedy).not.toBe("");
});

it("looks for eleven faults", () => {
  expect(CHECK_COUNT).toBe(11);
});
