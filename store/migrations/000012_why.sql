-- Why does it not run? Facts that stand in the way, most important first: what a person has to change before the next one
-- matters at all.

create function why_queue(queue text) returns table (rank int, code text, message text, detail jsonb)
language plpgsql stable security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_limits queue_limits;
  v_running bigint;
  v_limited bigint;
  v_tokens float8;
  v_serving bigint[];
  v_rank int := 0;
  v_pending boolean;
  v_next timestamptz;
  r record;
begin
  select exists (select from jobs j where j.queue = why_queue.queue and j.state = 0)
    or exists (select from jobs j where j.state in (2, 3) and j.run_at <= v_now and j.queue = why_queue.queue) into v_pending;
  if not v_pending and not exists (select from queues q where q.name = why_queue.queue)
    and not exists (select from jobs j where j.queue = why_queue.queue limit 1) then
    return query select 1, 'unknown_queue', format('No queue is called %s: it has had no job, no hold and no policy.', why_queue.queue), '{}'::jsonb;
    return;
  end if;

  for r in select h.* from holds h where h.queue in ('*', why_queue.queue) and (h.until is null or h.until > v_now)
      order by h.queue = '*' desc, h.since loop
    v_rank := v_rank + 1;
    return query select v_rank, 'held', format('%s is held by %s (%s): %s. Release the hold %s%s.', case r.queue when '*' then 'Every queue' else 'It' end,
        r.actor, r.source, r.reason, r.name, coalesce(', or wait until ' || r.until, '')),
      jsonb_build_object('queue', r.queue, 'name', r.name, 'source', r.source, 'actor', r.actor, 'since', r.since, 'until', r.until);
  end loop;

  select array_agg(w.id) from workers w where why_queue.queue = any(w.queues) and w.state in ('active', 'draining') and w.lease_until > v_now into v_serving;
  if v_serving is null then
    v_rank := v_rank + 1;
    return query select v_rank, 'no_worker', coalesce((select format('No live worker serves it; the last one, %s, was heard %s s ago.', coalesce(w.pod, w.hostname, w.id::text),
        round(extract(epoch from v_now - w.heartbeat_at))) from workers w where why_queue.queue = any(w.queues) order by w.heartbeat_at desc limit 1),
        'No worker that serves it has ever registered. Start one with this queue among its queues.'), '{}'::jsonb;
  elsif not exists (select from v_workers w where w.id = any(v_serving) and w.verdict = 'healthy') then
    v_rank := v_rank + 1;
    return query select v_rank, 'no_healthy_worker', format('Workers serve it, but none is healthy: %s.', (select string_agg(s.count || ' ' || s.verdict, ', ')
        from (select w.verdict, count(*) from v_workers w where w.id = any(v_serving) group by 1 order by 2 desc) s)), jsonb_build_object('workers', v_serving);
  end if;

  select * from queue_limits l where l.queue = why_queue.queue into v_limits;
  if v_limits.queue is not null then
    select count(*) from jobs j where j.limited and j.queue = why_queue.queue into v_limited;
    if v_limits.max_running = 0 then
      v_rank := v_rank + 1;
      return query select v_rank, 'stopped', 'Its max_running is 0, which stops it. Set a higher one, or null.', '{"max_running": 0}'::jsonb;
    elsif v_limited >= v_limits.max_running then
      v_rank := v_rank + 1;
      return query select v_rank, 'max_running', format('%s of its jobs run, as many as max_running allows: the next starts when one of them ends.', v_limited),
        jsonb_build_object('running', v_limited, 'max_running', v_limits.max_running);
    end if;
    v_tokens := case when v_limits.rate_count is not null then least(v_limits.rate_count, v_limits.tokens
      + extract(epoch from v_now - v_limits.tokens_at) * 1000 * v_limits.rate_count / v_limits.rate_period_ms) end;
    if v_tokens < 1 then
      v_rank := v_rank + 1;
      return query select v_rank, 'rate', format('Its rate of %s per %s s is used up: the next may start in %s s.', v_limits.rate_count, v_limits.rate_period_ms / 1000.0,
          round(((1 - v_tokens) * v_limits.rate_period_ms / v_limits.rate_count / 1000)::numeric, 1)), jsonb_build_object('rate_count', v_limits.rate_count, 'rate_period_ms', v_limits.rate_period_ms);
    end if;
    if v_limits.max_running_per_key is not null then
      for r in select k.concurrency_key, count(*) as running from jobs k where k.limited and k.queue = why_queue.queue and k.concurrency_key <> ''
          group by 1 having count(*) >= v_limits.max_running_per_key order by 2 desc limit 5 loop
        v_rank := v_rank + 1;
        return query select v_rank, 'max_running_per_key', format('%s jobs of the concurrency key %s run, as many as max_running_per_key allows.', r.running, quote_literal(r.concurrency_key)),
          jsonb_build_object('concurrency_key', r.concurrency_key, 'running', r.running, 'max_running_per_key', v_limits.max_running_per_key);
      end loop;
    end if;
  end if;

  if v_pending and v_serving is not null then
    if not exists (select from workers w where w.id = any(v_serving) and coalesce(w.slots_busy, 0) < coalesce(w.concurrency, 1)) then
      v_rank := v_rank + 1;
      return query select v_rank, 'slots_busy', format('All slots of the %s workers that serve it are busy. More workers, or more slots, start it sooner.', cardinality(v_serving)),
        jsonb_build_object('workers', v_serving);
    end if;
    for r in select e.name from (select distinct e.name from workers w cross join lateral unnest(w.queues) with ordinality e(name, at)
          where w.id = any(v_serving) and e.at < array_position(w.queues, why_queue.queue)) e
        where exists (select from jobs j where j.queue = e.name and j.state = 0)
          and not exists (select from holds h where h.queue in ('*', e.name) and (h.until is null or h.until > v_now)) order by 1 limit 5 loop
      v_rank := v_rank + 1;
      return query select v_rank, 'earlier_queue', format('Workers take the queue %s before it, and that has pending jobs.', r.name), jsonb_build_object('queue', r.name);
    end loop;
    for r in select j.kind, count(*) as jobs from (select j.kind from jobs j where j.queue = why_queue.queue and j.state = 0 order by j.priority, j.run_at, j.id limit 1000) j
        where not exists (select from workers w where w.id = any(v_serving) and (w.kinds is null or j.kind = any(w.kinds)))
        group by 1 order by 2 desc limit 5 loop
      v_rank := v_rank + 1;
      return query select v_rank, 'no_handler', format('No worker that serves it has a handler for the kind %s (%s of the first 1000 pending jobs).', r.kind, r.jobs),
        jsonb_build_object('kind', r.kind, 'jobs', r.jobs);
    end loop;
  end if;
  if not v_pending then
    select min(j.run_at) from jobs j where j.state in (2, 3) and j.run_at > v_now and j.queue = why_queue.queue into v_next;
    v_rank := v_rank + 1;
    return query select v_rank, 'nothing_pending', 'It has no job that could start now' || coalesce('; the next one''s time comes at ' || v_next || '.',
      case when exists (select from jobs j where j.state = 4 and j.queue = why_queue.queue) then '; its jobs wait for others, or are held by recovery.' else '.' end),
      jsonb_build_object('next_run_at', v_next);
  end if;
  if v_rank = 0 then
    return query select 1, 'nothing', 'Nothing stands in its way: jobs start as workers claim them.', '{}'::jsonb;
  end if;
