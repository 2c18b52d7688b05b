-- What people and programs look at. A job whose time has come reads as pending whether or not a claim has noticed.
-- `stale` is said of a job: it runs, and nothing backs its lease. Of a worker `verdict` says what is wrong with it.

-- Nothing here calls a function of ours: a function in a view needs a right of whoever reads the view.

create view v_workers as
  select w.id, w.state, w.state in ('active', 'draining') and w.lease_until > t.now as is_live, 
    case
      when w.state in ('gone', 'fenced') then w.state
      when w.lease_until <= t.now then 'lapsed'
      when not w.renewing then 'loop_blocked'
      when w.slots_stuck > 0 and w.slots_stuck >= coalesce(w.concurrency, 1) then 'slots_stuck'
      when w.state = 'draining' or w.drain_since is not null then 'draining'
      -- A claim loop that polls claims every few seconds when a slot is free.
      when w.last_claim_age_ms > 60000 and coalesce(w.slots_busy, 0) < coalesce(w.concurrency, 1) then 'claim_stalled'
      else 'healthy' end as verdict,
    w.boot_id, w.pod_uid, w.container, w.pod, w.namespace, w.node, w.hostname, w.pid, w.ppid, w.image, w.run_as, w.cluster,
    w.version, w.pool, w.queues, w.kinds, w.concurrency, w.started_at, w.heartbeat_at,
    (extract(epoch from t.now - w.heartbeat_at) * 1000)::bigint as heartbeat_age_ms,
    w.lease_until, w.lease_seconds, w.renewing, w.loop_age_ms, w.last_claim_age_ms, w.last_finish_age_ms, w.slots_busy, w.slots_stuck,
    (select count(*) from leases l cross join lateral unnest(l.ids) u(id)
      cross join lateral (select from jobs j where j.id = u.id and j.lease_token = l.token offset 0) r
      where l.worker_id = w.id) as running,
    w.gone_at, w.gone_reason, w.drain_since
  from workers w cross join (select clock_timestamp() as now) t;
comment on view v_workers is 'Workers, with what their heartbeats said last and what to think of it.';
comment on column v_workers.is_live is 'Its lease holds: what it runs is not stale.';
comment on column v_workers.verdict is
  'gone (it left, or was seen to be gone), fenced, lapsed (no heartbeat renewed its lease in time), loop_blocked (it beats, but its main loop does not turn, so its lease runs out), slots_stuck (every slot is taken by a handler that ignores its abort signal), draining, claim_stalled (slots are free and no claim finished for a minute), healthy. The first that holds, in the order given here. Of the worker alone: whether a job is stale is is_stale in v_jobs.';
comment on column v_workers.drain_since is 'Since when it is kept idle, so that its pod can be removed (drain_idle_workers).';
comment on column v_workers.running is 'Jobs that the store counts as running on it.';
comment on column v_workers.heartbeat_age_ms is 'Milliseconds since its last heartbeat, renewing or not, by this database''s clock.';

