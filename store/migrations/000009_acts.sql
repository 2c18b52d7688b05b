-- What people do to single jobs and to many: retry, cancel, delete. Each act and its audit event commit together. The
-- audit never holds payloads, results or errors: who may read it may not be allowed to read those.

create function retry_locked(ids bigint[]) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_done bigint[];
  v_back bigint[];
begin
  with again as (
    update jobs j set state = 0, run_at = clock_timestamp(), generation = j.generation + 1, attempt = 0, recoveries = 0,
      progress = null, process = null, exit_code = null
    where j.id = any(retry_locked.ids) and (j.state = 3 or (j.state = 4 and j.last_recovery ->> 'policy' = 'hold'))
    returning j.id)
  select array_agg(a.id) from again a into v_done;
  -- Back from the history; what lasts (payload, options, error) lasts, what belonged to the generation does not.
  with back as (
    insert into jobs (id, queue, kind, payload, state, run_at, created_at, priority, max_attempts, timeout_ms, result_ttl_seconds,
      generation, concurrency_key, unique_key, tag, labels, options, last_error, errors, last_recovery)
    overriding system value
    select h.id, h.queue, h.kind, h.payload, 0, clock_timestamp(), h.created_at, h.priority, h.max_attempts, h.timeout_ms,
      h.result_ttl_seconds, h.generation + 1, h.concurrency_key, h.unique_key, h.tag, h.labels, h.options, h.last_error, h.errors,
      h.last_recovery
    from job_history h where h.id = any(retry_locked.ids) and h.state = 12 and not h.superseded
    order by h.unique_key, h.id
    on conflict do nothing
    returning id)
  select array_agg(b.id) from back b into v_back;
  update job_history h set superseded = true where h.id = any(v_back) and h.state = 12 and not h.superseded;
  -- The live job guards its key by itself.
  delete from kept_keys k where k.job_id = any(v_back);
  return coalesce(v_done, '{}') || coalesce(v_back, '{}');
end $$;
comment on function retry_locked(bigint[]) is
  'Internal. Begins a new generation of jobs whose rows the caller has locked; returns those it was possible for.';

create function cancel_locked(ids bigint[], actor text, reason text) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_ended bigint[];
  v_asked bigint[];
  v_workers bigint[];
begin
  v_ended := array(select j.id from jobs j where j.id = any(cancel_locked.ids) and j.state <> 1);
  with asked as (
    insert into cancel_requests as c (job_id, lease_token, worker_id, actor, reason)
    select j.id, j.lease_token, j.worker_id, cancel_locked.actor, cancel_locked.reason
    from jobs j where j.id = any(cancel_locked.ids) and j.state = 1
    on conflict (job_id) do update set lease_token = excluded.lease_token, worker_id = excluded.worker_id, at = excluded.at,
      actor = excluded.actor, reason = excluded.reason
    where c.lease_token <> excluded.lease_token
    returning c.job_id, c.worker_id)
  select array_agg(a.job_id), array_agg(distinct a.worker_id) from asked a into v_asked, v_workers;
  -- Whoever listens need not wait for its next heartbeat.
  perform send_hint('worker:' || w) from unnest(v_workers) w;
  if v_ended <> '{}' then
    update jobs j set last_error = left(format('cancelled by %s: %s', cancel_locked.actor, cancel_locked.reason)
      || coalesce('; error of an earlier attempt: ' || left(j.last_error, 6000), ''), 8192)
    where j.id = any(v_ended);
    perform move_to_history(v_ended, 11);
  end if;
  return v_ended || coalesce(v_asked, '{}');
end $$;
comment on function cancel_locked(bigint[], text, text) is
  'Internal. Cancels jobs whose rows the caller has locked: at once, or by a request to the worker that runs them.';

