/**
 * What the operator knows of a store: plain data that the monitor publishes and decisions read. "Not known" has a shape of
 * its own (`starting`, `down`), so that a store that does not answer never looks like an empty one.
 */
import type { ConditionReason } from "@jobqueue/crds";
import type { CurrentSettings, QueuePolicy, RestartRow, Schedule, VacuumTrouble } from "@jobqueue/store";
import type { CanarySeen } from "./canary.ts";

/** A hold that is in force. Times are RFC 3339 by the database's clock. */
export interface HoldSeen {
  /** `*` is the whole store. */
  readonly queue: string;
  readonly name: string;
  readonly source: string;
  readonly actor: string;
  readonly reason: string;
  readonly since: string;
  /** Absent: until somebody releases it. */
  readonly until?: string;
}

/** Counts of one queue. */
export interface QueueSeen {
  readonly pending: number;
  /** Waiting for their time, or for a retry. */
  readonly scheduled: number;
  readonly running: number;
  readonly dead: number;
  /** Running without a live worker behind them. */
  readonly stale: number;
  /** Age of the oldest pending job by the database's clock; absent when none is pending. */
  readonly oldestPendingSeconds?: number;
}

/** The policy of a queue; null is the default. */
export type PolicySeen = Required<QueuePolicy>;

/** What the store keeps how long, and what sweeps do. */
export type SettingsSeen = CurrentSettings;

/** A schedule. */
export type ScheduleSeen = Pick<
  Schedule,
  "name" | "queue" | "kind" | "payload" | "cron" | "timeZone" | "missedTicks" | "maxMissed" | "paused" | "owner"
> & { readonly options: NonNullable<Schedule["options"]> };

/** A worker that is not known to be gone. */
export interface WorkerSeen {
  readonly id: string;
  /** "namespace/name" of the JobQueue it was started for; absent for workers started by hand. */
  readonly pool?: string;
  readonly podUid?: string;
  readonly pod?: string;
  readonly namespace?: string;
  readonly queues: readonly string[];
  /** It is kept idle, so that its pod can be removed. */
  readonly drained: boolean;
  /** It takes no more jobs: it leaves by itself, or is kept idle. */
  readonly draining: boolean;
  /** Jobs that the store counts as running on it. */
  readonly running: number;
  /** Its lease is in force. */
  readonly alive: boolean;
  /** Length of its lease. */
  readonly leaseMs: number;
  /** Time since its last heartbeat, by the database's clock. */
  readonly silentMs: number;
  readonly progress: WorkerProgress;
}

/** What a worker last said about its progress. Ages are milliseconds, as of its last heartbeat; absent: it has not said. */
export interface WorkerProgress {
  /** `fenced`: its lease was taken for good. `draining`: it leaves by itself. */
  readonly state: "active" | "draining" | "fenced" | "gone";
  /** Last heartbeat, milliseconds by the database's clock. */
  readonly heartbeatAt: number;
  /** When it registered, likewise. */
  readonly startedAt: number;
  /** False: it beats, or beat last, without renewing its lease, because its main loop stood still. */
  readonly renewing: boolean;
  readonly loopAgeMs?: number;
  readonly lastClaimAgeMs?: number;
  readonly lastFinishAgeMs?: number;
  /** Slots it has; 1 when it did not say. */
  readonly slots: number;
  readonly slotsBusy: number;
  readonly slotsStuck: number;
}

/** A restart that is under way, or was decided in the last seven days. Times are milliseconds by the database's clock. */
export type RestartSeen = Pick<
  RestartRow,
  | "id"
  | "pool"
  | "templateHash"
  | "pod"
  | "podUid"
  | "workerId"
  | "reason"
  | "asked"
  | "state"
  | "isOpen"
  | "workerIsBack"
  | "outcome"
> & {
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly openedAt: number;
  /** Absent while it is under way. */
  readonly closedAt?: number;
  /** How long a disruption budget has refused the eviction, milliseconds; absent: it has not. */
  readonly refusedMs?: number;
};

/** One look at everything in a store. */
export interface StoreSnapshot {
  /** When the look began, by the operator's wall clock. */
  readonly at: number;
  /** How far the database's clock was ahead of the operator's then, milliseconds; negative: behind. */
  readonly clockAheadMs: number;
  readonly canary: CanarySeen;
  readonly queues: ReadonlyMap<string, QueueSeen>;
  readonly holds: readonly HoldSeen[];
  readonly workers: readonly WorkerSeen[];
  readonly policies: ReadonlyMap<string, PolicySeen>;
  readonly schedules: readonly ScheduleSeen[];
  readonly settings: SettingsSeen;
  /** The oldest first. */
  readonly restarts: readonly RestartSeen[];
  /** What pools are told: how long a loop may stand still, milliseconds, by "namespace/name". */
  readonly pools: ReadonlyMap<string, number>;
  /** Who has been holding old snapshots, the oldest first. Times are RFC 3339. */
  readonly oldSnapshots: readonly { readonly holder: string; readonly since?: string }[];
  /** What else keeps Postgres from cleaning up behind the queues, the worst first; no number in it changes from look to look. */
  readonly vacuumTroubles: readonly VacuumTrouble[];
}

/** Why a store cannot be reached; a reason of the condition Reachable. */
export type UnreachableReason = Exclude<ConditionReason<"JobStore", "Reachable">, "Connected" | "Connecting">;

/** Which schema a store has, next to the one this program was built with. */
export type SchemaSeen =
  | { readonly is: "compatible"; readonly version: number }
  | { readonly is: "missing" }
  | { readonly is: "older"; readonly version: number }
  | { readonly is: "newer"; readonly version: number };

/** The store answers. */
export interface StoreUp {
  readonly is: "up";
  /** Version of Postgres, such as "18.4". */
  readonly serverVersion: string;
  readonly schema: SchemaSeen;
  /** The last attempt to bring the schema up to date failed: what is and what to do. */
  readonly migrationFailed?: string;
  /** The Secret is gone or unusable now; the connection made from what it held before still works. */
  readonly secretProblem?: string;
  /** Absent unless the schema is compatible. */
  readonly snapshot?: StoreSnapshot;
}

/** The store does not answer, or must not be used. */
export interface StoreDown {
  readonly is: "down";
  readonly reason: UnreachableReason;
  /** What is, and what to do; never a secret, never the server's own words. */
  readonly sentence: string;
}

/** The state of one store. `starting`: not tried since this process leads. */
export type StoreView = { readonly is: "starting" } | StoreDown | StoreUp;