-- Each half reads one table, both have the same types, neither has a condition or calls a volatile function: only then is the union
-- planned as one, so that a page by id walks two indexes instead of sorting a million jobs. So the time is the statement's.
create view v_jobs as
  select u.id, u.queue, u.kind, u.state, u.dead_reason, u.priority, u.attempt, u.max_attempts, u.recoveries, u.generation,
    u.payload, u.result, u.progress, u.last_error, u.errors, u.exit_code, u.unique_key, u.concurrency_key, u.tag, u.labels,
    u.options, u.worker_id, u.lease_token, u.created_at, u.run_at, u.claimed_at, u.finished_at, u.duration_ms, u.timeout_ms,
    u.result_ttl_seconds, u.result_expires_at, u.finaliser_id, u.process, u.cancel_requested, u.is_stale, u.can_retry,
    u.recovery_hint, u.locked_by, u.locked_until, u.last_recovery, u.stored_state, u.is_terminal
  from (
  select j.id, j.queue, j.kind, 
    case when j.state = 1 then 'running' when j.state = 4 then 'deferred' when j.state = 0 or j.run_at <= statement_timestamp() then 'pending'
      when j.state = 2 then 'scheduled' else 'failed' end as state,
    null::text as dead_reason, j.priority::int as priority, j.attempt::int as attempt, j.max_attempts::int as max_attempts,
    j.recoveries::int as recoveries, j.generation::int as generation, j.payload, null::json as result, j.progress, j.last_error, j.errors,
    j.exit_code, j.unique_key, nullif(j.concurrency_key, '') as concurrency_key, j.tag, j.labels, j.options, j.worker_id, j.lease_token, j.created_at, j.run_at, j.claimed_at,
    null::timestamptz as finished_at, null::int as duration_ms, j.timeout_ms, j.result_ttl_seconds, null::timestamptz as result_expires_at,
    null::bigint as finaliser_id, j.process,
    j.state = 1 and exists (select from cancel_requests c where c.job_id = j.id and c.lease_token = j.lease_token) as cancel_requested,
    j.state = 1 and (coalesce(j.deadline <= statement_timestamp(), false) or not exists (select from workers w
      where w.id = j.worker_id and w.state in ('active', 'draining') and w.lease_until > statement_timestamp())) as is_stale,
    j.state = 3 or (j.state = 4 and j.last_recovery ->> 'policy' is not distinct from 'hold') as can_retry,
    case j.state
      when 1 then case
        when j.deadline <= statement_timestamp() then 'It should have ended at its deadline. Its worker still has it: recover-stale hands it on, and what the worker says later is void.'
        else (select case when w.state in ('active', 'draining') and w.lease_until > statement_timestamp()
              then 'Nothing to do: a live worker runs it.'
              else 'Its worker ' || case w.state when 'gone' then 'is gone' when 'fenced' then 'was fenced' else 'fell silent' end || ': sweeps hand it on within seconds, recover-stale does it now.' end
            from workers w where w.id = j.worker_id
          union all select 'Its worker is unknown: sweeps hand it on within seconds, recover-stale does it now.'
            where not exists (select from workers w where w.id = j.worker_id)) end
      when 3 then case when j.run_at > statement_timestamp() then 'It waits for its next attempt; retry starts it at once, with all attempts before it.'
        else 'Nothing to do: its next attempt may start.' end
      when 4 then case when j.last_recovery ->> 'policy' = 'hold' then 'Its worker was lost while it ran, and it is held for a person: find out what it had done, then retry or cancel it.'
        else 'Nothing to do: it starts when the jobs it depends on have ended.' end
    end as recovery_hint,
    case when j.state = 1 then coalesce((select coalesce(w.pod, w.hostname) || '/' from workers w where w.id = j.worker_id), 'worker/') || j.worker_id end as locked_by,
    case when j.state = 1 then least((select w.lease_until from workers w where w.id = j.worker_id), j.deadline) end as locked_until,
    j.last_recovery, j.state as stored_state, false as is_terminal, false as superseded
  from jobs j
  union all
  select h.id, h.queue, h.kind, case h.state when 10 then 'completed' when 11 then 'cancelled' else 'dead' end, h.dead_reason, h.priority::int,
    h.attempt::int, h.max_attempts::int, h.recoveries::int, h.generation::int, h.payload,
    case when h.result_expires_at <= statement_timestamp() then null else h.result end, h.progress, h.last_error, h.errors,
    h.exit_code, h.unique_key, nullif(h.concurrency_key, ''), h.tag, h.labels, h.options, h.worker_id, h.lease_token, h.created_at, h.run_at, h.claimed_at,
    h.finished_at, h.duration_ms, h.timeout_ms, h.result_ttl_seconds, h.result_expires_at, h.finaliser_id, h.process,
    false, false, h.state = 12,
    case when h.state = 12 then case h.dead_reason
      when 'attempts' then 'Its attempts are spent: remove the cause that last_error names, then retry.'
      when 'permanent' then 'Its handler said that trying again is useless: change what it works on before you retry.'
      when 'poison' then 'It lost its worker again and again: find out whether it kills them (memory, crash) before you retry.'
      else 'Its worker was lost while it ran: find out what it had done, then retry.' end end,
    null::text, null::timestamptz, h.last_recovery, h.state, true, h.superseded
  from job_history h) u where not u.superseded;