create function delete_locked(ids bigint[]) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_done bigint[];
begin
  with gone as (delete from jobs j where j.id = any(delete_locked.ids) and j.state <> 1 returning j.id)
  select coalesce(array_agg(g.id), '{}') from gone g into v_done;
  delete from job_dependencies d where d.job_id = any(v_done);
  if v_done <> '{}' then perform settle_deleted(v_done); end if;
  return v_done;
end $$;
comment on function delete_locked(bigint[]) is 'Internal. Deletes jobs that do not run and whose rows the caller has locked.';

create function state_name_at(state int, run_at timestamptz, now timestamptz) returns text
language sql immutable as $$
  select case state when 0 then 'pending' when 1 then 'running'
    when 2 then case when run_at <= now then 'pending' else 'scheduled' end
    when 3 then case when run_at <= now then 'pending' else 'failed' end
    when 4 then 'deferred' when 10 then 'completed' when 11 then 'cancelled' when 12 then 'dead' end
$$;
comment on function state_name_at(int, timestamptz, timestamptz) is
  'Internal. The state of a job in words. One that waits and whose time has come reads as pending, whether or not a claim has noticed.';

create function act_on_job(act text, id bigint, actor text, reason text) returns text
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_job jobs;
  v_ended job_history;
  v_before jsonb;
  v_queue text;
  v_done bigint[];
  v_state text;
begin
  perform check_words(act_on_job.actor, act_on_job.reason);
  -- Whoever is changing the job is waited for; what it then is decides. A job that ends, or comes back, while its row is
  -- waited for is found in the other table, hence the second look.
  for v_look in 1..2 loop
    select * from jobs j where j.id = act_on_job.id for update into v_job;
    exit when found;
    select * from job_history h where h.id = act_on_job.id and not h.superseded for update into v_ended;
    exit when found;
  end loop;
  if v_job.id is null and v_ended.id is null then return 'not_found'; end if;
  if v_job.id is not null then
    v_state := state_name_at(v_job.state, v_job.run_at, clock_timestamp());
    v_queue := v_job.queue;
    v_before := jsonb_strip_nulls(jsonb_build_object('state', v_state, 'queue', v_queue, 'kind', v_job.kind, 'generation', v_job.generation,
      'attempt', v_job.attempt, 'recoveries', v_job.recoveries, 'worker', v_job.worker_id, 'unique_key', v_job.unique_key));
  else
    v_state := state_name_at(v_ended.state, null, null);
    v_queue := v_ended.queue;
    v_before := jsonb_strip_nulls(jsonb_build_object('state', v_state, 'queue', v_queue, 'kind', v_ended.kind, 'generation', v_ended.generation,
      'attempt', v_ended.attempt, 'recoveries', v_ended.recoveries, 'dead_reason', v_ended.dead_reason, 'unique_key', v_ended.unique_key));
  end if;

  if act_on_job.act = 'retry' then
    v_done := retry_locked(array[act_on_job.id]);
    -- Nothing but its key in the hands of another live job keeps a dead one from coming back.
    if v_done = '{}' then return case when v_ended.state = 12 then 'duplicate' else v_state end; end if;
  elsif v_job.id is null then
    return v_state;
  elsif act_on_job.act = 'cancel' then
    v_done := cancel_locked(array[act_on_job.id], act_on_job.actor, act_on_job.reason);
    -- Asked already.
    if v_done = '{}' then return 'requested'; end if;
  else
    v_done := delete_locked(array[act_on_job.id]);
    if v_done = '{}' then return v_state; end if;
  end if;
  insert into audit_events (action, actor, target, reason, before)
  values (act_on_job.act, act_on_job.actor, 'jobs/' || act_on_job.id, act_on_job.reason, v_before);
  if act_on_job.act = 'retry' then perform send_hint(v_queue); end if;
  return case act_on_job.act when 'retry' then 'retried' when 'delete' then 'deleted'
    else case when v_job.state = 1 then 'requested' else 'cancelled' end end;
end $$;
comment on function act_on_job(text, bigint, text, text) is 'Internal. Body of retry_job, cancel_job and delete_job.';

