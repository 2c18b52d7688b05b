-- What people and programs look at. A job whose time has come reads as pending whether or not a claim has noticed.

create view v_workers as
  select w.id, w.state, w.state in ('active', 'draining') and w.lease_until > t.now as is_live,
    w.boot_id, w.pod_uid, w.container, w.pod, w.namespace, w.node, w.hostname, w.pid, w.ppid, w.image, w.run_as, w.cluster,
    w.version, w.pool, w.queues, w.concurrency, w.started_at, w.heartbeat_at,
    (extract(epoch from t.now - w.heartbeat_at) * 1000)::bigint as heartbeat_age_ms,
    w.lease_until, w.lease_seconds, w.loop_age_ms, w.last_claim_age_ms, w.slots_busy, w.slots_stuck,
    (select count(*) from jobs j where j.state = 1 and j.worker_id = w.id) as running,
    w.gone_at, w.gone_reason
  from workers w cross join (select clock_timestamp() as now) t;
comment on view v_workers is 'Workers, with the age of their heartbeat and the number of jobs they run.';

-- Each half reads one table and both have the same types, so that a page by id walks two indexes instead of sorting all.
create view v_jobs as
  select j.id, j.queue, j.kind,
    case when j.state = 1 then 'running' when j.state = 4 then 'deferred' when j.state = 0 or j.run_at <= (select clock_timestamp()) then 'pending'
      when j.state = 2 then 'scheduled' else 'failed' end as state,
    null::text as dead_reason, j.priority::int as priority, j.attempt::int as attempt, j.max_attempts::int as max_attempts,
    j.recoveries::int as recoveries, j.payload, null::json as result, j.last_error, j.unique_key, j.tag, j.labels, j.worker_id,
    j.lease_token, j.created_at, j.run_at, j.claimed_at, null::timestamptz as finished_at, null::int as duration_ms, j.timeout_ms,
    j.state = 1 and not exists (select from workers w where w.id = j.worker_id and w.state in ('active', 'draining')
      and w.lease_until > (select clock_timestamp())) as is_stale,
    (select w.lease_until from workers w where w.id = j.worker_id) as locked_until, j.last_recovery
  from jobs j
  union all
  select h.id, h.queue, h.kind, case h.state when 10 then 'completed' when 11 then 'cancelled' else 'dead' end, h.dead_reason, h.priority::int,
    h.attempt::int, h.max_attempts::int, h.recoveries::int, h.payload, h.result, h.last_error, h.unique_key, h.tag, h.labels,
    h.worker_id, h.lease_token, h.created_at, h.run_at, h.claimed_at, h.finished_at, h.duration_ms, h.timeout_ms,
    false, null::timestamptz, h.last_recovery
  from job_history h;
comment on view v_jobs is 'All jobs, live and finished, with their state in words.';

create function queue_stats()
returns table (queue text, pending bigint, scheduled bigint, running bigint, failed bigint, dead bigint, stale bigint,
  oldest_pending_seconds float8, oldest_pending_since timestamptz)
language sql stable security definer set search_path = {{schema}}, pg_temp as $$
  with live as (
    select w.id from workers w where w.state in ('active', 'draining') and w.lease_until > (select clock_timestamp())),
  counted as (
    select j.queue,
      count(*) filter (where j.state = 0 or (j.state in (2, 3) and j.run_at <= t.now)) as pending,
      count(*) filter (where j.state = 2 and j.run_at > t.now) as scheduled,
      count(*) filter (where j.state = 1) as running,
      count(*) filter (where j.state = 3 and j.run_at > t.now) as failed,
      count(*) filter (where j.state = 1 and not exists (select from live l where l.id = j.worker_id)) as stale,
      -- A run_at in the past only says who goes first; nobody could have claimed the job before it was there.
      min(greatest(j.run_at, j.created_at)) filter (where j.state = 0 or (j.state in (2, 3) and j.run_at <= t.now)) as oldest
    from jobs j cross join (select clock_timestamp() as now) t group by j.queue),
  dead as (
    select h.queue, count(*) as dead from job_history h where h.state = 12 group by h.queue),
  names as (
    select q.name from queues q union select c.queue from counted c union select d.queue from dead d)
  select n.name, coalesce(c.pending, 0), coalesce(c.scheduled, 0), coalesce(c.running, 0), coalesce(c.failed, 0),
    coalesce(d.dead, 0), coalesce(c.stale, 0),
    case when c.oldest is not null then greatest(0, extract(epoch from (select clock_timestamp()) - c.oldest))::float8 end, c.oldest
  from names n left join counted c on c.queue = n.name left join dead d on d.queue = n.name
  order by n.name
$$;
comment on function queue_stats() is
  'Counts of every queue, from one statement. Pending: claimable now, held or not; stale: running jobs that no live worker backs. The oldest pending job counts from when it became claimable.';

create view v_queue_stats as select * from queue_stats();
comment on view v_queue_stats is 'The function queue_stats as a view.';