comment on view v_jobs is 'All jobs, live and ended, as they are now; of a job that was retried only its current generation (v_runs has all).';
comment on column v_jobs.state is 'deferred, scheduled, pending, running, failed (waits for its next attempt), completed, cancelled, dead.';
comment on column v_jobs.stored_state is 'The state as it is stored, which indexes know: pending 0, running 1, scheduled 2, failed 3, deferred 4, completed 10, cancelled 11, dead 12. A scheduled or failed job whose run_at has come reads as pending in state.';
comment on column v_jobs.is_terminal is 'Completed, cancelled or dead. A condition on it, or on neither, decides whether one table is read or two.';
comment on column v_jobs.dead_reason is 'Why a dead job is dead: attempts (spent), permanent (its handler said so), poison (it lost too many workers), worker_lost (policy fail).';
comment on column v_jobs.is_stale is 'It runs, and its worker''s lease has lapsed, or the worker is gone, fenced or unknown, or its own deadline has passed. Recovery takes it.';
comment on column v_jobs.can_retry is 'retry_job would accept it: failed, dead, or held by recovery. (Refused still while another live job has its unique key.)';
comment on column v_jobs.recovery_hint is 'What a person can do about it, in words; null when there is nothing to say.';
comment on column v_jobs.locked_by is 'Who runs it: pod or host of the worker, and its id.';
comment on column v_jobs.locked_until is 'Until when its lease holds unless renewed: the end of the worker''s lease or the job''s deadline, whichever comes first.';
comment on column v_jobs.result is 'What its handler returned; null from result_expires_at on.';
comment on column v_jobs.cancel_requested is 'It runs, and its worker has been asked to stop it.';
comment on column v_jobs.errors is 'Errors of earlier attempts, oldest first, at most ten.';

create view v_runs as
  with run as (
    select j.id as job_id, j.generation, j.labels, j.tag, j.kind, j.queue, j.created_at, j.claimed_at, null::timestamptz as finished_at,
      null::int as exit_code, 0 as status, j.process, j.worker_id
    from jobs j
    union all
    select h.id, h.generation, h.labels, h.tag, h.kind, h.queue, h.created_at, h.claimed_at, h.finished_at,
      coalesce(h.exit_code, case when h.state = 10 then 0 end),
      case when h.finaliser_id is not null and exists (select from job_history f where f.id = h.finaliser_id and f.state = 10) then 2 else 1 end,
      h.process, h.worker_id
    from job_history h)
  select case r.generation when 1 then r.job_id::text else r.job_id || '.' || r.generation end as id,
    coalesce(r.process ->> 'ppid', w.ppid::text) as ppid, coalesce(r.process ->> 'pid', w.pid::text) as pid,
    coalesce(r.labels ->> 'key', r.job_id || '.' || r.generation) as key, coalesce(r.labels ->> 'remote_id', w.pod) as remote_id,
    r.labels ->> 'app_id' as app_id, r.labels ->> 'variant_id' as variant_id, r.labels ->> 'bundle_id' as bundle_id,
    r.claimed_at as start_time, r.finished_at as end_time,
    case when r.claimed_at is not null then least(w.heartbeat_at, coalesce(r.finished_at, w.heartbeat_at)) end as last_heartbeat_time,
    r.created_at as queued_time, r.queue as queue_name, coalesce(r.tag, r.kind) as tag, r.exit_code, r.status,
    coalesce(w.node, w.hostname) as hostname, w.cluster, w.image, coalesce(r.process ->> 'run_as', w.run_as) as run_as,
    r.job_id, r.generation::int as generation
  from run r left join workers w on w.id = r.worker_id;