create function retry_job(id bigint, actor text, reason text) returns text
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select act_on_job('retry', id, actor, reason)
$$;
comment on function retry_job(bigint, text, text) is
  'Runs a job again that failed, is dead, or was held by recovery: a new generation with the same id, pending at once, with all attempts and recoveries before it. Its last_error and errors are kept; what a dead job left in the history stays there, and v_runs shows it. Answer: retried; not_found; duplicate when another live job has its unique key; otherwise the state that forbids it (pending, scheduled, deferred, running, completed, cancelled). One audit event when retried. Raises 22023 without actor or reason.';

create function cancel_job(id bigint, actor text, reason text) returns text
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select act_on_job('cancel', id, actor, reason)
$$;
comment on function cancel_job(bigint, text, text) is
  'Cancels a job. One that does not run ends at once: cancelled. One that runs is asked to stop: requested; its worker learns by a hint and by its next heartbeat, and the job ends cancelled when the worker says so, when its attempt fails or is given back, or when it is recovered, and completed when it completes first. Also not_found, or the terminal state that forbids it. One audit event when anything changed. Raises 22023 without actor or reason.';

create function delete_job(id bigint, actor text, reason text) returns text
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select act_on_job('delete', id, actor, reason)
$$;
comment on function delete_job(bigint, text, text) is
  'Deletes a job that does not run and has not ended, as if it had never been enqueued. Answer: deleted, not_found, or the state that forbids it (running, completed, cancelled, dead). One audit event when deleted. Raises 22023 without actor or reason.';

create function check_filter(filter jsonb, actor text, reason text, max int) returns void
language plpgsql stable set search_path = {{schema}}, pg_temp as $$
declare
  v_key text;
  v_value jsonb;
begin
  perform check_words(actor, reason);
  if max is null or max not between 1 and 100000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 100000', coalesce(max::text, 'null'));
  end if;
  if jsonb_typeof(filter) is distinct from 'object' or filter = '{}' then
    raise exception using errcode = '22023', message = 'the filter is empty: it would mean every job of the store',
      hint = 'name at least one of ids, queue, kind, state, tag, labels, worker, unique_key, older_than_seconds';
  end if;
  for v_key, v_value in select * from jsonb_each(filter) loop
    if (case v_key
        when 'ids' then jsonb_typeof(v_value) = 'array' and not exists (select from jsonb_array_elements_text(v_value) i where i !~ '^[0-9]{1,18}$')
        when 'labels' then jsonb_typeof(v_value) = 'object'
        when 'worker' then v_value #>> '{}' ~ '^[0-9]{1,18}$'
        when 'older_than_seconds' then jsonb_typeof(v_value) = 'number' and v_value::numeric between 0 and 315360000
        when 'state' then v_value in ('"pending"', '"running"', '"scheduled"', '"failed"', '"deferred"', '"completed"', '"cancelled"', '"dead"')
        when 'queue' then jsonb_typeof(v_value) = 'string' when 'kind' then jsonb_typeof(v_value) = 'string'
        when 'tag' then jsonb_typeof(v_value) = 'string' when 'unique_key' then jsonb_typeof(v_value) = 'string' end) is not true then
      raise exception using errcode = '22023', message = format('the filter''s %s is %s', left(v_key, 80), left(v_value::text, 80)),
        hint = 'keys are ids (array), queue, kind, tag, unique_key (strings), state (the name of a state), labels (object), worker (id), older_than_seconds (number)';
    end if;
  end loop;
end $$;
comment on function check_filter(jsonb, text, text, int) is 'Internal. Raises 22023 unless a bulk act says what, how many, who and why.';

