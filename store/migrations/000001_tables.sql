-- The tables of a store. Nobody but the functions of the later files writes them.
-- All time is clock_timestamp() of this database; names are compared byte by byte.

create table queues (
  name text collate "C" primary key
    check (octet_length(name) <= 63 and name ~ '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$'),
  created_at timestamptz not null default clock_timestamp(),
  max_attempts smallint check (max_attempts between 1 and 1000),
  timeout_ms int check (timeout_ms between 1 and 604800000),
  result_ttl_seconds int check (result_ttl_seconds between 0 and 315360000),
  retry jsonb,
  on_worker_loss text not null default 'retry' check (on_worker_loss in ('retry', 'fail', 'hold')),
  max_recoveries smallint not null default 3 check (max_recoveries between 1 and 1000)
);
comment on table queues is 'Queues that are known: a row appears with the first job or hold, or by ensure_queue or configure_queue.';
comment on column queues.max_attempts is 'For jobs that say nothing of their own; read when a job is enqueued. Null: 5. So are timeout_ms and result_ttl_seconds.';
comment on column queues.retry is 'How long a failed job waits when it says nothing of its own; read when it fails. Null: 1 s, doubled to at most 1 h, 20 % jitter.';
comment on column queues.on_worker_loss is 'What recovery does with a job whose worker was lost, unless the job says otherwise.';
comment on column queues.max_recoveries is 'The loss that makes a job dead (poison).';

create table queue_limits (
  queue text collate "C" primary key,
  max_running int check (max_running between 0 and 1000000),
  max_running_per_key int check (max_running_per_key between 1 and 1000000),
  fair boolean not null default false,
  rate_count int check (rate_count between 1 and 1000000),
  rate_period_ms int check (rate_period_ms between 1 and 86400000),
  tokens float8 not null default 0,
  tokens_at timestamptz not null default clock_timestamp(),
  last_key text collate "C",
  check ((rate_count is null) = (rate_period_ms is null))
) with (fillfactor = 50);
comment on table queue_limits is 'Queues whose claims are limited, and only these: a claim of any other queue pays one probe of this table.';
comment on column queue_limits.max_running is 'Most jobs of the queue that run at once. 0 stops it.';
comment on column queue_limits.max_running_per_key is 'Most jobs of one concurrency key that run at once; the keys take turns then, as with fair.';
comment on column queue_limits.fair is 'The concurrency keys of the queue take turns, so that one with many jobs does not keep the others waiting.';
comment on column queue_limits.rate_count is 'At most so many starts per rate_period_ms: a bucket that holds rate_count and refills evenly.';
comment on column queue_limits.last_key is 'The concurrency key a claim served last: where the next one goes on.';

create table holds (
  queue text collate "C" not null
    check (queue = '*' or (octet_length(queue) <= 63 and queue ~ '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$')),
  name text collate "C" not null check (char_length(name) between 1 and 128),
  source text not null check (source ~ '^[a-z][a-z0-9-]{0,31}$'),
  actor text not null check (char_length(actor) between 1 and 256),
  reason text not null check (char_length(reason) between 1 and 1024),
  since timestamptz not null default clock_timestamp(),
  until timestamptz check (isfinite(until)),
  primary key (queue, name)
);
comment on table holds is 'Why queues are paused. A queue is held while any hold of it, or of *, is in force.';
comment on column holds.until is 'When the hold ends by itself; it needs nobody to write anything.';

create sequence lease_tokens as bigint;
comment on sequence lease_tokens is
  'Lease tokens, one per claim batch. A claim that committed took its token with it to disk, so a crash reuses none.';

