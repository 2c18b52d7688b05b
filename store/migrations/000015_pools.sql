-- Pools: what the workers of one JobQueue are told by their heartbeat, and which of them leave first.

create function configure_pool(name text, settings jsonb, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_key text;
  v_value jsonb;
  v_old pools;
  v_new pools;
begin
  perform check_words(configure_pool.actor, configure_pool.reason);
  if char_length(configure_pool.name) between 1 and 600 is not true then
    raise exception using errcode = '22023', message = 'the name of a pool must have 1 to 600 characters';
  end if;
  if jsonb_typeof(configure_pool.settings) is distinct from 'object' then
    raise exception using errcode = '22023', message = 'settings must be a JSON object';
  end if;
  select * from pools p where p.name = configure_pool.name for update into v_old;
  v_new := v_old;
  for v_key, v_value in select * from jsonb_each(configure_pool.settings) loop
    case v_key
      when 'loop_stall_ms' then v_new.loop_stall_ms := read_setting(v_value, v_key, 100, 3600000);
      else
        raise exception using errcode = '22023', message = format('unknown setting %s of a pool', quote_literal(left(v_key, 80))),
          hint = 'settings are loop_stall_ms';
    end case;
  end loop;
  if v_new is not distinct from v_old then return false; end if;
  if v_new.loop_stall_ms is null then
    delete from pools p where p.name = configure_pool.name; -- as if nobody had ever said anything
  else
    insert into pools (name, loop_stall_ms) values (configure_pool.name, v_new.loop_stall_ms)
    on conflict (name) do update set loop_stall_ms = excluded.loop_stall_ms, updated_at = clock_timestamp();
  end if;
  insert into audit_events (action, actor, target, reason, before, after)
  values ('configure_pool', configure_pool.actor, 'pools/' || configure_pool.name, configure_pool.reason,
    case when v_old.name is not null then jsonb_build_object('loop_stall_ms', v_old.loop_stall_ms) end,
    jsonb_build_object('loop_stall_ms', v_new.loop_stall_ms));
  return true;
end $$;
comment on function configure_pool(text, jsonb, text, text) is
  'Sets what the workers of a pool ("namespace/name") are told with their next heartbeat: loop_stall_ms (100 to 3600000: how long a main loop may stand still before its leases are given up). What is not named is left as it is; null: as each worker was started with. Returns whether anything changed; only then are there a write and an audit event. Raises 22023 with what to write instead.';

create view v_pools as select p.name, p.loop_stall_ms, p.updated_at from pools p;
comment on view v_pools is 'What the workers of each pool are told with their heartbeat; see configure_pool.';
-- Idle first: which workers leave when a pool shrinks. A claim shares the drain lock of its worker, a drain takes it alone,
-- to the end of its transaction, and then looks whether the worker has anything. So a worker that is drained holds no job and
-- gets none, and one that has a job, or is just getting one, is not drained. Everything else about leaving is the caller's.

create function drain_idle_workers(pool text, count int, actor text, reason text, first_pods text[] default '{}')
returns table (worker_id bigint, pod_uid text, pod text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_candidate bigint;
  v_drained bigint[] := '{}';
begin
  perform check_words(drain_idle_workers.actor, drain_idle_workers.reason);
  if drain_idle_workers.count is null or drain_idle_workers.count not between 1 and 100000 then
    raise exception using errcode = '22023', message = format('count is %s: write 1 to 100000', coalesce(drain_idle_workers.count::text, 'null'));
  end if;
  -- What is looked at after the lock must be newer than the lock.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'JQ002', message = 'drain_idle_workers works only in READ COMMITTED transactions, this one is '
      || current_setting('transaction_isolation');
  end if;
  for v_candidate in
    select w.id from workers w
    where w.pool = drain_idle_workers.pool and w.state = 'active' and w.drain_since is null and w.lease_until > clock_timestamp()
      and not exists (select from leases l cross join lateral unnest(l.ids) u(id)
        cross join lateral (select from jobs j where j.id = u.id and j.lease_token = l.token offset 0) r where l.worker_id = w.id)
    -- Those whose pods go first anyway; then who has been idle longest; of those that never had a job the youngest.
    order by w.pod_uid = any(drain_idle_workers.first_pods) desc nulls last,
      w.heartbeat_at - make_interval(secs => w.last_finish_age_ms / 1000.0) nulls first, w.id desc
  loop
    exit when cardinality(v_drained) >= drain_idle_workers.count;
    -- Not waited for: a worker that is claiming now is not idle.
    continue when not pg_try_advisory_xact_lock(drain_lock(v_candidate));
    update workers w set drain_since = clock_timestamp()
    where w.id = v_candidate and w.state = 'active' and w.drain_since is null and w.lease_until > clock_timestamp()
      and not exists (select from leases l cross join lateral unnest(l.ids) u(id)
        cross join lateral (select from jobs j where j.id = u.id and j.lease_token = l.token offset 0) r where l.worker_id = w.id);
    if found then v_drained := v_drained || v_candidate; end if;
  end loop;
  if v_drained = '{}' then return; end if;
  insert into audit_events (action, actor, target, reason, after, count)
  values ('drain_workers', drain_idle_workers.actor, drain_idle_workers.pool, drain_idle_workers.reason,
    jsonb_build_object('workers', v_drained), cardinality(v_drained));
  return query select w.id, w.pod_uid, w.pod from workers w where w.id = any(v_drained) order by w.id;
end $$;
comment on function drain_idle_workers(text, int, text, text, text[]) is
  'Drains up to count workers of a pool that hold no job, and returns them; fewer come back when fewer are idle. A drained worker claims nothing, also when its container is restarted or it lost its lease and registers again in the same pod, and stays up until its pod is removed or release_drained_workers is called. A worker that has a job, or is claiming one at this moment, is never drained. Those in the pods first_pods come first, then those that have been idle longest. One audit event when there was any. Raises JQ002 outside READ COMMITTED.';

create function release_drained_workers(workers bigint[], actor text, reason text) returns setof bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_released bigint[];
begin
  perform check_words(release_drained_workers.actor, release_drained_workers.reason);
  with released as (
    update workers w set drain_since = null
    where w.id = any(release_drained_workers.workers) and w.drain_since is not null returning w.id, w.pool, w.state)
  select array_agg(r.id order by r.id) from released r into v_released;
  if v_released is null then return; end if;
  insert into audit_events (action, actor, target, reason, after, count)
  values ('release_workers', release_drained_workers.actor, coalesce((select min(w.pool) from workers w where w.id = any(v_released)), 'workers'),
    release_drained_workers.reason, jsonb_build_object('workers', v_released), cardinality(v_released));
  -- They should not have to wait for their next heartbeat to learn it.
  perform send_hint('worker:' || r.id) from unnest(v_released) r(id);
  return query select unnest(v_released);
end $$;
comment on function release_drained_workers(bigint[], text, text) is
  'Lets drained workers take jobs again and returns those that were drained. A worker that is leaving by itself (state draining) goes on leaving. One audit event when there was any.';