create function filter_live(act text, filter jsonb) returns setof bigint
language sql stable set search_path = {{schema}}, pg_temp as $$
  select j.id from jobs j
  where case act when 'retry' then j.state = 3 or (j.state = 4 and j.last_recovery ->> 'policy' = 'hold')
      when 'delete' then j.state <> 1
      else not exists (select from cancel_requests c where c.job_id = j.id and c.lease_token = j.lease_token) end
    and (filter -> 'ids' is null or j.id = any(array(select i::bigint from jsonb_array_elements_text(filter -> 'ids') i)))
    and (filter ->> 'queue' is null or j.queue = filter ->> 'queue')
    and (filter ->> 'kind' is null or j.kind = filter ->> 'kind')
    and (filter ->> 'state' is null or state_name_at(j.state, j.run_at, clock_timestamp()) = filter ->> 'state'
      -- A failed job whose time has come is still one that failed.
      or (filter ->> 'state' = 'failed' and j.state = 3))
    and (filter ->> 'tag' is null or j.tag = filter ->> 'tag')
    and (filter ->> 'unique_key' is null or j.unique_key = filter ->> 'unique_key')
    and (filter ->> 'worker' is null or j.worker_id = (filter ->> 'worker')::bigint)
    and (filter -> 'labels' is null or j.labels @> (filter -> 'labels'))
    and (filter ->> 'older_than_seconds' is null
      or j.created_at <= clock_timestamp() - make_interval(secs => (filter ->> 'older_than_seconds')::float8))
$$;
comment on function filter_live(text, jsonb) is 'Internal. Live jobs that a filter means and that this act can do something to.';

create function filter_dead(filter jsonb) returns setof bigint
language sql stable set search_path = {{schema}}, pg_temp as $$
  select h.id from job_history h
  where h.state = 12 and not h.superseded
    and (filter -> 'ids' is null or h.id = any(array(select i::bigint from jsonb_array_elements_text(filter -> 'ids') i)))
    and (filter ->> 'queue' is null or h.queue = filter ->> 'queue')
    and (filter ->> 'kind' is null or h.kind = filter ->> 'kind')
    and (filter ->> 'state' is null or filter ->> 'state' = 'dead')
    and (filter ->> 'tag' is null or h.tag = filter ->> 'tag')
    and (filter ->> 'unique_key' is null or h.unique_key = filter ->> 'unique_key')
    and (filter ->> 'worker' is null or h.worker_id = (filter ->> 'worker')::bigint)
    and (filter -> 'labels' is null or h.labels @> (filter -> 'labels'))
    and (filter ->> 'older_than_seconds' is null
      or h.finished_at <= clock_timestamp() - make_interval(secs => (filter ->> 'older_than_seconds')::float8))
$$;
comment on function filter_dead(jsonb) is 'Internal. Dead jobs that a filter means; their age counts from when they died.';

create function act_on_jobs(act text, filter jsonb, actor text, reason text, max int, dry_run boolean,
  out matched bigint, out changed bigint, out ids bigint[])
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_ids bigint[];
  v_dead bigint[] := '{}';
begin
  perform check_filter(act_on_jobs.filter, act_on_jobs.actor, act_on_jobs.reason, act_on_jobs.max);
  v_ids := array(select f from filter_live(act_on_jobs.act, act_on_jobs.filter) f order by f);
  if act_on_jobs.act = 'retry' then
    v_dead := array(select f from filter_dead(act_on_jobs.filter) f order by f);
  end if;
  matched := cardinality(v_ids) + cardinality(v_dead);
  v_dead := v_dead[1 : greatest(0, act_on_jobs.max - cardinality(v_ids))];
  v_ids := v_ids[1 : act_on_jobs.max];
  if act_on_jobs.dry_run then
    changed := 0;
    ids := (v_ids || v_dead)[1:100];
    return;
  end if;
  -- What somebody is changing at this moment is left out rather than waited for, so acts cannot deadlock with workers.
  v_ids := array(select j.id from jobs j where j.id = any(v_ids) order by j.id for update skip locked)
    || array(select h.id from job_history h where h.id = any(v_dead) and h.state = 12 and not h.superseded
      order by h.id for update skip locked);
  v_ids := case act_on_jobs.act when 'retry' then retry_locked(v_ids)
    when 'cancel' then cancel_locked(v_ids, act_on_jobs.actor, act_on_jobs.reason) else delete_locked(v_ids) end;
  changed := cardinality(v_ids);
  ids := array(select i from unnest(v_ids) i order by i limit 100);
  if changed = 0 then return; end if;
  insert into audit_events (action, actor, target, reason, before, after, count)
  values (act_on_jobs.act, act_on_jobs.actor, 'jobs', act_on_jobs.reason, jsonb_build_object(
      'filter', act_on_jobs.filter || case when act_on_jobs.filter ? 'ids'
        then jsonb_build_object('ids', jsonb_path_query_array(act_on_jobs.filter, '$.ids[0 to 99]')) else '{}' end, 'max', act_on_jobs.max),
    jsonb_build_object('matched', matched, 'jobs', to_jsonb(ids)), changed);
  if act_on_jobs.act = 'retry' then
    perform send_hint(q.queue) from (select distinct j.queue from jobs j where j.id = any(v_ids)) q;
  end if;
