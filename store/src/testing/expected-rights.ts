import type { StoreRole } from "../roles/grant-role.ts";

const everyone: readonly StoreRole[] = ["producer", "worker", "operator", "reader", "admin"];
const looking: readonly StoreRole[] = ["operator", "reader", "admin"];
const people: readonly StoreRole[] = ["operator", "admin"];

/**
 * What each role may call and read, as the test of the roles wants it; a public function, a table or a view that is missing
 * here fails that test. Functions whose comment begins with "Internal." are for nobody.
 */
export const EXPECTED_RIGHTS: Readonly<
  Record<"functions" | "relations", Readonly<Record<string, readonly StoreRole[]>>>
> = {
  functions: {
    enqueue: ["producer", "worker", "admin"],
    enqueue_many: ["producer", "worker", "admin"],
    notify_queue: ["producer", "worker", "admin"],
    hint_channel: ["worker", "operator", "reader", "admin"],
    register_worker: ["worker"],
    heartbeat: ["worker"],
    deregister_worker: ["worker"],
    claim: ["worker"],
    claim_batch: ["worker"],
    due_work: ["worker"],
    complete: ["worker"],
    fail: ["worker"],
    snooze: ["worker"],
    return_unstarted: ["worker"],
    acknowledge_cancel: ["worker"],
    cancel_requests: ["worker"],
    progress: ["worker"],
    record_process: ["worker"],
    recover_stale: ["worker", "operator", "admin"],
    release_deferred: ["worker", "operator", "admin"],
    due_schedules: ["worker", "operator", "admin"],
    fire_schedule: ["worker", "operator", "admin"],
    maintain: ["worker", "operator", "admin"],
    ensure_queue: people,
    hold: people,
    release: people,
    configure_queue: people,
    configure_store: people,
    workers_gone: people,
    put_schedule: people,
    delete_schedule: people,
    pause_schedule: people,
    retry_job: ["admin"],
    retry_jobs: ["admin"],
    cancel_job: ["admin"],
    cancel_jobs: ["admin"],
    delete_job: ["admin"],
    delete_jobs: ["admin"],
    delete_queue: people,
    queue_stats: looking,
    why_queue: looking,
    why_job: looking,
    grant_role: [],
    revoke_role: [],
  },
  relations: {
    migrations: everyone,
    v_holds: ["worker", "operator", "reader", "admin"],
    v_queues: looking,
    v_queue_stats: looking,
    v_workers: looking,
    v_runs: looking,
    v_leased: looking,
    v_store_settings: looking,
    v_audit_events: ["admin"],
    v_jobs: ["admin"],
    v_schedules: people,
    role_grants: people,
    audit_events: ["admin"],
    store_settings: ["admin"],
    schedule_ticks: ["admin"],
    jobs: [],
    job_history: [],
    job_dependencies: [],
    kept_keys: [],
    cancel_requests: [],
    leases: [],
    workers: [],
    holds: [],
    queues: [],
    queue_limits: [],
    schedules: [],
  },
};

/** Columns of views for those alone who may read the whole view: a job's payload, or another's, may be in them. */
export const PAYLOAD_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  v_jobs: ["payload", "result", "options"],
  v_schedules: ["payload", "options"],
};