comment on view v_runs is
  'One row per generation of every job, in the fields and types of the get_jobs call of Posit Connect; job_id and generation are ours. A retry by a person begins a new generation. What the run did not record itself is that of the worker that had it.';
comment on column v_runs.id is 'The run: the id of the job, with the generation behind a dot from the second on.';
comment on column v_runs.ppid is 'Parent process of the process that runs or ran it; text, as in the source.';
comment on column v_runs.pid is 'Process that runs or ran it: that of an executable handler, else the worker''s.';
comment on column v_runs.key is 'The label key, else job and generation: unique to the run.';
comment on column v_runs.remote_id is 'The label remote_id, else the pod.';
comment on column v_runs.app_id is 'The label app_id; variant_id and bundle_id likewise.';
comment on column v_runs.start_time is 'When its present or last attempt was claimed; null before the first.';
comment on column v_runs.end_time is 'When it was completed, cancelled or dead; null while it is live.';
comment on column v_runs.last_heartbeat_time is 'Last heartbeat of its worker while it ran.';
comment on column v_runs.queued_time is 'When it was enqueued.';
comment on column v_runs.tag is 'Its tag, else its kind.';
comment on column v_runs.exit_code is 'Only of a run that has ended: that of its process; 0 of one completed by a handler that has none; null of others.';
comment on column v_runs.status is '0 active: not ended, also between attempts. 1 finished: completed, cancelled or dead. 2 finalized: ended, and its finaliser job has completed.';
comment on column v_runs.hostname is 'The node that processes or processed it, outside a cluster the host.';

create function queue_stats()
returns table (queue text, pending bigint, scheduled bigint, running bigint, failed bigint, dead bigint, stale bigint,
  oldest_pending_seconds float8, oldest_pending_since timestamptz, deferred bigint, cancelled bigint, held boolean,
  max_running int, max_running_per_key int, fair boolean, rate_count int, rate_period_ms int)
language sql stable security definer set search_path = {{schema}}, pg_temp as $$
  with live as (
    select w.id from workers w where w.state in ('active', 'draining') and w.lease_until > (select clock_timestamp())),
  counted as (
    select j.queue,
      count(*) filter (where j.state = 0 or (j.state in (2, 3) and j.run_at <= t.now)) as pending,
      count(*) filter (where j.state = 2 and j.run_at > t.now) as scheduled,
      count(*) filter (where j.state = 1) as running,
      count(*) filter (where j.state = 3 and j.run_at > t.now) as failed,
      count(*) filter (where j.state = 4) as deferred,
      count(*) filter (where j.state = 1 and (j.deadline <= t.now or not exists (select from live l where l.id = j.worker_id))) as stale,
      -- A run_at in the past only says who goes first; nobody could have claimed the job before it was there.
      min(greatest(j.run_at, j.created_at)) filter (where j.state = 0 or (j.state in (2, 3) and j.run_at <= t.now)) as oldest
    from jobs j cross join (select clock_timestamp() as now) t group by j.queue),
  ended as (
    select h.queue, count(*) filter (where h.state = 12) as dead, count(*) filter (where h.state = 11) as cancelled
    from job_history h where h.state in (11, 12) and not h.superseded group by h.queue),
  names as (
    select q.name from queues q union select c.queue from counted c union select e.queue from ended e)
  select n.name, coalesce(c.pending, 0), coalesce(c.scheduled, 0), coalesce(c.running, 0), coalesce(c.failed, 0),
    coalesce(e.dead, 0), coalesce(c.stale, 0),
    case when c.oldest is not null then greatest(0, extract(epoch from (select clock_timestamp()) - c.oldest))::float8 end, c.oldest,
    coalesce(c.deferred, 0), coalesce(e.cancelled, 0),
    exists (select from holds o where o.queue in ('*', n.name) and (o.until is null or o.until > (select clock_timestamp()))),
    l.max_running, l.max_running_per_key, coalesce(l.fair, false), l.rate_count, l.rate_period_ms
  from names n left join counted c on c.queue = n.name left join ended e on e.queue = n.name left join queue_limits l on l.queue = n.name
  order by n.name