end $$;
comment on function act_on_jobs(text, jsonb, text, text, int, boolean) is 'Internal. Body of retry_jobs, cancel_jobs and delete_jobs.';

create function retry_jobs(filter jsonb, actor text, reason text, max int default 1000, dry_run boolean default false)
returns table (matched bigint, changed bigint, ids bigint[])
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select * from act_on_jobs('retry', filter, actor, reason, max, dry_run)
$$;
comment on function retry_jobs(jsonb, text, text, int, boolean) is
  'Retries the jobs that a filter means, as retry_job does: failed, dead and held ones, the oldest first, at most max (1000). Filter keys, all of which must hold: ids, queue, kind, state, tag, labels (object), worker, unique_key, older_than_seconds (since it was enqueued, for a dead one since it died); an empty filter is refused. matched: how many could be retried; changed: how many were; ids: the first 100 of these. dry_run changes nothing and says in ids what would come first. What somebody is changing at that moment, and what has its unique key in the hands of another live job, is left out. One audit event when anything changed. Raises 22023 for a filter that cannot be read.';

create function cancel_jobs(filter jsonb, actor text, reason text, max int default 1000, dry_run boolean default false)
returns table (matched bigint, changed bigint, ids bigint[])
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select * from act_on_jobs('cancel', filter, actor, reason, max, dry_run)
$$;
comment on function cancel_jobs(jsonb, text, text, int, boolean) is
  'Cancels the jobs that a filter means, as cancel_job does: those that do not run at once, those that run by a request to their worker. Filter, max, dry_run and answer as in retry_jobs.';

create function delete_jobs(filter jsonb, actor text, reason text, max int default 1000, dry_run boolean default false)
returns table (matched bigint, changed bigint, ids bigint[])
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select * from act_on_jobs('delete', filter, actor, reason, max, dry_run)
$$;
comment on function delete_jobs(jsonb, text, text, int, boolean) is
  'Deletes the jobs that a filter means, as delete_job does: those that do not run and have not ended. Filter, max, dry_run and answer as in retry_jobs.';

create function reveal(ids bigint[], actor text, reason text) returns table (id bigint, payload json, result json)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_found bigint[];
begin
  perform check_words(reveal.actor, reveal.reason);
  if coalesce(cardinality(reveal.ids), 0) not between 1 and 1000 then
    raise exception using errcode = '22023', message = 'ids must be 1 to 1000 jobs';
  end if;
  -- Superseded rows too: of a job that was retried, what it carries is the same.
  v_found := array(select j.id from jobs j where j.id = any(reveal.ids)
    union select h.id from job_history h where h.id = any(reveal.ids) order by 1);
  if v_found = '{}' then return; end if;
  insert into audit_events (action, actor, target, reason, after, count)
  values ('reveal', reveal.actor, case cardinality(v_found) when 1 then 'jobs/' || v_found[1] else 'jobs' end, reveal.reason,
    jsonb_build_object('jobs', to_jsonb(v_found[1:100])), cardinality(v_found));
  return query
    select j.id, j.payload, null::json from jobs j where j.id = any(v_found)
    union all
    select h.id, h.payload, case when h.result_expires_at <= clock_timestamp() then null else h.result end
    from job_history h where h.id = any(v_found) and not h.superseded;
