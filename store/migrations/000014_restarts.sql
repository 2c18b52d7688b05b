-- Restarts of hung workers. An intent is written before the pod is touched; what was spent is counted from these rows, so that
-- no crash and no change of leaders can forget it. All ages are by the clock of this database.

create function is_hung(worker bigint, pod_uid text, verdict text, silent_ms bigint) returns boolean
language sql stable security definer set search_path = {{schema}}, pg_temp as $$
  select exists (select from workers w cross join (select clock_timestamp() as now, make_interval(secs => is_hung.silent_ms / 1000.0) as time) t
    where w.id = is_hung.worker and w.pod_uid = is_hung.pod_uid and w.state = 'active'
    and case is_hung.verdict
      when 'lapsed' then w.lease_until <= t.now and w.heartbeat_at <= t.now - t.time
      when 'blocked' then w.lease_until <= t.now and w.heartbeat_at <= t.now - t.time and not w.renewing
      when 'stalled' then w.last_claim_age_ms >= is_hung.silent_ms and coalesce(w.slots_busy, 0) < coalesce(w.concurrency, 1)
      when 'all-slots-stuck' then w.slots_stuck >= coalesce(w.concurrency, 1) and w.started_at <= t.now - t.time
        and coalesce(w.last_finish_age_ms, is_hung.silent_ms) >= is_hung.silent_ms
      else false end)
    -- It went on under another id: whatever this row says, its process lives.
    and not exists (select from workers w where w.pod_uid = is_hung.pod_uid and w.id > is_hung.worker
      and w.state in ('active', 'draining') and w.lease_until > clock_timestamp())
$$;
comment on function is_hung(bigint, text, text, bigint) is
  'Internal. Whether this very worker still is what it was judged to be. A worker that is not there, or that registered again, is not hung.';

create function refuse_restart(pool text, budget jsonb) returns text
language plpgsql stable security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_concurrent int := (budget ->> 'concurrent')::int;
  v_spacing float8 := (budget ->> 'spacing_ms')::float8;
  v_window float8 := (budget ->> 'window_ms')::float8;
  v_most int := (budget ->> 'window_most')::int;
begin
  if v_concurrent is null or v_spacing is null or v_window is null or v_most is null then
    raise exception using errcode = '22023', message = 'budget must say concurrent, spacing_ms, window_ms and window_most';
  end if;
  if (select count(*) from restart_intents i where i.pool = refuse_restart.pool and i.closed_at is null) >= v_concurrent then
    return 'concurrent';
  end if;
  -- What was given up before a pod was touched has spent nothing; what a person asked for is theirs.
  if exists (select from restart_intents i where i.pool = refuse_restart.pool and not i.asked and i.state <> 'abandoned'
      and i.opened_at > v_now - make_interval(secs => v_spacing / 1000)) then
    return 'spacing';
  end if;
  if (select count(*) from restart_intents i where i.pool = refuse_restart.pool and not i.asked and i.state <> 'abandoned'
      and i.opened_at > v_now - make_interval(secs => v_window / 1000)) >= v_most then
    return 'window';
  end if;
  return null;
end $$;
comment on function refuse_restart(text, jsonb) is 'Internal. Which part of a budget forbids another restart in this pool now; null: none does.';

create function open_restart(intent jsonb, budget jsonb, actor text, reason text, out id bigint, out refused text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_pool text := read_fact(intent, 'pool');
  v_uid text := read_fact(intent, 'pod_uid');
  v_asked boolean := coalesce((intent ->> 'asked')::boolean, false);
  v_known restart_intents;
begin
  perform check_words(open_restart.actor, open_restart.reason);
  if v_pool is null or v_uid is null or read_fact(intent, 'pod') is null or read_fact(intent, 'namespace') is null
    or read_fact(intent, 'queue') is null or read_fact(intent, 'template_hash') is null or read_fact(intent, 'reason') is null then
    raise exception using errcode = '22023', message = 'an intent must say pool, queue, template_hash, namespace, pod, pod_uid and reason';
  end if;
  if not v_asked and (read_fact(intent, 'worker') is null or read_fact(intent, 'verdict') is null or read_fact(intent, 'silent_ms') is null) then
    raise exception using errcode = '22023', message = 'an intent that nobody asked for must say worker, verdict and silent_ms';
  end if;
  -- Whoever decides about a pool decides alone: what is counted here cannot be spent twice.
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' restarts ' || v_pool, 7001));
  select i.* from restart_intents i where i.pod_uid = v_uid into v_known;
  if v_known.id is not null and (v_known.state <> 'abandoned' or v_known.outcome is distinct from 'recovered') then
    refused := 'known';
    return;
  end if;
  if not v_asked then
    if not is_hung((intent ->> 'worker')::bigint, v_uid, intent ->> 'verdict', (intent ->> 'silent_ms')::bigint) then
      refused := 'not_hung';
      return;
    end if;
    refused := refuse_restart(v_pool, budget);
    if refused is not null then return; end if;
  end if;
  insert into restart_intents as i (pool, queue, template_hash, namespace, pod, pod_uid, worker_id, node, reason, evidence, asked, term, actor)
  values (v_pool, read_fact(intent, 'queue'), read_fact(intent, 'template_hash'), read_fact(intent, 'namespace'), read_fact(intent, 'pod'),
    v_uid, (intent ->> 'worker')::bigint, read_fact(intent, 'node'), read_fact(intent, 'reason'),
    coalesce(intent -> 'evidence', '{}'), v_asked, (intent ->> 'term')::bigint, open_restart.actor)
  -- A pod that was spared because its worker came back, and that hangs again.
  on conflict (pod_uid) do update set worker_id = excluded.worker_id, reason = excluded.reason, evidence = excluded.evidence,
    asked = excluded.asked, term = excluded.term, actor = excluded.actor, state = 'open', opened_at = clock_timestamp(),
    updated_at = clock_timestamp(), refused_since = null, closed_at = null, outcome = null
  returning i.id into id;
  insert into audit_events (action, actor, target, reason, after)
  values ('open_restart', open_restart.actor, 'pods/' || read_fact(intent, 'namespace') || '/' || read_fact(intent, 'pod'), open_restart.reason,
    jsonb_build_object('intent', id) || open_restart.intent);
