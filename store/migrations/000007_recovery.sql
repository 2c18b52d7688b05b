-- Recovery: jobs whose worker is no more are handed on. Any number of callers may do it at once.

create function workers_gone(pod_uids text[], actor text, reason text) returns setof bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_ids bigint[];
begin
  perform check_words(workers_gone.actor, workers_gone.reason);
  with gone as (
    update workers w set state = 'gone', gone_at = clock_timestamp(), gone_reason = left(workers_gone.reason, 1024),
      lease_until = least(w.lease_until, clock_timestamp())
    where w.pod_uid = any(workers_gone.pod_uids) and w.state <> 'gone' returning w.id, w.pod)
  select array_agg(g.id order by g.id) from gone g into v_ids;
  if v_ids is null then return; end if;
  insert into audit_events (action, actor, target, reason, after, count)
  values ('workers_gone', workers_gone.actor, 'workers', workers_gone.reason,
    jsonb_build_object('workers', v_ids, 'pod_uids', workers_gone.pod_uids), cardinality(v_ids));
  return query select unnest(v_ids);
end $$;
comment on function workers_gone(text[], text, text) is
  'Somebody who can know it, such as the operator, saw these pods go: marks their workers gone and returns their ids. Their jobs are stale at once; pass the ids to recover_stale. One audit event when there was any.';

create function lost_workers(among bigint[] default null) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_holders bigint[];
begin
  -- Who has lease rows? One probe of the index per worker, however many it has: what may not be recovered is never walked
  -- over, so it cannot starve what may.
  with recursive holder(worker_id) as (
    (select l.worker_id from leases l order by l.worker_id limit 1)
    union all
    select (select l.worker_id from leases l where l.worker_id > h.worker_id order by l.worker_id limit 1)
    from holder h where h.worker_id is not null)
  select array_agg(h.worker_id) from holder h
    where h.worker_id is not null and (lost_workers.among is null or h.worker_id = any(lost_workers.among))
  into v_holders;
  if v_holders is null then return '{}'; end if;
  -- Live workers are left alone, and so is one whose heartbeat is just being written: it is live, or comes next time.
  -- The lock keeps a late heartbeat from renewing what is recovered here; live rows are never locked.
  return array(select w.id from workers w
      where w.id = any(v_holders) and (w.state not in ('active', 'draining') or w.lease_until <= v_now) for share skip locked)
    || array(select h.worker_id from unnest(v_holders) h(worker_id) where not exists (select from workers w where w.id = h.worker_id));
end $$;
comment on function lost_workers(bigint[]) is
  'Internal. Workers that have lease rows and are not live: lapsed, gone, fenced or missing. Their rows are locked, so that none comes back to life before the transaction ends.';

create function tidy_leases(lost bigint[]) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_batch int := 10;
  v_from bigint;
  v_over int;
begin
  delete from leases l where l.worker_id = any(tidy_leases.lost)
    and not exists (select from jobs j where j.id = any(l.ids) and j.lease_token = l.token);
  -- Live workers delete their own, when they say so to claim. For those that never do: a few rows from anywhere, and more only
  -- while most of what is met is over, so that a sweep hardly touches jobs that run.
  select f.token + ((l.token - f.token) * random())::bigint
    from (select token from leases order by token limit 1) f, (select token from leases order by token desc limit 1) l into v_from;
  while v_batch <= 10000 loop
    delete from leases d where d.token = any(array(
      select l.token from (select * from leases l where l.token >= v_from order by l.token limit v_batch) l
      where l.claimed_at < clock_timestamp() - interval '1 minute'
        and not exists (select from jobs j where j.id = any(l.ids) and j.lease_token = l.token)));
    get diagnostics v_over = row_count;
    exit when v_over < v_batch * 0.8;
    v_batch := v_batch * 10;
  end loop;
end $$;
comment on function tidy_leases(bigint[]) is
  'Internal. Deletes lease rows none of whose jobs still runs under them: all of these lost workers, and some of others.';

create function recover_stale(max int default 1000, workers bigint[] default null, actor text default 'sweep', reason text default null,
  inout queue text default null, older_than_seconds int default 0, policy text default null, dry_run boolean default false,
  grace_seconds int default null,
  out id bigint, out outcome text, out worker_id bigint)
returns setof record
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  c_at_once constant int := 100;
  v_now timestamptz := clock_timestamp();
  v_before timestamptz;
  v_lost bigint[];
  v_ids bigint[];
  v_late bigint[];
  v_recovery jsonb;
  v_ended bigint[];
  v_outcomes text[];
  v_queues text[];
  v_workers bigint[];
  v_settings store_settings;
  v_grace int := recover_stale.grace_seconds;