end $$;
comment on function reveal(bigint[], text, text) is
  'Payloads and results of jobs, live and ended, and one audit event that says who saw which. For programs that show them to people; v_jobs has them for programs that process them. Raises 22023 without actor or reason, and for more than 1000 jobs.';

create function delete_queue(queue text, actor text, reason text, only_if_empty boolean default true, max int default 10000) returns text
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_jobs bigint[];
  v_ended bigint[];
  v_queue queues;
begin
  perform check_queue_name(delete_queue.queue);
  perform check_words(delete_queue.actor, delete_queue.reason);
  if delete_queue.max is null or delete_queue.max not between 1 and 100000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 100000', coalesce(delete_queue.max::text, 'null'));
  end if;
  -- Claims share this lock: none is under way while this looks, and none begins before it has committed.
  perform pg_advisory_xact_lock(hold_lock(delete_queue.queue));
  if exists (select from jobs j where j.queue = delete_queue.queue and j.state = 1) then return 'running'; end if;
  if coalesce(delete_queue.only_if_empty, true) and (exists (select from jobs j where j.queue = delete_queue.queue)
    or exists (select from job_history h where h.queue = delete_queue.queue and h.state = 12 and not h.superseded)) then
    return 'not_empty';
  end if;
  with gone as (
    delete from jobs j where j.id in (select o.id from jobs o where o.queue = delete_queue.queue limit delete_queue.max) returning j.id)
  select array_agg(g.id) from gone g into v_jobs;
  if v_jobs is not null then perform settle_deleted(v_jobs); end if;
  with gone as (
    delete from job_history h where h.id in (
      select o.id from job_history o where o.queue = delete_queue.queue limit delete_queue.max - coalesce(cardinality(v_jobs), 0))
      and h.queue = delete_queue.queue returning h.id)
  select array_agg(g.id) from gone g into v_ended;
  delete from kept_keys k where k.job_id = any(v_jobs || v_ended);

  if coalesce(cardinality(v_jobs), 0) + coalesce(cardinality(v_ended), 0) < delete_queue.max then
    delete from schedule_ticks t using schedules s where s.queue = delete_queue.queue and t.schedule = s.name;
    delete from schedules s where s.queue = delete_queue.queue;
    delete from holds h where h.queue = delete_queue.queue;
    delete from queue_limits l where l.queue = delete_queue.queue;
    delete from queues q where q.name = delete_queue.queue returning q.* into v_queue;
  end if;
  if v_queue.name is null and v_jobs is null and v_ended is null then return 'not_found'; end if;
  insert into audit_events (action, actor, target, reason, before, after, count)
  values ('delete_queue', delete_queue.actor, delete_queue.queue, delete_queue.reason,
    case when v_queue.name is not null then to_jsonb(v_queue) - 'created_at' end,
    jsonb_build_object('live', coalesce(cardinality(v_jobs), 0), 'ended', coalesce(cardinality(v_ended), 0)),
    coalesce(cardinality(v_jobs), 0) + coalesce(cardinality(v_ended), 0));
  return case when v_queue.name is not null then 'deleted' else 'more' end;
end $$;
comment on function delete_queue(text, text, text, boolean, int) is
  'Deletes a queue with its policy, limits, holds, schedules and its jobs, live and ended, at most max of them in one call. only_if_empty: only when it has no live and no dead job. Returns deleted, more (call again), not_empty, running (a job of it runs: hold the queue and wait) or not_found. One audit event when anything was deleted. Nothing keeps a queue from being made anew by the next enqueue: hold it until its producers are gone.';