create table workers (
  id bigint generated always as identity primary key,
  boot_id text not null check (char_length(boot_id) between 1 and 200),
  pod_uid text check (char_length(pod_uid) <= 200),
  container text not null default 'worker' check (char_length(container) between 1 and 200),
  pod text check (char_length(pod) <= 300),
  namespace text check (char_length(namespace) <= 300),
  node text check (char_length(node) <= 300),
  hostname text check (char_length(hostname) <= 300),
  pid int,
  ppid int,
  image text check (char_length(image) <= 1000),
  run_as text check (char_length(run_as) <= 300),
  cluster text check (char_length(cluster) <= 300),
  version text check (char_length(version) <= 300),
  pool text check (char_length(pool) <= 600),
  queues text[] not null default '{}' check (cardinality(queues) <= 1000),
  kinds text[] check (cardinality(kinds) <= 10000),
  concurrency int check (concurrency >= 0),
  lease_seconds int not null default 30 check (lease_seconds between 1 and 3600),
  state text not null default 'active' check (state in ('active', 'draining', 'fenced', 'gone')),
  started_at timestamptz not null default clock_timestamp(),
  heartbeat_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz not null,
  loop_age_ms bigint,
  last_claim_age_ms bigint,
  last_finish_age_ms bigint,
  renewing boolean not null default true,
  slots_busy int,
  slots_stuck int,
  drain_since timestamptz,
  gone_at timestamptz,
  gone_reason text check (char_length(gone_reason) <= 1024),
  check ((state = 'gone') = (gone_at is not null))
) with (fillfactor = 50);
-- Indexes only on what a heartbeat never changes, so that a heartbeat stays a heap-only update.
create index workers_pod_uid on workers (pod_uid) where pod_uid is not null;
create index workers_boot_id on workers (boot_id);
comment on table workers is 'One row per worker, that is per process incarnation; never updated by jobs, only by heartbeats.';
comment on column workers.lease_until is 'Until when the leases of all its jobs hold. Once passed, never renewed.';
comment on column workers.loop_age_ms is 'As of the last heartbeat: milliseconds since the main loop turned.';
comment on column workers.kinds is 'Kinds it has handlers for; null when it did not say.';
comment on column workers.renewing is 'False while it beats without renewing its lease: its main loop is blocked.';
comment on column workers.last_finish_age_ms is 'As of the last heartbeat: milliseconds since an attempt ended.';
comment on column workers.drain_since is
  'Since when the operator keeps it idle, to remove its pod: it claims nothing, stays up and can be released. Not the draining of a worker that leaves.';
comment on column workers.last_claim_age_ms is 'As of the last heartbeat: milliseconds since a claim finished, or the store said that there is nothing to claim.';

