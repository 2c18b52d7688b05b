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

create function recover_stale(max int default 1000, workers bigint[] default null, actor text default 'sweep', reason text default null)
returns table (id bigint, outcome text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  c_max_recoveries constant int := 3;
  v_now timestamptz := clock_timestamp();
  v_held bigint[];
  v_stale bigint[];
  v_poison bigint[];
  v_retried bigint[];
  v_recovery jsonb;
begin
  if recover_stale.max is null or recover_stale.max not between 1 and 100000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 100000', coalesce(recover_stale.max::text, 'null'));
  end if;
  if char_length(recover_stale.actor) between 1 and 256 is not true then
    raise exception using errcode = '22023', message = 'actor must have 1 to 256 characters: say who does it';
  end if;
  -- Who holds jobs? One probe of the index per worker, however many jobs it runs: what may not be recovered is never
  -- walked over, so it cannot starve what may.
  with recursive holder(worker_id) as (
    (select j.worker_id from jobs j where j.state = 1 order by j.worker_id limit 1)
    union all
    select (select j.worker_id from jobs j where j.state = 1 and j.worker_id > h.worker_id order by j.worker_id limit 1)
    from holder h where h.worker_id is not null)
  select array_agg(h.worker_id) from holder h
    where h.worker_id is not null and (recover_stale.workers is null or h.worker_id = any(recover_stale.workers))
  into v_held;
  if v_held is null then return; end if;
  -- Live workers are left alone, and so is one whose heartbeat is just being written: it is live, or comes next time.
  -- The lock keeps a late heartbeat from renewing what is recovered here; live rows are never locked.
  v_stale := array(select w.id from workers w
      where w.id = any(v_held) and (w.state not in ('active', 'draining') or w.lease_until <= v_now) for share skip locked)
    || array(select h.worker_id from unnest(v_held) h(worker_id) where not exists (select from workers w where w.id = h.worker_id));
  if v_stale = '{}' then return; end if;

  select array_agg(p.id) filter (where p.recoveries + 1 >= c_max_recoveries), array_agg(p.id) filter (where p.recoveries + 1 < c_max_recoveries)
  from (select j.id, j.recoveries from jobs j where j.state = 1 and j.worker_id = any(v_stale)
    order by j.worker_id limit recover_stale.max for update skip locked) p
  into v_poison, v_retried;
  if v_poison is null and v_retried is null then return; end if;

  v_recovery := jsonb_build_object('at', v_now, 'actor', recover_stale.actor, 'reason', recover_stale.reason);
  update jobs j set state = 0, lease_token = null, worker_id = null, claimed_at = null, deadline = null, limited = false, attempt = greatest(0, j.attempt - 1),
    recoveries = j.recoveries + 1, last_recovery = v_recovery || jsonb_build_object('worker', j.worker_id::text)
  where j.id = any(v_retried);
  with lost as (delete from jobs j where j.id = any(v_poison) returning j.*)
  insert into job_history (id, queue, kind, state, dead_reason, priority, attempt, max_attempts, recoveries, worker_id,
    lease_token, timeout_ms, created_at, run_at, claimed_at, finished_at, unique_key, tag, labels, payload, last_error, last_recovery)
  select l.id, l.queue, l.kind, 12, 'poison', l.priority, greatest(0, l.attempt - 1), l.max_attempts, l.recoveries + 1, l.worker_id,
    l.lease_token, l.timeout_ms, l.created_at, l.run_at, l.claimed_at, clock_timestamp(), l.unique_key, l.tag, l.labels, l.payload,
    format('poison: it lost %s workers, the last was worker %s', l.recoveries + 1, l.worker_id)
      || coalesce('; error of an earlier attempt: ' || left(l.last_error, 8000), ''),
    v_recovery || jsonb_build_object('worker', l.worker_id::text)
  from lost l;

  insert into audit_events (action, actor, target, reason, after, count)
  values ('recover_stale', recover_stale.actor, 'jobs', recover_stale.reason, jsonb_build_object(
      'workers', v_stale, 'retried', coalesce(cardinality(v_retried), 0), 'dead', coalesce(cardinality(v_poison), 0),
      'jobs', to_jsonb((v_poison || v_retried)[1:100])),
    coalesce(cardinality(v_poison), 0) + coalesce(cardinality(v_retried), 0));
  return query select r.id, 'retried' from unnest(v_retried) r(id) union all select d.id, 'dead' from unnest(v_poison) d(id);
end $$;
comment on function recover_stale(int, bigint[], text, text) is
  'Recovers stale jobs: running, and the worker''s lease has lapsed, or the worker is gone, fenced or missing. They are pending again in their old place and spend no attempt; the third loss of a job makes it dead (poison). Outcome: retried or dead. With workers, only jobs of these. One audit event when there was any. Safe to call from everywhere at once: each job moves once.';
