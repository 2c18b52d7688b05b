-- The tables of a store. Nobody but the functions of the later files writes them.
-- All time is clock_timestamp() of this database; names are compared byte by byte.

create table queues (
  name text collate "C" primary key
    check (octet_length(name) <= 63 and name ~ '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$'),
  created_at timestamptz not null default clock_timestamp()
);
comment on table queues is 'Queues that are known: a row appears with the first job or hold, or by ensure_queue.';

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
  concurrency int check (concurrency >= 0),
  lease_seconds int not null default 30 check (lease_seconds between 1 and 3600),
  state text not null default 'active' check (state in ('active', 'draining', 'fenced', 'gone')),
  started_at timestamptz not null default clock_timestamp(),
  heartbeat_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz not null,
  loop_age_ms bigint,
  last_claim_age_ms bigint,
  slots_busy int,
  slots_stuck int,
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
comment on column workers.last_claim_age_ms is 'As of the last heartbeat: milliseconds since a claim finished.';

create table jobs (
  id bigint generated always as identity primary key,
  run_at timestamptz not null default clock_timestamp() check (isfinite(run_at)),
  created_at timestamptz not null default clock_timestamp(),
  claimed_at timestamptz,
  lease_token bigint,
  last_lease_token bigint,
  worker_id bigint,
  timeout_ms int check (timeout_ms between 1 and 604800000),
  state smallint not null default 0 check (state in (0, 1, 2, 3)),
  priority smallint not null default 0,
  attempt smallint not null default 0 check (attempt >= 0),
  max_attempts smallint not null default 5 check (max_attempts between 1 and 1000),
  recoveries smallint not null default 0 check (recoveries >= 0),
  queue text collate "C" not null check (octet_length(queue) between 1 and 63),
  kind text not null check (octet_length(kind) between 1 and 128),
  unique_key text collate "C" check (char_length(unique_key) between 1 and 200),
  tag text check (char_length(tag) between 1 and 200),
  labels jsonb,
  -- What is stored, compressed or not: looking at the text itself would fetch large payloads on every update.
  payload json not null check (pg_column_size(payload) <= 1048640),
  last_error text check (char_length(last_error) <= 8192),
  last_recovery jsonb,
  -- With this, (id, lease_token) alone is the fence: no statement needs to look at the state as well.
  check ((state = 1) = (lease_token is not null)),
  check ((state = 1) = (worker_id is not null))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0,
        autovacuum_analyze_scale_factor = 0.05);
-- Equals the order of a claim. Jobs whose time has not come are not in it, so a claim never walks over them.
create index jobs_fetch on jobs (queue, priority, run_at, id) where state = 0;
create index jobs_due on jobs (run_at) where state in (2, 3);
create index jobs_running on jobs (worker_id, queue) where state = 1;
create unique index jobs_unique on jobs (unique_key) where unique_key is not null;
comment on table jobs is 'Jobs that are live: pending 0, running 1, scheduled 2, failed and waiting for the next attempt 3.';
comment on column jobs.attempt is 'Attempts spent, the running one included. Repeats after a recovery, so it is no fence.';
comment on column jobs.recoveries is 'Attempts lost to infrastructure; not spent.';
comment on column jobs.lease_token is 'The lease, while it runs. Never reused; increases over the life of a job.';
comment on column jobs.last_lease_token is
  'Token of the last call of fail or return_unstarted that had an effect, so that a repeated call is known as done.';

create table job_history (
  id bigint not null,
  queue text collate "C" not null,
  kind text not null,
  state smallint not null check (state in (10, 12)),
  dead_reason text check (dead_reason in ('attempts', 'poison')),
  priority smallint not null,
  attempt smallint not null,
  max_attempts smallint not null,
  recoveries smallint not null,
  worker_id bigint,
  lease_token bigint,
  timeout_ms int,
  created_at timestamptz not null,
  run_at timestamptz not null,
  claimed_at timestamptz,
  finished_at timestamptz not null,
  duration_ms int check (duration_ms >= 0),
  unique_key text collate "C",
  tag text,
  labels jsonb,
  payload json not null,
  result json,
  last_error text,
  last_recovery jsonb,
  check ((state = 12) = (dead_reason is not null))
) partition by range (finished_at);
create index job_history_id on job_history (id);
-- Partial, so that completed jobs, the many, do not pay for it.
create index job_history_dead on job_history (queue, finished_at) where state = 12;
create table job_history_default partition of job_history default;
comment on table job_history is 'Jobs that are terminal: completed 10, dead 12. One partition per day (UTC) of finished_at.';

create table audit_events (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  action text not null check (action in ('hold', 'release', 'workers_gone', 'recover_stale')),
  actor text not null check (char_length(actor) between 1 and 256),
  source text,
  target text not null,
  reason text,
  before jsonb,
  after jsonb,
  count int not null default 1
);
comment on table audit_events is 'What people and the operator changed; written by the transaction that changed it.';