create table leases (
  token bigint primary key,
  worker_id bigint not null,
  claimed_at timestamptz not null default clock_timestamp(),
  ids bigint[] not null,
  traceparent text
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
-- To compress the ids was a sixth of what a claim costs the server.
alter table leases alter column ids set storage external;
create index leases_worker on leases (worker_id);
comment on table leases is
  'Which jobs each claim took: how recovery finds the jobs of a worker without an index that every claim and every finish would pay. A row may outlive its leases; (id, token) in jobs decides.';
comment on column leases.traceparent is 'The span of the claim, where somebody records one: recovery keeps it with each job, for the next attempt to link to.';

-- Checks are evaluated by every insert, claim and failure, so only what the fence and the index conditions stand on is
-- checked here; names, bounds and sizes by the functions that write them.
create table jobs (
  -- What every row has stands first, and in this order without a gap: every update asks for the columns of the indexes, of
  -- both versions of the row, and finds these without a walk over those before them.
  state smallint not null default 0,
  priority smallint not null default 0,
  attempt smallint not null default 0,
  max_attempts smallint not null default 5,
  recoveries smallint not null default 0,
  generation smallint not null default 1,
  limited boolean not null default false,
  -- With room in its pages for the entry of the version that a claim writes.
  id bigint generated always as identity primary key with (fillfactor = 50),
  run_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  queue text collate "C" not null,
  kind text not null,
  payload json not null,
  claimed_at timestamptz,
  deadline timestamptz,
  lease_token bigint,
  last_lease_token bigint,
  worker_id bigint,
  timeout_ms int,
  result_ttl_seconds int,
  concurrency_key text collate "C",
  unique_key text collate "C",
  tag text,
  labels jsonb,
  options jsonb,
  progress jsonb,
  process jsonb,
  exit_code int,
  last_error text,
  errors jsonb,
  last_recovery jsonb,
  check (attempt >= 0 and isfinite(run_at)),
  -- With this, (id, lease_token) alone is the fence: no statement needs to look at the state as well. And nothing counts
  -- for a limit, or is overdue, after it stopped running.
  constraint jobs_state_check check (case when state = 1 then lease_token is not null and worker_id is not null
    else state in (0, 2, 3, 4) and lease_token is null and worker_id is null and not limited and deadline is null end)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0,
        autovacuum_analyze_scale_factor = 0.05);
-- Equals the order of a claim. Jobs whose time has not come are not in it, so a claim never walks over them.
create index jobs_fetch on jobs (queue, priority, run_at, id) where state = 0;
create index jobs_due on jobs (run_at) where state in (2, 3);
-- The next six hold only jobs that have what they are about; all others do not pay for them.
create index jobs_fetch_key on jobs (queue, concurrency_key, priority, run_at, id) where state = 0 and concurrency_key is not null;
create index jobs_limited on jobs (queue, concurrency_key) where limited;
create index jobs_deadline on jobs (deadline) where deadline is not null;
create index jobs_deferred on jobs (id) where state = 4;
create unique index jobs_unique on jobs (unique_key) where unique_key is not null;
create index jobs_app on jobs ((labels ->> 'app_id'), id) where labels ->> 'app_id' is not null;
comment on table jobs is
  'Jobs that are live: pending 0, running 1, scheduled 2, failed and waiting for the next attempt 3, deferred 4.';
comment on column jobs.attempt is 'Attempts spent in this generation, the running one included. Repeats after a recovery, so it is no fence.';
comment on column jobs.recoveries is 'Attempts lost to infrastructure; not spent.';
comment on column jobs.generation is 'A retry by a person begins a new one. One terminal transition each.';
comment on column jobs.lease_token is 'The lease, while it runs. Never reused; increases over the life of a job.';
comment on column jobs.last_lease_token is
  'Token of the last call of fail, snooze or return_unstarted that had an effect, so that a repeated call is known as done.';
comment on column jobs.deadline is 'While a job with a timeout runs: when it is stale although its worker is live. Its timeout, and a grace.';
comment on column jobs.limited is 'It runs, and counts for the limits of its queue.';
comment on column jobs.concurrency_key is
  'Which jobs of the queue share a limit, or take turns with those of other keys. Empty: has none, and its queue lets the keys take turns.';
comment on column jobs.options is 'What few jobs have: retry, on_worker_loss, unique_for_seconds, finaliser, traceparent.';
comment on column jobs.process is 'What runs or ran it, when that is not the worker itself: pid, ppid, run_as.';
comment on column jobs.errors is 'Errors of earlier attempts, oldest first, the last ten: attempt, generation, at, error, exit_code, worker.';

create table job_history (
  id bigint not null,
  generation smallint not null default 1,
  queue text collate "C" not null,
  kind text not null,
  state smallint not null check (state in (10, 11, 12)),
  dead_reason text check (dead_reason in ('attempts', 'permanent', 'poison', 'worker_lost')),
  superseded boolean not null default false,
  priority smallint not null,
  attempt smallint not null,
  max_attempts smallint not null,
  recoveries smallint not null,
  worker_id bigint,
  lease_token bigint,
  timeout_ms int,
  result_ttl_seconds int,
  created_at timestamptz not null,
  run_at timestamptz not null,
  claimed_at timestamptz,
  finished_at timestamptz not null,
  duration_ms int check (duration_ms >= 0),
  result_expires_at timestamptz,
  finaliser_id bigint,
  concurrency_key text collate "C",
  unique_key text collate "C",
  tag text,
  labels jsonb,
  options jsonb,
  payload json not null,
  result json,
  progress jsonb,
  process jsonb,
  exit_code int,
  last_error text,
  errors jsonb,
  last_recovery jsonb,
  check ((state = 12) = (dead_reason is not null))
) partition by range (finished_at);
-- A BRIN would make the insert a sixth cheaper. But under load nobody summarizes it in time, and then one look for a job by
-- its id reads the whole day: 50 ms instead of 0.05 ms at 200,000 rows (measured on PostgreSQL 15).
create index job_history_id on job_history (id);
-- Partial, so that completed jobs, the many, do not pay for it. Lists and counts of what is rare.
create index job_history_ended on job_history (state, queue, id) where state in (11, 12);
create index job_history_result on job_history (result_expires_at) where result_expires_at is not null and result is not null;
-- The runs of one app, as get_jobs asks for them; jobs without that label are not in it.
create index job_history_app on job_history ((labels ->> 'app_id'), id) where labels ->> 'app_id' is not null;
create table job_history_default partition of job_history default;
comment on table job_history is
  'Jobs that are terminal: completed 10, cancelled 11, dead 12. One partition per day (UTC) of finished_at.';
comment on column job_history.superseded is 'A retry began a later generation of this job.';
comment on column job_history.result_expires_at is 'From then on the result reads as null; maintain erases it.';
comment on column job_history.finaliser_id is 'The job that was enqueued because this one ended.';

create table job_dependencies (
  job_id bigint not null,
  depends_on bigint not null,
  policy text not null check (policy in ('cancel', 'run')),
  primary key (job_id, depends_on)
);
create index job_dependencies_on on job_dependencies (depends_on);
comment on table job_dependencies is 'What deferred jobs still wait for; a row goes when the job it depends on ends.';
comment on column job_dependencies.policy is 'What becomes of the waiting job when the other is cancelled, deleted or dead.';

create table kept_keys (
  unique_key text collate "C" primary key,
  job_id bigint not null,
  until timestamptz not null
);
comment on table kept_keys is 'Unique keys that stay taken for a while after their job ended (unique_for_seconds).';

create table cancel_requests (
  job_id bigint primary key,
  lease_token bigint not null,
  worker_id bigint not null,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  reason text not null
);
create index cancel_requests_worker on cancel_requests (worker_id);
comment on table cancel_requests is 'Running jobs that somebody cancelled and whose worker has not answered yet.';

create table schedules (
  name text collate "C" primary key check (octet_length(name) <= 128 and name ~ '^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$'),
  queue text collate "C" not null,
  kind text not null,
  payload json not null default '{}',
  options jsonb not null default '{}',
  cron text not null check (char_length(cron) between 1 and 256),
  time_zone text not null check (char_length(time_zone) between 1 and 64),
  missed_ticks text not null default 'once' check (missed_ticks in ('skip', 'once', 'all')),
  max_missed int not null default 100 check (max_missed between 1 and 1000),
  paused boolean not null default false,
  next_at timestamptz,
  last_tick timestamptz,
  owner text check (char_length(owner) between 1 and 256),
  created_at timestamptz not null default clock_timestamp()
);
create index schedules_next on schedules (next_at) where not paused;
comment on table schedules is 'Jobs that are enqueued at given times. Whoever fires a tick moves next_at in the same transaction.';
comment on column schedules.owner is 'Who keeps it as it is, such as the operator for a JobQueue; null: people.';
comment on column schedules.next_at is 'The next tick. Null: the schedule has no further one.';

create table schedule_ticks (
  schedule text collate "C" not null,
  tick timestamptz not null,
  outcome text not null check (outcome in ('fired', 'duplicate', 'skipped')),
  job_id bigint,
  at timestamptz not null default clock_timestamp(),
  primary key (schedule, tick)
);
comment on table schedule_ticks is 'What became of each tick; kept for 30 days.';

create table store_settings (
  only_row boolean primary key default true check (only_row),
  completed_seconds int not null default 604800 check (completed_seconds between 0 and 315360000),
  cancelled_seconds int not null default 604800 check (cancelled_seconds between 0 and 315360000),
  dead_seconds int not null default 2592000 check (dead_seconds between 3600 and 315360000),
  audit_seconds int not null default 31536000 check (audit_seconds between 86400 and 315360000),
  recovery text not null default 'recover' check (recovery in ('recover', 'report', 'disabled')),
  recovery_grace_seconds int not null default 0 check (recovery_grace_seconds between 0 and 86400)
);
insert into store_settings default values;
comment on table store_settings is 'How long the store keeps what is over, and whether sweeps recover jobs.';

create table pools (
  name text primary key check (char_length(name) between 1 and 600),
  loop_stall_ms int check (loop_stall_ms between 100 and 3600000),
  updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
comment on table pools is 'What the workers of a pool are told with the answer to their heartbeat, so that changing it restarts nothing. No row: they go by their own settings.';
comment on column pools.name is '"namespace/name" of the JobQueue, as workers register it.';
comment on column pools.loop_stall_ms is 'How long a main loop may stand still before the worker stops renewing its lease. Null: as the worker was started with.';

create table restart_intents (
  id bigint generated always as identity primary key,
  pool text not null check (char_length(pool) between 1 and 600),
  queue text not null check (char_length(queue) between 1 and 300),
  template_hash text not null check (char_length(template_hash) between 1 and 200),
  namespace text not null check (char_length(namespace) between 1 and 300),
  pod text not null check (char_length(pod) between 1 and 300),
  pod_uid text not null unique check (char_length(pod_uid) between 1 and 200),
  worker_id bigint,
  node text check (char_length(node) <= 300),
  reason text not null check (char_length(reason) between 1 and 100),
  evidence jsonb not null default '{}',
  asked boolean not null default false,
  term bigint,
  actor text not null,
  state text not null default 'open' check (state in ('open', 'fenced', 'recovered', 'evicted', 'closed', 'abandoned')),
  opened_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  refused_since timestamptz,
  closed_at timestamptz,
  outcome text check (char_length(outcome) <= 1024),
  check ((state in ('closed', 'abandoned')) = (closed_at is not null))
);
create index restart_intents_pool on restart_intents (pool, opened_at);
comment on table restart_intents is 'Restarts of workers, one row per pod for ever: decided, under way, done or given up.';
comment on column restart_intents.template_hash is 'Which pod template the pod was made from: what hangs again and again is held against the template.';
comment on column restart_intents.evidence is 'What was seen when it was decided.';
comment on column restart_intents.asked is 'A person asked for it: it is not counted against the budget.';
comment on column restart_intents.term is 'The term of leadership it was decided in.';
comment on column restart_intents.state is
  'open (decided), fenced (the worker has lost its lease for good), recovered (its jobs were handed on), evicted (the API server agreed to remove the pod), closed (the pod is gone), abandoned (given up before the pod was touched).';
comment on column restart_intents.refused_since is 'Since when a disruption budget has refused the eviction.';

create table audit_events (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  action text not null check (action in ('hold', 'release', 'configure_queue', 'configure_store', 'workers_gone',
    'recover_stale', 'retry', 'cancel', 'delete', 'delete_queue', 'put_schedule', 'delete_schedule', 'pause_schedule', 'trigger_schedule', 'grant_role', 'take_term', 'drain_workers', 'release_workers',
    'configure_pool', 'open_restart', 'advance_restart', 'create_api_key', 'revoke_api_key', 'reveal')),
  actor text not null check (char_length(actor) between 1 and 256),
  source text,
  target text not null,
  reason text,
  before jsonb,
  after jsonb,
  count int not null default 1
);
comment on table audit_events is 'What people and the operator changed; written by the transaction that changed it.';
