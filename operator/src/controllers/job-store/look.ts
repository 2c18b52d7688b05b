/** One look at a store: a fixed number of queries whatever the number of queues, one of them grouped over all jobs. */
import {
  type Database,
  type Hold,
  listHolds,
  listPools,
  listRestarts,
  listSchedules,
  listWorkers,
  oldSnapshots,
  queuePolicies,
  type QueueStats,
  type RestartRow,
  type Schedule,
  queueStats,
  SCHEMA_VERSION,
  schemaVersion,
  serverFacts,
  storeSettings,
  type VacuumTrouble,
  type WorkerRow,
} from "@jobqueue/store";
import type { CanarySeen } from "./canary.ts";
import type {
  HoldSeen,
  QueueSeen,
  RestartSeen,
  ScheduleSeen,
  SchemaSeen,
  StoreSnapshot,
  StoreUp,
  WorkerSeen,
} from "./store-view.ts";

/** How a look is made. */
export interface LookOptions {
  /** The operator's wall clock, milliseconds. */
  readonly now: () => number;
  /** Writes the canary: what is read after it, in the same look, may be judged. */
  readonly beat: (serverStartedAt: Date) => Promise<CanarySeen>;
  /** What keeps Postgres from cleaning up; not each look has to ask. */
  readonly vacuumTroubles: (database: Database) => Promise<readonly VacuumTrouble[]>;
}

/** Looks. @throws StoreError, and what `beat` throws */
export async function lookAt(database: Database, { now, beat, vacuumTroubles }: LookOptions): Promise<StoreUp> {
  const asked = now();
  const server = await serverFacts(database);
  const clockAheadMs = Math.round(server.now.getTime() - (asked + now()) / 2);
  const schema = schemaSeen(await schemaVersion(database));
  const up: StoreUp = { is: "up", serverVersion: server.version, schema };
  if (schema.is !== "compatible") return up;
  const canary = await beat(server.startedAt);
  const snapshot = await snapshotOf(database, now());
  return {
    ...up,
    snapshot: { ...snapshot, vacuumTroubles: await vacuumTroubles(database), clockAheadMs, canary },
  };
}

async function snapshotOf(
  database: Database,
  at: number,
): Promise<Omit<StoreSnapshot, "clockAheadMs" | "canary" | "vacuumTroubles">> {
  // One after the other, on one connection: a store with many operators or a small pool is not asked for more. Holds
  // first: where one is in force nothing starts any more, so what is counted as running after it can only become less.
  const holds = await listHolds(database);
  const stats = await queueStats(database);
  const workers = await listWorkers(database);
  const policies = await queuePolicies(database);
  const schedules = await listSchedules(database);
  return {
    at,
    queues: new Map(stats.map((row) => [row.queue, queueSeen(row)])),
    holds: holds.map(holdSeen),
    workers: workers.map(workerSeen),
    policies,
    schedules: schedules.map(scheduleSeen),
    settings: await storeSettings(database),
    restarts: (await listRestarts(database)).map(restartSeen),
    pools: new Map((await listPools(database)).map(({ name, loopStallMs }) => [name, loopStallMs])),
    oldSnapshots: (await oldSnapshots(database)).map(({ holder, since }) => ({
      holder,
      ...(since && { since: seconds(since) }),
    })),
  };
}

function schemaSeen(version: number | undefined): SchemaSeen {
  if (version === undefined) return { is: "missing" };
  if (version === SCHEMA_VERSION) return { is: "compatible", version };
  return { is: version < SCHEMA_VERSION ? "older" : "newer", version };
}

const queueSeen = (row: QueueStats): QueueSeen => ({
  pending: row.pending,
  scheduled: row.scheduled + row.failed, // a failed job waits for its retry
  running: row.running,
  dead: row.dead,
  stale: row.stale,
  ...(row.oldestPendingSeconds !== null && { oldestPendingSeconds: row.oldestPendingSeconds }),
});

/** Whole seconds, as Kubernetes writes times. */
const seconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, "Z");

const holdSeen = ({ queue, name, source, actor, reason, since, until }: Hold): HoldSeen => ({
  queue,
  name,
  source,
  actor,
  reason,
  since: seconds(since),
  ...(until && { until: seconds(until) }),
});

const workerSeen = (row: WorkerRow): WorkerSeen => ({
  id: row.id,
  ...(row.pool !== null && { pool: row.pool }),
  ...(row.podUid !== null && { podUid: row.podUid }),
  ...(row.pod !== null && { pod: row.pod }),
  ...(row.namespace !== null && { namespace: row.namespace }),
  queues: row.queues,
  drained: row.drainSince !== null,
  draining: row.state === "draining" || row.drainSince !== null,
  running: row.running,
  alive: row.isLive,
  leaseMs: row.leaseSeconds * 1000,
  silentMs: row.heartbeatAgeMs,
  progress: {
    state: row.state,
    heartbeatAt: row.heartbeatAt.getTime(),
    startedAt: row.startedAt.getTime(),
    renewing: row.renewing,
    ...(row.loopAgeMs !== null && { loopAgeMs: row.loopAgeMs }),
    ...(row.lastClaimAgeMs !== null && { lastClaimAgeMs: row.lastClaimAgeMs }),
    ...(row.lastFinishAgeMs !== null && { lastFinishAgeMs: row.lastFinishAgeMs }),
    slots: row.concurrency ?? 1,
    slotsBusy: row.slotsBusy ?? 0,
    slotsStuck: row.slotsStuck ?? 0,
  },
});

const restartSeen = (row: RestartRow): RestartSeen => ({
  id: row.id,
  pool: row.pool,
  templateHash: row.templateHash,
  pod: row.pod,
  podUid: row.podUid,
  workerId: row.workerId,
  reason: row.reason,
  asked: row.asked,
  state: row.state,
  isOpen: row.isOpen,
  workerIsBack: row.workerIsBack,
  outcome: row.outcome,
  evidence: row.evidence,
  openedAt: row.openedAt.getTime(),
  ...(row.closedAt && { closedAt: row.closedAt.getTime() }),
  ...(row.refusedMs !== null && { refusedMs: row.refusedMs }),
});

const scheduleSeen = (row: Schedule): ScheduleSeen => ({
  name: row.name,
  queue: row.queue,
  kind: row.kind,
  payload: row.payload,
  options: row.options ?? {},
  cron: row.cron,
  timeZone: row.timeZone,
  missedTicks: row.missedTicks,
  maxMissed: row.maxMissed,
  paused: row.paused,
  owner: row.owner,
});