end $$;
comment on function open_restart(jsonb, jsonb, text, text) is
  'Decides to restart the worker of a pod, before anything is done to it. intent: pool, queue, template_hash, namespace, pod, pod_uid, reason, worker, verdict (lapsed, blocked, stalled, all-slots-stuck), silent_ms (for how long), node, evidence, term; asked (true: a person asked, so neither verdict nor budget count). budget: concurrent (most at a time), spacing_ms (since the last), window_ms and window_most. Everything is looked at again here, under a lock per pool. Returns the id of the intent, or why there is none: known (this pod has one already, and never gets another unless it was spared because it recovered), not_hung, concurrent, spacing, window. One audit event with the intent. Raises 22023 for what is missing.';

create function advance_restart(id bigint, state text, actor text, detail text default null) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  c_order constant text[] := '{open,fenced,recovered,evicted,closed}';
  v_old restart_intents;
  v_new restart_intents;
begin
  if advance_restart.state in ('fenced', 'recovered', 'evicted', 'closed', 'abandoned', 'refused') is not true then
    raise exception using errcode = '22023', message = format('state is %s: write fenced, recovered, refused, evicted, closed or abandoned',
      coalesce(quote_literal(left(advance_restart.state, 80)), 'null'));
  end if;
  if char_length(advance_restart.actor) between 1 and 256 is not true then
    raise exception using errcode = '22023', message = 'actor must have 1 to 256 characters: say who does it';
  end if;
  select * from restart_intents i where i.id = advance_restart.id for update into v_old;
  if not found or v_old.closed_at is not null then return false; end if;
  if advance_restart.state = 'refused' then
    if v_old.refused_since is not null or v_old.state = 'evicted' then return false; end if;
  elsif advance_restart.state <> 'abandoned'
    and array_position(c_order, advance_restart.state) <= array_position(c_order, v_old.state) then return false;
  end if;
  if advance_restart.state = 'fenced' then
    update workers w set state = 'fenced', lease_until = least(w.lease_until, clock_timestamp())
    where w.id = v_old.worker_id and w.state in ('active', 'draining');
  end if;
  update restart_intents i set
    state = case when advance_restart.state = 'refused' then i.state else advance_restart.state end,
    refused_since = case when advance_restart.state = 'refused' then clock_timestamp() else i.refused_since end,
    updated_at = clock_timestamp(),
    closed_at = case when advance_restart.state in ('closed', 'abandoned') then clock_timestamp() end,
    outcome = case when advance_restart.state in ('closed', 'abandoned') then left(advance_restart.detail, 1024) end
  where i.id = advance_restart.id returning i.* into v_new;
  insert into audit_events (action, actor, target, reason, before, after)
  values ('advance_restart', advance_restart.actor, 'pods/' || v_old.namespace || '/' || v_old.pod, left(advance_restart.detail, 1024),
    jsonb_build_object('intent', v_old.id, 'state', v_old.state),
    jsonb_build_object('intent', v_old.id, 'state', v_new.state, 'pod_uid', v_old.pod_uid, 'worker', v_old.worker_id, 'refused_since', v_new.refused_since));
  return true;
end $$;
comment on function advance_restart(bigint, text, text, text) is
  'Notes how far a restart has come: fenced (in the same transaction the worker loses its lease for good), recovered, refused (a disruption budget is in the way; the state stays, the time is noted once), evicted, closed (the pod is gone; detail: how it ended), abandoned (the pod was not touched; detail recovered: its worker came back by itself). Never backwards, and never after the end: then, and when it is there already, nothing is written and it returns false. One audit event with each change.';

create view v_restarts as
  select i.id, i.pool, i.queue, i.template_hash, i.namespace, i.pod, i.pod_uid, i.worker_id, i.node, i.reason, i.evidence, i.asked, i.term,
    i.actor, i.state, i.closed_at is null as is_open, i.opened_at, i.updated_at, i.refused_since, i.closed_at, i.outcome,
    (extract(epoch from t.now - i.opened_at) * 1000)::bigint as age_ms,
    (extract(epoch from t.now - i.refused_since) * 1000)::bigint as refused_ms,
    exists (select from workers w where w.pod_uid = i.pod_uid and w.state in ('active', 'draining') and w.lease_until > t.now) as worker_is_back
  from restart_intents i cross join (select clock_timestamp() as now) t;
comment on view v_restarts is 'Restarts of workers that were decided, how far each has come and how it ended.';
comment on column v_restarts.is_open is 'Neither closed nor abandoned: it counts as one that is being replaced.';
comment on column v_restarts.age_ms is 'Milliseconds since it was decided.';
comment on column v_restarts.worker_is_back is 'A worker of this very pod holds a lease again.';
comment on column v_restarts.refused_ms is 'Milliseconds since a disruption budget first refused the eviction.';