$$;
comment on function queue_stats() is
  'Counts of every queue, from one statement and hence one instant. Pending: claimable now, held or not; stale: running jobs that no live worker backs or whose deadline passed; dead and cancelled: those still kept. The oldest pending job counts from when it became claimable. held: whether any hold, its own or of *, is in force; then the limits, null where there is none.';

create view v_queue_stats as select * from queue_stats();
comment on view v_queue_stats is 'The function queue_stats as a view.';

create function job_counts() returns table (queue text, kind text, state text, jobs bigint)
language sql stable security definer set search_path = {{schema}}, pg_temp as $$
  with counted as (
    select j.queue, j.kind, case when j.state in (2, 3) and j.run_at <= t.now then 0 else j.state end as state, count(*) as jobs
    from jobs j cross join (select clock_timestamp() as now) t group by 1, 2, 3
    union all
    select h.queue, h.kind, h.state, count(*) from job_history h where not h.superseded group by 1, 2, 3)
  select c.queue, c.kind, state_name_at(c.state, 'infinity', '-infinity'), c.jobs from counted c order by 1, 2, 3
$$;
comment on function job_counts() is
  'How many jobs there are by queue, kind and state, those that ended included as long as they are kept. It reads every job: seconds where there are tens of millions. queue_stats is the quick look.';

create view v_queues as
  select q.name, q.created_at, q.max_attempts::int as max_attempts, q.timeout_ms, q.result_ttl_seconds, q.retry, q.on_worker_loss,
    q.max_recoveries::int as max_recoveries, l.max_running, l.max_running_per_key, coalesce(l.fair, false) as fair, l.rate_count,
    l.rate_period_ms,
    exists (select from holds h where h.queue in ('*', q.name) and (h.until is null or h.until > (select clock_timestamp()))) as held
  from queues q left join queue_limits l on l.queue = q.name;
comment on view v_queues is 'Queues that are known, their policy and limits (null: the default, no limit), and whether any hold is in force.';

create view v_schedules as
  select s.name, s.queue, s.kind, s.payload, s.options, s.cron, s.time_zone, s.missed_ticks, s.max_missed, s.paused, s.next_at, s.last_tick,
    s.owner, s.created_at, not s.paused and s.next_at <= (select clock_timestamp()) as is_due, t.tick as last_outcome_tick, t.outcome as last_outcome,
    t.job_id as last_job_id
  from schedules s left join lateral (
    select k.tick, k.outcome, k.job_id from schedule_ticks k where k.schedule = s.name order by k.tick desc limit 1) t on true;
comment on view v_schedules is 'Schedules, whether a tick is due, and what became of the latest one: fired, skipped, or duplicate (its job was there already).';

create view v_leased as
  select u.id as job_id, l.token as lease_token, l.worker_id, l.claimed_at from leases l cross join lateral unnest(l.ids) u(id);
comment on view v_leased is 'Jobs that claims took, as the lease rows name them: the way to running jobs that needs no index on them. May name jobs that have ended since; v_jobs decides.';

create view v_audit_events as
  select e.id, e.at, e.action, e.actor, e.source, e.target, e.reason, e.before, e.after, e.count,
    case when e.action = 'retry' then 'admin_job_retry'
      when e.action = 'recover_stale' and e.actor <> 'sweep' and e.actor not like 'jobqueue-operator%' then 'admin_jobs_recover_stale'
      else e.action end as event
  from audit_events e;
comment on column v_audit_events.event is 'The action, by the name that Publaryn''s recovery runbook gives it where it has one: admin_job_retry, and admin_jobs_recover_stale for a recovery that a person asked for.';
comment on view v_audit_events is 'What people and the operator changed: who, when, why, what was before and what after. Never holds payloads, results or errors.';

create view v_store_settings as
  select s.completed_seconds, s.cancelled_seconds, s.dead_seconds, s.audit_seconds, s.recovery, s.recovery_grace_seconds from store_settings s;
comment on view v_store_settings is 'How long the store keeps what is over, and what sweeps do; see configure_store.';