end $$;
comment on function why_queue(text) is
  'Why jobs of a queue do not start, most important reason first. Codes: unknown_queue, held, no_worker, no_healthy_worker, stopped, max_running, rate, max_running_per_key, slots_busy, earlier_queue, no_handler, nothing_pending, nothing (nothing stands in the way). message is for people, detail for programs.';

create function why_job(id bigint) returns table (rank int, code text, message text, detail jsonb)
language plpgsql stable security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_job v_jobs;
  v_ahead bigint;
begin
  select * from v_jobs j where j.id = why_job.id into v_job;
  if v_job.id is null then
    return query select 1, 'not_found', format('There is no job %s: it never was, was deleted, or ended longer ago than the store keeps.', why_job.id), '{}'::jsonb;
  elsif v_job.stored_state >= 10 then
    return query select 1, v_job.state, case v_job.state when 'completed' then format('It was completed at %s.', v_job.finished_at)
      when 'cancelled' then format('It was cancelled at %s%s.', v_job.finished_at, coalesce(': ' || left(v_job.last_error, 200), ''))
      else format('It is dead since %s (%s). %s', v_job.finished_at, v_job.dead_reason, v_job.recovery_hint) end,
      jsonb_build_object('finished_at', v_job.finished_at, 'dead_reason', v_job.dead_reason);
  elsif v_job.state = 'running' then
    return query select 1, case when v_job.is_stale then 'stale' when v_job.cancel_requested then 'cancel_requested' else 'running' end,
      format('%s has had it since %s. %s%s', v_job.locked_by, v_job.claimed_at, v_job.recovery_hint,
        case when v_job.cancel_requested then ' Its worker has been asked to stop it.' else '' end),
      jsonb_build_object('worker', v_job.worker_id, 'claimed_at', v_job.claimed_at, 'locked_until', v_job.locked_until);
  elsif v_job.state = 'deferred' then
    if v_job.can_retry then
      return query select 1, 'held_by_recovery', v_job.recovery_hint, v_job.last_recovery;
    elsif not exists (select from job_dependencies d where d.job_id = why_job.id) then
      return query select 1, 'releasing', 'What it waited for has ended: a sweep releases it within seconds.', '{}'::jsonb;
    else
      return query select row_number() over (order by d.depends_on)::int, 'depends_on', format('It waits for job %s, which is %s.', d.depends_on, coalesce(p.state, 'gone')),
        jsonb_build_object('job', d.depends_on, 'state', p.state, 'policy', d.policy)
        from (select * from job_dependencies d where d.job_id = why_job.id order by d.depends_on limit 100) d left join v_jobs p on p.id = d.depends_on;
    end if;
  elsif v_job.state in ('scheduled', 'failed') then
    return query select 1, v_job.state, case v_job.state when 'scheduled' then format('Its time comes at %s.', v_job.run_at)
      else format('Its attempt %s of %s failed; the next one may start at %s.', v_job.attempt, v_job.max_attempts, v_job.run_at) end,
      jsonb_build_object('run_at', v_job.run_at);
    return query select w.rank + 1, w.code, 'And then: ' || w.message, w.detail from why_queue(v_job.queue) w where w.code in ('held', 'no_worker', 'no_healthy_worker', 'stopped');
  else
    return query select w.* from why_queue(v_job.queue) w where w.code not in ('nothing_pending', 'nothing', 'no_handler', 'max_running_per_key')
      or (w.code = 'no_handler' and w.detail ->> 'kind' = v_job.kind)
      or (w.code = 'max_running_per_key' and w.detail ->> 'concurrency_key' = v_job.concurrency_key);
    -- Counting stops where the number says nothing more.
    select count(*) from (select from jobs a where a.queue = v_job.queue and a.state = 0
      and (a.priority, a.run_at, a.id) < (v_job.priority, v_job.run_at, v_job.id) limit 10000) a into v_ahead;
    return query select 1000, 'position', case v_ahead when 0 then 'It is the next of its queue.'
      else format('%s%s jobs of its queue go before it.', case v_ahead when 10000 then 'At least ' else '' end, v_ahead) end, jsonb_build_object('ahead', v_ahead);
  end if;
end $$;
comment on function why_job(bigint) is
  'Why a job does not run, most important reason first: its own state (not_found, completed, cancelled, dead, running, stale, cancel_requested, held_by_recovery, depends_on, releasing, scheduled, failed), or, when it is pending, what keeps its queue (as why_queue says) and position: how many go before it.';
