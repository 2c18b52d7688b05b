/** The store: a queue in a Postgres schema. README.md beside `src/` describes the protocols; the SQL is the contract. */
export {
  type ApiKey,
  createApiKey,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
  useApiKey,
} from "./api-keys/api-keys.ts";
export { CREDENTIAL_FILES, currentSettings } from "./connection/credential-files.ts";
export { connectionFrom } from "./connection/told-connection.ts";
export { type AuditEvent, type AuditFilter, listAuditEvents } from "./audit/list-audit-events.ts";
export { Database, type DatabaseOptions } from "./connection/database.ts";
export { hintChannel, QueueHints, type QueueHintsOptions } from "./connection/queue-hints.ts";
export { quoteIdentifier } from "./connection/identifier.ts";
export {
  type ConnectionSettings,
  parseStoreUrl,
  TLS_MODES,
  type TlsMode,
  type TlsSettings,
} from "./connection/settings.ts";
export { type RetryAdvice, StoreError, type StoreErrorCode } from "./errors.ts";
export { isLegalTransition, JOB_STATE_NAMES, JOB_STATES, type JobState } from "./job-state.ts";
export {
  type Act,
  cancelJob,
  type CancelOutcome,
  deleteJob,
  type DeleteOutcome,
  retryJob,
  type RetryOutcome,
} from "./jobs/act-on-job.ts";
export {
  type BulkAct,
  type BulkFilter,
  type BulkOutcome,
  cancelJobs,
  deleteJobs,
  retryJobs,
} from "./jobs/act-on-jobs.ts";
export { acknowledgeCancel, type CancelRequest, cancelRequests, type StoppedJob } from "./jobs/cancel-requests.ts";
export { activeJobs, type ActiveJobs } from "./jobs/active-jobs.ts";
export { claim, type ClaimedJob, type ClaimedRow, type ClaimFloor, type ClaimRequest } from "./jobs/claim.ts";
export { claimBatch, type ClaimedBatch } from "./jobs/claim-batch.ts";
export { complete, type CompletedJob } from "./jobs/complete.ts";
export { type Dependency, enqueue, type Enqueued, enqueueMany, type Finaliser, type NewJob } from "./jobs/enqueue.ts";
export { fail, type FailedJob } from "./jobs/fail.ts";
export type { DeadReason, Job, JobAttemptError, JobRecovery } from "./jobs/job.ts";
export { type LeasedJob } from "./jobs/leases.ts";
export { MAX_JSON_BYTES, MAX_JSON_DEPTH, toJsonText } from "./jobs/json-value.ts";
export { progress } from "./jobs/progress.ts";
export { listRuns, type Run, type RunFilter } from "./jobs/list-runs.ts";
export { getJob, type JobFilter, type JobOrder, listJobs } from "./jobs/read-jobs.ts";
export { type JobProcess, recordProcess } from "./jobs/record-process.ts";
export { type LossPolicy, type RecoveredJob, type RecoveryRequest, recoverStale } from "./jobs/recover-stale.ts";
export { releaseDeferred } from "./jobs/release-deferred.ts";
export { returnUnstarted } from "./jobs/return-unstarted.ts";
export { reveal, type Revealed } from "./jobs/reveal.ts";
export { snooze, type SnoozedJob } from "./jobs/snooze.ts";
export { waitFor, type WaitOptions } from "./jobs/wait-for.ts";
export {
  beatCanary,
  lastLeader,
  type LeaderSeen,
  type LeaderTerm,
  takeTerm,
  underTerm,
} from "./leaders/leader-term.ts";
export { configureStore, type RecoveryMode, type StoreSettings } from "./maintenance/configure-store.ts";
export { maintain } from "./maintenance/maintain.ts";
export { type CurrentSettings, storeSettings } from "./maintenance/store-settings.ts";
export { vacuumFacts } from "./maintenance/vacuum-facts.ts";
export { type VacuumReason, type VacuumTrouble, vacuumTroubles } from "./maintenance/vacuum-troubles.ts";
export { migrate, type MigrationResult } from "./migrations/migrate.ts";
export { SCHEMA_VERSION, schemaVersion } from "./migrations/schema-version.ts";
export { configurePool, listPools, type PoolRow, type PoolSettings } from "./pools/configure-pool.ts";
export { configureQueue, type QueuePolicy } from "./queues/configure-queue.ts";
export { queuePolicies, queuePolicy } from "./queues/queue-policy.ts";
export { type OldSnapshot, oldSnapshots } from "./old-snapshots.ts";
export { deleteQueue, type QueueDeletion } from "./queues/delete-queue.ts";
export { ensureQueue, notifyQueue } from "./queues/ensure-queue.ts";
export { hold, type NewHold } from "./queues/hold.ts";
export { type JobCount, jobCounts } from "./queues/job-counts.ts";
export { type EndedMinute, endedPerMinute } from "./queues/ended-per-minute.ts";
export { type Hold, listHolds } from "./queues/list-holds.ts";
export { type QueueStats, queueStats } from "./queues/queue-stats.ts";
export { release, type Release } from "./queues/release.ts";
export { type Reason, whyJob, whyQueue } from "./queues/why.ts";
export { advanceRestart, type RestartAdvance, type RestartStep } from "./restarts/advance-restart.ts";
export { listRestarts, type RestartRow, type RestartState } from "./restarts/list-restarts.ts";
export {
  type HungVerdict,
  type NewRestart,
  type OpenedRestart,
  openRestart,
  type RestartBudget,
  type RestartRefusal,
} from "./restarts/open-restart.ts";
export type { RetryPolicy } from "./retry-policy.ts";
export { fireDueSchedules, type FiredSchedule } from "./schedules/fire-due-schedules.ts";
export {
  getSchedule,
  listSchedules,
  listTicks,
  type Schedule,
  type ScheduleTick,
  type TickOutcome,
} from "./schedules/list-schedules.ts";
export { nextTicks } from "./schedules/next-ticks.ts";
export { type DueSchedule, type MissedTicks, planTicks, type TickPlan } from "./schedules/plan-ticks.ts";
export { revealSchedules, type RevealedSchedule } from "./schedules/reveal-schedules.ts";
export {
  deleteSchedule,
  type NewSchedule,
  pauseSchedule,
  putSchedule,
  triggerSchedule,
} from "./schedules/put-schedule.ts";
export { grantRole, revokeRole, type StoreRole } from "./roles/grant-role.ts";
export { listRoleGrants, type RoleGrant } from "./roles/list-role-grants.ts";
export { type ServerFacts, serverFacts } from "./server-facts.ts";
export { type QueryableClient, type Session, sessionOn } from "./session.ts";
export { SQLSTATE_RULES, type SqlstateRule, toStoreError } from "./sqlstate.ts";
export { shareMetrics } from "./telemetry/metrics-bridge.ts";
export { commonQueue, errorClass, markFailed, messagingAttributes } from "./telemetry/span-facts.ts";
export { formatTraceparent, parseTraceparent } from "./telemetry/trace-context.ts";
export { currentTracer } from "./telemetry/tracer.ts";
export { type DueWork, dueWork } from "./workers/due-work.ts";
export { type HeartbeatFacts, heartbeat, type RenewedLease } from "./workers/heartbeat.ts";
export { listWorkers, type WorkerRow, type WorkerVerdict } from "./workers/list-workers.ts";
export { deregisterWorker, registerWorker, type WorkerFacts } from "./workers/register-worker.ts";
export {
  type DrainedWorker,
  drainIdleWorkers,
  type IdleWorkersWanted,
  releaseDrainedWorkers,
} from "./workers/drain-workers.ts";
export { type GonePods, workersGone } from "./workers/workers-gone.ts";
