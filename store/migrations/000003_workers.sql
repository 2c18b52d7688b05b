-- Workers and their leases. A lease that has lapsed is never renewed: the worker registers again, under a new id.

create function read_fact(facts jsonb, name text) returns text
language sql immutable as $$
  select nullif(facts ->> name, '')
$$;
comment on function read_fact(jsonb, text) is 'Internal. A fact as text; empty is absent.';

create function register_worker(facts jsonb) returns bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_id bigint;
  v_lease int := coalesce(read_fact(facts, 'lease_seconds')::int, 30);
  v_container text := coalesce(read_fact(facts, 'container'), 'worker');
begin
  if read_fact(facts, 'boot_id') is null then
    raise exception using errcode = '22023', message = 'the fact boot_id is missing',
      hint = 'send {"boot_id": "…"} with a value that is new for every process, such as a random UUID';
  end if;
  if v_lease not between 1 and 3600 then
    raise exception using errcode = '22023', message = format('the fact lease_seconds is %s: write 1 to 3600', v_lease);
  end if;
  if jsonb_typeof(facts -> 'queues') not in ('array', 'null') then
    raise exception using errcode = '22023', message = 'the fact queues must be an array of names';
  end if;
  if jsonb_typeof(facts -> 'kinds') not in ('array', 'null') then
    raise exception using errcode = '22023', message = 'the fact kinds must be an array of names';
  end if;
  -- Two that register for one container take turns, so that the later one sees the earlier one.
  perform pg_advisory_xact_lock(hashtextextended(
    current_schema() || ' worker ' || coalesce(read_fact(facts, 'pod_uid') || '/' || v_container, read_fact(facts, 'boot_id')), 7001));
  insert into workers (boot_id, pod_uid, container, pod, namespace, node, hostname, pid, ppid, image, run_as, cluster,
    version, pool, queues, kinds, concurrency, lease_seconds, started_at, heartbeat_at, lease_until, drain_since)
  values (read_fact(facts, 'boot_id'), read_fact(facts, 'pod_uid'), v_container, read_fact(facts, 'pod'),
    read_fact(facts, 'namespace'), read_fact(facts, 'node'), read_fact(facts, 'hostname'), read_fact(facts, 'pid')::int,
    read_fact(facts, 'ppid')::int, read_fact(facts, 'image'), read_fact(facts, 'run_as'), read_fact(facts, 'cluster'),
    read_fact(facts, 'version'), read_fact(facts, 'pool'),
    array(select q from jsonb_array_elements_text(case jsonb_typeof(facts -> 'queues') when 'array' then facts -> 'queues' else '[]' end) q),
    case when jsonb_typeof(facts -> 'kinds') = 'array' then array(select k from jsonb_array_elements_text(facts -> 'kinds') k) end,
    read_fact(facts, 'concurrency')::int, v_lease, v_now, v_now, v_now + make_interval(secs => v_lease),
    -- A pod that is to go stays so when its container is restarted, or its worker lost its lease.
    (select w.drain_since from workers w where w.pod_uid = read_fact(facts, 'pod_uid') and w.container = v_container order by w.id desc limit 1))
  returning id into v_id;
  -- Two processes cannot run in one container of one pod: whoever was there before is no more, whatever its lease says.
  update workers w set state = 'gone', gone_at = v_now, lease_until = least(w.lease_until, v_now),
    gone_reason = format('superseded by worker %s', v_id)
  where w.id < v_id and w.state <> 'gone'
    and (w.boot_id = read_fact(facts, 'boot_id') or (w.pod_uid = read_fact(facts, 'pod_uid') and w.container = v_container));
  return v_id;
end $$;
comment on function register_worker(jsonb) is
  'Registers a worker; its lease starts now. Facts: boot_id (required, new for every process), pod_uid, container, pod, namespace, node, hostname, pid, ppid, image, run_as, cluster, version, pool, queues, kinds (what it has handlers for; absent: it does not say), concurrency, lease_seconds (30); others are ignored. Earlier workers of the same container of the same pod, or of the same boot_id, are marked gone.';

create function heartbeat(worker bigint, facts jsonb default '{}')
returns table (lease_until timestamptz, lease_ms int, cancel_ids bigint[], work_ms int, schedule_ms int, sweep boolean, loop_stall_ms int, drained boolean)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_renew boolean := coalesce((heartbeat.facts ->> 'renew')::boolean, true);
begin
  update workers w set
    heartbeat_at = v_now,
    lease_until = case when v_renew then v_now + make_interval(secs => w.lease_seconds) else w.lease_until end,
    renewing = v_renew,
    state = case when heartbeat.facts ->> 'state' = 'draining' then 'draining' else w.state end,
    loop_age_ms = coalesce((heartbeat.facts ->> 'loop_age_ms')::bigint, w.loop_age_ms),
    last_claim_age_ms = coalesce((heartbeat.facts ->> 'last_claim_age_ms')::bigint, w.last_claim_age_ms),
    last_finish_age_ms = coalesce((heartbeat.facts ->> 'last_finish_age_ms')::bigint, w.last_finish_age_ms),
    slots_busy = coalesce((heartbeat.facts ->> 'slots_busy')::int, w.slots_busy),
    slots_stuck = coalesce((heartbeat.facts ->> 'slots_stuck')::int, w.slots_stuck)
  where w.id = heartbeat.worker and w.state in ('active', 'draining') and w.lease_until > clock_timestamp()
  -- What a beat does not renew goes on running out.
  returning w.lease_until, floor(extract(epoch from w.lease_until - v_now) * 1000)::int,
    array(select c.job_id from cancel_requests c where c.worker_id = w.id order by c.job_id),
    (select p.loop_stall_ms from pools p where p.name = w.pool), w.drain_since is not null
  into lease_until, lease_ms, cancel_ids, loop_stall_ms, drained;
  if not found then return; end if;
  if (heartbeat.facts ->> 'due')::boolean then
    select d.work_ms, d.schedule_ms, d.sweep from due_work(heartbeat.worker) d into work_ms, schedule_ms, sweep;
  end if;
  return next;
end $$;
comment on function heartbeat(bigint, jsonb) is
  'Renews the lease of a worker and with it the leases of all its jobs. No row: the lease is lost for good, register again. Facts: loop_age_ms, last_claim_age_ms, last_finish_age_ms, slots_busy, slots_stuck, state (draining, which is never taken back), renew (false: the process is there but its main loop is blocked, so the lease is left to run out). lease_ms is what is left of the lease: count it from when the heartbeat was sent. cancel_ids: jobs of this worker that somebody cancelled; abort their handlers and answer with acknowledge_cancel (cancel_requests says who and why). drained: somebody, mostly the operator, wants it idle; claim gives it nothing until it is released, so it may save itself the claims, and stays up. loop_stall_ms: how long the main loop may stand still before the worker must stop renewing, from now on; null: as it was started with (configure_pool). With the fact due (true) also what due_work says, so that an idle worker need not ask for itself; leave it out while jobs run, whose leases should not wait for an answer.';

create function deregister_worker(worker bigint) returns void
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  update workers w set state = 'gone', gone_at = clock_timestamp(), gone_reason = 'deregistered',
    lease_until = least(w.lease_until, clock_timestamp())
  where w.id = deregister_worker.worker and w.state <> 'gone'
$$;
comment on function deregister_worker(bigint) is 'The worker leaves. What it still holds is stale at once.';