begin
  if recover_stale.max is null or recover_stale.max not between 1 and 100000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 100000', coalesce(recover_stale.max::text, 'null'));
  end if;
  if char_length(recover_stale.actor) between 1 and 256 is not true then
    raise exception using errcode = '22023', message = 'actor must have 1 to 256 characters: say who does it';
  end if;
  if char_length(recover_stale.reason) > 1024 then
    raise exception using errcode = '22023', message = 'reason must have at most 1024 characters';
  end if;
  if recover_stale.policy not in ('retry', 'fail', 'hold') then
    raise exception using errcode = '22023', message = format('policy is %s: write retry, fail or hold, or null for that of each job', quote_literal(left(recover_stale.policy, 80)));
  end if;
  if recover_stale.older_than_seconds is null or recover_stale.older_than_seconds not between 0 and 315360000 then
    raise exception using errcode = '22023', message = format('older_than_seconds is %s: write 0 to 315360000', coalesce(recover_stale.older_than_seconds::text, 'null'));
  end if;
  if v_grace not between 0 and 86400 then
    raise exception using errcode = '22023', message = format('grace_seconds is %s: write 0 to 86400', v_grace);
  end if;
  if recover_stale.actor = 'sweep' then
    -- Sweeps do what the store says; whoever gives a name knows what they ask for.
    select * from store_settings into v_settings;
    if v_settings.recovery <> 'recover' then return; end if;
    v_grace := coalesce(v_grace, v_settings.recovery_grace_seconds);
  end if;
  v_before := v_now - make_interval(secs => recover_stale.older_than_seconds);

  v_lost := lost_workers(recover_stale.workers);
  if v_grace > 0 then
    v_lost := array(select l.id from unnest(v_lost) l(id) where not exists (select from workers w
      where w.id = l.id and w.lease_until > v_now - make_interval(secs => v_grace)));
  end if;
  if v_lost <> '{}' then
    -- Job by job, by primary key: as a plain join a plan might read all jobs.
    v_ids := array(select s.id from leases l cross join lateral unnest(l.ids) u(id) cross join lateral (
        select j.id from jobs j where j.id = u.id and j.lease_token = l.token and j.claimed_at <= v_before
          and (recover_stale.queue is null or j.queue = recover_stale.queue) for update skip locked) s
      where l.worker_id = any(v_lost) limit recover_stale.max);
  end if;
  -- Jobs that should have ended long ago, although their worker is live.
  v_late := array(select j.id from jobs j
    where j.deadline <= v_now and j.state = 1 and (recover_stale.workers is null or j.worker_id = any(recover_stale.workers))
      and (recover_stale.queue is null or j.queue = recover_stale.queue) and j.claimed_at <= v_before and j.id <> all(coalesce(v_ids, '{}'))
    order by j.deadline limit greatest(0, recover_stale.max - coalesce(cardinality(v_ids), 0)) for update skip locked);
  v_ids := coalesce(v_ids, '{}') || v_late;

  if v_ids <> '{}' then
    select array_agg(j.id order by j.priority, j.run_at, j.id), array_agg(j.queue order by j.priority, j.run_at, j.id),
      array_agg(j.worker_id order by j.priority, j.run_at, j.id),
      array_agg(case
          when exists (select from cancel_requests c where c.job_id = j.id and c.lease_token = j.lease_token) then 'cancelled'
          when p.policy = 'fail' then 'failed'
          when p.policy = 'hold' then 'held'
          when j.recoveries + 1 >= coalesce(q.max_recoveries, 3) then 'dead'
          else 'retried' end order by j.priority, j.run_at, j.id)
    from jobs j left join queues q on q.name = j.queue
      cross join lateral (select coalesce(recover_stale.policy, j.options ->> 'on_worker_loss', q.on_worker_loss, 'retry') as policy) p
    where j.id = any(v_ids)
    into v_ids, v_queues, v_workers, v_outcomes;
  end if;

  if not recover_stale.dry_run and v_ids <> '{}' then
    v_recovery := jsonb_build_object('at', v_now, 'actor', recover_stale.actor, 'reason', recover_stale.reason);
    -- What ends here: its row says how before it is moved to the history.
    update jobs j set attempt = greatest(0, j.attempt - 1), recoveries = j.recoveries + 1,
      last_error = left(case d.outcome
          when 'dead' then format('poison: it lost %s workers, the last was worker %s', j.recoveries + 1, j.worker_id)
          when 'failed' then format('worker %s was lost while it ran, and the policy is not to run it again', j.worker_id)
          else (select format('cancelled by %s: %s', c.actor, c.reason) from cancel_requests c where c.job_id = j.id) end
        || coalesce('; error of an earlier attempt: ' || left(j.last_error, 7000), ''), 8192),
      last_recovery = v_recovery || jsonb_build_object('worker', j.worker_id::text, 'cause', case when j.id = any(v_late) then 'deadline' else 'worker' end,
        'policy', case d.outcome when 'dead' then 'retry' when 'failed' then 'fail' else 'cancel' end)
    from unnest(v_ids, v_outcomes) d(id, outcome) where d.outcome in ('dead', 'failed', 'cancelled') and j.id = d.id;
    v_ended := array(select d.id from unnest(v_ids, v_outcomes) d(id, outcome) where d.outcome in ('dead', 'failed'));
    perform move_to_history(v_ended, 12, dead_reasons => array(select case d.outcome when 'dead' then 'poison' else 'worker_lost' end
      from unnest(v_ids, v_outcomes) d(id, outcome) where d.outcome in ('dead', 'failed')));
    perform move_to_history(array(select d.id from unnest(v_ids, v_outcomes) d(id, outcome) where d.outcome = 'cancelled'), 11);
    -- Pending again at the old place. What is beyond the first hundred comes within five seconds, so that the loss of many
    -- workers is not followed by the rush of all their jobs.
    update jobs j set state = case when d.outcome = 'held' then 4 when d.at > c_at_once then 2 else 0 end,
      run_at = case when d.outcome = 'retried' and d.at > c_at_once then v_now + random() * interval '5 seconds' else j.run_at end,
      last_recovery = v_recovery || jsonb_build_object('worker', j.worker_id::text,
        'policy', case d.outcome when 'held' then 'hold' else 'retry' end,
        'cause', case when j.id = any(v_late) then 'deadline' else 'worker' end)
        -- Nobody ends the span of the attempt that is lost; that of its claim is there for the next one to link to.
        || coalesce((select jsonb_build_object('traceparent', l.traceparent) from leases l where l.token = j.lease_token and l.traceparent is not null), '{}'),
      lease_token = null, worker_id = null, claimed_at = null, deadline = null, limited = false, process = null,
      attempt = greatest(0, j.attempt - 1), recoveries = j.recoveries + 1
    from unnest(v_ids, v_outcomes) with ordinality d(id, outcome, at) where d.outcome in ('retried', 'held') and j.id = d.id;
    -- Whoever asked for a cancel while this waited for its row.
    perform cancel_requested(v_ids);
    insert into audit_events (action, actor, target, reason, after, count)
    values ('recover_stale', recover_stale.actor, 'jobs', recover_stale.reason, jsonb_build_object(
        'workers', to_jsonb(array(select distinct w from unnest(v_workers) w order by w)),
        'outcomes', (select jsonb_object_agg(o.outcome, o.count) from (select d.outcome, count(*) from unnest(v_outcomes) d(outcome) group by 1) o),
        'jobs', to_jsonb(v_ids[1:100])), cardinality(v_ids));
    perform send_hint(n.queue) from (
      select distinct d.queue from unnest(v_queues, v_outcomes) d(queue, outcome) where d.outcome = 'retried') n;
  end if;
  if not recover_stale.dry_run and recover_stale.queue is null and recover_stale.workers is null then perform tidy_leases(v_lost); end if;
  return query select d.queue, d.id, d.outcome, d.worker_id from unnest(v_ids, v_outcomes, v_queues, v_workers) d(id, outcome, queue, worker_id);
end $$;
comment on function recover_stale(int, bigint[], text, text, text, int, text, boolean, int) is
  'Recovers up to max stale jobs: running, and the lease of the worker has lapsed, or the worker is gone, fenced or missing, or the job''s own deadline (timeout and a minute) has passed. workers and queue narrow it, older_than_seconds leaves alone what was claimed more recently, grace_seconds what lapsed more recently; actor sweep does what the settings of the store say; dry_run says what would be done. Policy, for this call or that of the job or of its queue: retry (outcome retried: pending again in its old place, no attempt spent; beyond the first 100 of a call within 5 s; at the max_recoveries-th loss dead, reason poison), fail (outcome failed: dead, reason worker_lost), hold (outcome held: waits until somebody retries or cancels it). A job with a cancel request ends cancelled. One audit event when anything changed. Safe to call from everywhere at once: each job moves once. Raises 22023 for arguments out of bounds.';
