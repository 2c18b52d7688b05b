-- How an attempt ends, and how a job does. Every call of a worker takes exact pairs of id and lease token: the fence.
-- Settings on the functions: see 000004.
--
-- A job becomes terminal in one function, move_to_history, whoever ends it. What few jobs have is done there too, and
-- only when a job has it: dependents, a finaliser, a kept key, a cancel request.

create function check_pairs(ids bigint[], lease_tokens bigint[]) returns void
language plpgsql immutable as $$
begin
  if cardinality(ids) is distinct from cardinality(lease_tokens) or ids is null then
    raise exception using errcode = '22023', message = 'ids and lease_tokens must have one element per job';
  end if;
end $$;
comment on function check_pairs(bigint[], bigint[]) is 'Internal. Raises 22023 unless every id has its token.';

create function lost_leases(ids bigint[], lease_tokens bigint[], completing boolean) returns bigint[]
language sql stable set search_path = {{schema}}, pg_temp as $$
  select array(select t.id from unnest(lost_leases.ids, lost_leases.lease_tokens) t(id, token)
    where not exists (select from job_history h where h.id = t.id and h.lease_token = t.token
        and (h.state = 10) = lost_leases.completing
        -- Nobody ended what recovery took away.
        and (h.state = 10 or (h.dead_reason in ('attempts', 'permanent') or (h.state = 11 and h.last_recovery ->> 'policy' is distinct from 'cancel'))))
      and (lost_leases.completing or not exists (select from jobs j where j.id = t.id and j.last_lease_token = t.token)))
$$;
comment on function lost_leases(bigint[], bigint[], boolean) is
  'Internal. Which pairs have not ended an attempt, neither now nor by an earlier call whose reply was lost.';

create function enqueue_finalisers(ended jsonb, state int) returns void
language plpgsql volatile set search_path = {{schema}}, pg_temp as $$
declare
  v_ids bigint[];
  v_queues text[];
  v_kinds text[];
  v_payloads json[];
  v_options jsonb[];
begin
  select array_agg((e ->> 'finaliser_id')::bigint),
    array_agg(coalesce(e #>> '{options,finaliser,queue}', e ->> 'queue')),
    array_agg(e #>> '{options,finaliser,kind}'),
    array_agg(coalesce(e #> '{options,finaliser,payload}', jsonb_build_object('job', e ->> 'id', 'generation', e -> 'generation',
      'state', case enqueue_finalisers.state when 10 then 'completed' when 11 then 'cancelled' else 'dead' end))::json),
    array_agg(case when e -> 'options' ? 'traceparent' then jsonb_build_object('traceparent', e #> '{options,traceparent}') end)
  from jsonb_array_elements(enqueue_finalisers.ended) e where e -> 'options' ? 'finaliser'
  into v_ids, v_queues, v_kinds, v_payloads, v_options;
  if v_ids is null then return; end if;
  perform add_queues(array(select distinct q.name from unnest(v_queues) q(name)));
  perform insert_jobs(v_ids, v_queues, v_kinds, v_payloads, v_options);
  perform send_hint(q.name) from (select distinct q.name from unnest(v_queues) q(name)) q;
end $$;
comment on function enqueue_finalisers(jsonb, int) is 'Internal. The jobs that are to run because these ended.';

create function keep_keys(ended jsonb) returns void
language sql volatile set search_path = {{schema}}, pg_temp as $$
  insert into kept_keys as k (unique_key, job_id, until)
  select e ->> 'unique_key', (e ->> 'id')::bigint,
    clock_timestamp() + make_interval(secs => (e #>> '{options,unique_for_seconds}')::float8)
  from jsonb_array_elements(keep_keys.ended) e
  where e -> 'options' ? 'unique_for_seconds' and e ->> 'unique_key' is not null
  order by 1
  on conflict (unique_key) do update set job_id = excluded.job_id, until = excluded.until
$$;
comment on function keep_keys(jsonb) is 'Internal. Unique keys that stay taken for a while after these jobs.';

create function move_to_history(ids bigint[], to_state int, lease_tokens bigint[] default null, dead_reasons text[] default null,
  durations_ms int[] default null, results json[] default null, exit_codes int[] default null, dependents boolean default true)
returns bigint
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_moved bigint[];
  v_special jsonb;
begin
  with done as (
    delete from jobs j
    using unnest(move_to_history.ids, move_to_history.lease_tokens, move_to_history.dead_reasons, move_to_history.durations_ms,
      move_to_history.results, move_to_history.exit_codes) t(id, token, reason, ms, result, ended_with)
    where t.id = j.id and (t.token = j.lease_token or move_to_history.lease_tokens is null)
    returning j.id, j.generation, j.queue, j.kind, j.priority, j.attempt, j.max_attempts, j.recoveries, j.worker_id,
      j.lease_token, j.created_at, j.run_at, j.claimed_at, j.payload, t.reason, t.ms, t.result, t.ended_with,
      -- What few jobs have is carried as one column, which costs the others next to nothing.
      case when num_nulls(j.last_lease_token, j.timeout_ms, j.result_ttl_seconds, j.concurrency_key, j.unique_key, j.tag,
        j.labels, j.options, j.progress, j.process, j.exit_code, j.last_error, j.errors, j.last_recovery) < 14 then j end as more),
  moved as (
    insert into job_history (id, generation, queue, kind, state, dead_reason, priority, attempt, max_attempts, recoveries,
      worker_id, lease_token, timeout_ms, result_ttl_seconds, created_at, run_at, claimed_at, finished_at, duration_ms, result_expires_at,
      finaliser_id, concurrency_key, unique_key, tag, labels, options, payload, result, progress, process, exit_code,
      last_error, errors, last_recovery)
    select d.id, d.generation, d.queue, d.kind, move_to_history.to_state, d.reason, d.priority, d.attempt, d.max_attempts,
      d.recoveries, d.worker_id, coalesce(d.lease_token, (d.more).last_lease_token), (d.more).timeout_ms,
      case when move_to_history.to_state = 12 then (d.more).result_ttl_seconds end, d.created_at, d.run_at,
      d.claimed_at, v_now, d.ms, case when d.result is not null and (d.more).result_ttl_seconds > 0 then v_now + make_interval(secs => (d.more).result_ttl_seconds) end,
      case when (d.more).options ? 'finaliser' then nextval('jobs_id_seq') end, (d.more).concurrency_key, (d.more).unique_key,
      (d.more).tag, (d.more).labels, (d.more).options, d.payload, case when (d.more).result_ttl_seconds = 0 then null else d.result end,
      (d.more).progress, (d.more).process,
      -- A completed job has the code of its last attempt; the others had it written when the attempt ended.
      case when move_to_history.to_state = 10 then d.ended_with else coalesce(d.ended_with, (d.more).exit_code) end,
      (d.more).last_error, (d.more).errors, (d.more).last_recovery
    from done d
    returning id, case when options is not null then jsonb_build_object('id', id, 'generation', generation, 'queue', queue,
      'unique_key', unique_key, 'finaliser_id', finaliser_id, 'options', options) end as special)
  select array_agg(m.id), jsonb_agg(m.special) filter (where m.special is not null) from moved m into v_moved, v_special;
  if v_moved is null then return 0; end if;

  if v_special is not null then
    perform keep_keys(v_special);
    perform enqueue_finalisers(v_special, move_to_history.to_state);
  end if;
  if exists (select from cancel_requests) then
    delete from cancel_requests r where r.job_id = any(v_moved);
  end if;
  if move_to_history.dependents and exists (select from job_dependencies) then
    perform settle_dependents(v_moved, move_to_history.to_state);
  end if;
  return cardinality(v_moved);
end $$;
comment on function move_to_history(bigint[], int, bigint[], text[], int[], json[], int[], boolean) is
  'Internal. The terminal transition of jobs, to completed 10, cancelled 11 or dead 12 (with a reason each): from jobs to the history, with all that follows from it. Without lease_tokens whoever holds them, so the caller has locked the rows; it has also written what else changes. Returns how many were moved.';

create function settle_dependents(parents bigint[], fate int default null) returns bigint
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_parents bigint[] := settle_dependents.parents;
  v_fate int := settle_dependents.fate;
  v_waiting bigint[];
  v_cancelled bigint[];
  v_queues text[];
  v_settled bigint := 0;
begin
  -- A loop and no recursion: a chain of dependents may be longer than the stack is deep.
  loop
    -- What a job waited for is of no interest once it waits no more.
    delete from job_dependencies d where d.job_id = any(v_parents);
    select array_agg(distinct d.job_id) from job_dependencies d
      where d.depends_on = any(v_parents) and not exists (select from jobs j where j.id = d.depends_on) into v_waiting;
    exit when v_waiting is null;
    -- Two parents that end at once: the second waits here until the first has committed, and then sees that it was the
    -- last. Whom somebody holds for longer is left to release_deferred, with its edge.
    v_waiting := lock_waiting(v_waiting);
    exit when v_waiting = '{}';

    with settled as (
      delete from job_dependencies d where d.depends_on = any(v_parents) and d.job_id = any(v_waiting)
      returning d.job_id, d.depends_on, d.policy),
    judged as (
      select s.job_id, s.depends_on, s.policy, coalesce(v_fate,
        (select h.state from job_history h where h.id = s.depends_on order by h.generation desc limit 1)) as fate
      from settled s),
    cancelled as (
      update jobs j set last_error = format('cancelled: it depends on job %s, which is %s', d.depends_on,
        case d.fate when 11 then 'cancelled' when 12 then 'dead' else 'deleted' end)
      from (select distinct on (i.job_id) i.* from judged i where i.policy = 'cancel' and i.fate is distinct from 10 order by i.job_id, i.depends_on) d
      where j.id = d.job_id and j.state = 4
      returning j.id)
    select coalesce(array_agg(c.id), '{}') from cancelled c into v_cancelled;

    with released as (
      update jobs j set state = case when j.run_at > clock_timestamp() then 2 else 0 end
      where j.id = any(v_waiting) and j.id <> all(v_cancelled) and j.state = 4
        and not exists (select from job_dependencies d where d.job_id = j.id)
      returning j.queue)
    select array_agg(r.queue) from released r into v_queues;
    if v_queues is not null then
      perform send_hint(q.name) from (select distinct q.name from unnest(v_queues) q(name)) q;
      v_settled := v_settled + cardinality(v_queues);
    end if;

    exit when v_cancelled = '{}';
    v_settled := v_settled + move_to_history(v_cancelled, 11, dependents => false);
    v_parents := v_cancelled;
    v_fate := 11;
  end loop;
  return v_settled;
end $$;
comment on function settle_dependents(bigint[], int) is
  'Internal. These jobs are not live any more: what waited only for them runs, or is cancelled when they were not completed and its policy says so, and so on down the chain. fate: their state when known; 0: deleted. Returns how many jobs were settled.';

create function lock_waiting(ids bigint[]) returns bigint[]
language plpgsql volatile set search_path = {{schema}}, pg_temp set lock_timeout = '500ms' as $$
begin
  return array(select j.id from jobs j where j.id = any(lock_waiting.ids) order by j.id for update);
exception when lock_not_available then
  return array(select j.id from jobs j where j.id = any(lock_waiting.ids) order by j.id for update skip locked);
end $$;
comment on function lock_waiting(bigint[]) is
  'Internal. Locks jobs, but waits for no long transaction: returns those it got.';

create function settle_deleted(ids bigint[]) returns void
language plpgsql volatile set search_path = {{schema}}, pg_temp as $$
begin
  if exists (select from job_dependencies) then perform settle_dependents(settle_deleted.ids, 0); end if;
end $$;
comment on function settle_deleted(bigint[]) is 'Internal. These jobs were deleted: what waited for them is settled.';

create function release_deferred(max int default 1000) returns bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_parents bigint[];
  v_settled bigint := 0;
  v_released bigint;
begin
  if release_deferred.max is null or release_deferred.max not between 1 and 100000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 100000', coalesce(release_deferred.max::text, 'null'));
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' release_deferred', 7001)) then return 0; end if;
  select array_agg(distinct m.depends_on) from (select d.depends_on from job_dependencies d
    where not exists (select from jobs j where j.id = d.depends_on) limit release_deferred.max) m into v_parents;
  if v_parents is not null then v_settled := settle_dependents(v_parents); end if;
  update jobs j set state = case when j.run_at > clock_timestamp() then 2 else 0 end
  where j.ctid = any(array(
    select w.ctid from jobs w where w.state = 4 and w.last_recovery ->> 'policy' is distinct from 'hold'
      and not exists (select from job_dependencies d where d.job_id = w.id)
    limit release_deferred.max for update skip locked));
  get diagnostics v_released = row_count;
  return v_settled + v_released;
end $$;
comment on function release_deferred(int) is
  'Settles deferred jobs that nobody settled when what they wait for ended, because one transaction could not see the other. Part of every sweep. Returns how many.';

create function complete(ids bigint[], lease_tokens bigint[], results json[] default null, durations_ms int[] default null,
  exit_codes int[] default null)
returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_bad bigint;
begin
  perform check_pairs(complete.ids, complete.lease_tokens);
  if complete.results is not null then
    select t.id from unnest(complete.ids, complete.results) t(id, result)
      where octet_length(t.result::text) > 1048576 or (t.result is not null and t.result::jsonb is null) limit 1 into v_bad;
    if found then
      raise exception using errcode = '22023', message = format('the result of job %s has more than 1048576 bytes', v_bad),
        hint = 'put large data elsewhere and return a reference to it';
    end if;
  end if;
  if move_to_history(complete.ids, 10, complete.lease_tokens, null, complete.durations_ms, complete.results,
      complete.exit_codes) = cardinality(complete.ids) then
    return '{}';
  end if;
  return lost_leases(complete.ids, complete.lease_tokens, true);
end $$;
comment on function complete(bigint[], bigint[], json[], int[], int[]) is
  'Moves finished jobs to the history. Exact pairs of id and lease token; returns the ids whose lease was lost, normally {}: drop their outcome, never turn it into a failure. Repeating a call whose reply was lost counts as done. Results at most 1 MiB as text, kept for the result_ttl_seconds of the job. In the transaction of the handler''s own writes it commits with them or not at all.';

create function retry_wait(policy jsonb, attempt int, chance float8) returns interval
language sql immutable as $$
  select case when policy ? 'intervals_seconds' then
      make_interval(secs => (policy -> 'intervals_seconds' ->> (least(attempt, jsonb_array_length(policy -> 'intervals_seconds')) - 1))::float8)
    else
      make_interval(secs => least(coalesce((policy #>> '{exponential,max_seconds}')::float8, 3600),
          coalesce((policy #>> '{exponential,initial_seconds}')::float8, 1) * power(2, least(attempt, 31) - 1))
        * (1 + coalesce((policy #>> '{exponential,jitter_percent}')::float8, 20) / 100 * (2 * chance - 1)))
    end
$$;
comment on function retry_wait(jsonb, int, float8) is
  'Internal. How long a job waits after its given attempt failed. chance, 0 to 1, is where in the jitter: what failed together does not return together. Without a policy 1 s, 2 s, 4 s … at most an hour, 20 % more or less.';

create function with_error(errors jsonb, attempt int, generation int, worker bigint, error text, exit_code int, at timestamptz)
returns jsonb
language sql stable as $$
  select case when jsonb_array_length(errors) >= 10 then errors - 0 else coalesce(errors, '[]') end
    || jsonb_strip_nulls(jsonb_build_object('attempt', attempt, 'generation', generation, 'at', at, 'error', error,
      'exit_code', exit_code, 'worker', worker::text))
$$;
comment on function with_error(jsonb, int, int, bigint, text, int, timestamptz) is
  'Internal. The errors of a job and one more, the last ten.';

create function fail(ids bigint[], lease_tokens bigint[], errors text[] default null, durations_ms int[] default null,
  exit_codes int[] default null, permanent boolean[] default null)
returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_retried bigint := 0;
  v_ended bigint[];
  v_reasons text[];
  v_durations int[];
begin
  perform check_pairs(fail.ids, fail.lease_tokens);
  update jobs j set state = 3, last_lease_token = j.lease_token, lease_token = null, worker_id = null, claimed_at = null,
    deadline = null, limited = false, last_error = left(t.error, 8192), exit_code = t.exit_code,
    errors = with_error(j.errors, j.attempt, j.generation, j.worker_id, left(t.error, 8192), t.exit_code, v_now),
    run_at = v_now + retry_wait(coalesce(j.options -> 'retry', (select q.retry from queues q where q.name = j.queue)), j.attempt, random())
  from unnest(fail.ids, fail.lease_tokens, fail.errors, fail.exit_codes, fail.permanent) t(id, token, error, exit_code, permanent)
  where t.id = j.id and t.token = j.lease_token and j.attempt < j.max_attempts and t.permanent is not true;
  get diagnostics v_retried = row_count;
  if v_retried < cardinality(fail.ids) then
    with ended as (
      update jobs j set last_error = left(t.error, 8192), exit_code = t.exit_code,
        errors = with_error(j.errors, j.attempt, j.generation, j.worker_id, left(t.error, 8192), t.exit_code, v_now)
      from unnest(fail.ids, fail.lease_tokens, fail.errors, fail.exit_codes, fail.durations_ms, fail.permanent)
        t(id, token, error, exit_code, ms, permanent)
      where t.id = j.id and t.token = j.lease_token
      returning j.id, case when t.permanent then 'permanent' else 'attempts' end as reason, t.ms)
    select array_agg(e.id), array_agg(e.reason), array_agg(e.ms) from ended e into v_ended, v_reasons, v_durations;
    if v_ended is not null then
      perform move_to_history(v_ended, 12, dead_reasons => v_reasons, durations_ms => v_durations);
    end if;
  end if;
  perform cancel_requested(fail.ids);
  if v_retried + coalesce(cardinality(v_ended), 0) = cardinality(fail.ids) then return '{}'; end if;
  return lost_leases(fail.ids, fail.lease_tokens, false);
end $$;
comment on function fail(bigint[], bigint[], text[], int[], int[], boolean[]) is
  'Records failed attempts: the job waits for its next one as its retry policy says (its own, else its queue''s, else 1 s doubling to an hour, jittered), or is dead when max_attempts are spent or the error is permanent; cancelled when somebody asked for that. Exact pairs; returns the ids whose lease was lost. Keeps the first 8192 characters of an error, and the errors of the last ten attempts. Repeating a call whose reply was lost counts as done.';

create function cancel_requested(ids bigint[]) returns void
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_ids bigint[];
begin
  if not exists (select from cancel_requests) then return; end if;
  with requested as (
    update jobs j set last_error = left(format('cancelled by %s: %s', r.actor, r.reason), 8192)
    from cancel_requests r where r.job_id = any(cancel_requested.ids) and j.id = r.job_id and j.state <> 1
    returning j.id)
  select array_agg(r.id) from requested r into v_ids;
  if v_ids is not null then perform move_to_history(v_ids, 11); end if;
end $$;
comment on function cancel_requested(bigint[]) is
  'Internal. Jobs that somebody asked to cancel while they ran, and that have just stopped running for another reason, are cancelled. Called in a later statement than the one that stopped them, which has waited for whoever asked.';

create function acknowledge_cancel(ids bigint[], lease_tokens bigint[], durations_ms int[] default null) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
begin
  perform check_pairs(acknowledge_cancel.ids, acknowledge_cancel.lease_tokens);
  update jobs j set last_error = left(format('cancelled by %s: %s', r.actor, r.reason), 8192)
  from unnest(acknowledge_cancel.ids, acknowledge_cancel.lease_tokens) t(id, token), cancel_requests r
  where t.id = j.id and t.token = j.lease_token and r.job_id = j.id;
  if move_to_history(acknowledge_cancel.ids, 11, acknowledge_cancel.lease_tokens, durations_ms => acknowledge_cancel.durations_ms)
      = cardinality(acknowledge_cancel.ids) then
    return '{}';
  end if;
  return lost_leases(acknowledge_cancel.ids, acknowledge_cancel.lease_tokens, false);
end $$;
comment on function acknowledge_cancel(bigint[], bigint[], int[]) is
  'The handler stopped because its job was to be cancelled: the job is cancelled. Exact pairs; returns the ids whose lease was lost. Repeating a call whose reply was lost counts as done.';

create function cancel_requests(worker bigint) returns table (id bigint, lease_token bigint, reason text)
language sql stable security definer set search_path = {{schema}}, pg_temp as $$
  select r.job_id, r.lease_token, r.reason from cancel_requests r where r.worker_id = cancel_requests.worker order by r.job_id
$$;
comment on function cancel_requests(bigint) is
  'Jobs of a worker that somebody wants cancelled: abort the handler, then acknowledge_cancel. A job that finishes first is finished. heartbeat names them too.';

create function snooze(ids bigint[], lease_tokens bigint[], delays_seconds float8[]) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_done bigint;
begin
  perform check_pairs(snooze.ids, snooze.lease_tokens);
  if cardinality(snooze.delays_seconds) is distinct from cardinality(snooze.ids)
    or exists (select from unnest(snooze.delays_seconds) d(seconds) where d.seconds between 0 and 315360000 is not true) then
    raise exception using errcode = '22023', message = 'delays_seconds must have one number from 0 to 315360000 (10 years) per job';
  end if;
  update jobs j set state = 2, last_lease_token = j.lease_token, lease_token = null, worker_id = null, claimed_at = null,
    deadline = null, limited = false, attempt = j.attempt - 1, run_at = clock_timestamp() + make_interval(secs => t.seconds)
  from unnest(snooze.ids, snooze.lease_tokens, snooze.delays_seconds) t(id, token, seconds)
  where t.id = j.id and t.token = j.lease_token;
  get diagnostics v_done = row_count;
  perform cancel_requested(snooze.ids);
  if v_done = cardinality(snooze.ids) then return '{}'; end if;
  return lost_leases(snooze.ids, snooze.lease_tokens, false);
end $$;
comment on function snooze(bigint[], bigint[], float8[]) is
  'The handler wants to be run again later: the job is scheduled that many seconds from now, no attempt spent. Exact pairs; returns the ids whose lease was lost. Repeating a call whose reply was lost counts as done.';

create function return_unstarted(ids bigint[], lease_tokens bigint[]) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_queues text[];
begin
  perform check_pairs(return_unstarted.ids, return_unstarted.lease_tokens);
  -- Rates before jobs, as whoever changes the limits of a queue locks them.
  if exists (select from queue_limits l where l.rate_count is not null) then
    perform from (select from queue_limits l where l.rate_count is not null
      and l.queue in (select j.queue from jobs j where j.id = any(return_unstarted.ids)) order by l.queue for update) l;
  end if;
  with returned as (
    update jobs j set state = 0, last_lease_token = j.lease_token, lease_token = null, worker_id = null, claimed_at = null,
      deadline = null, limited = false, attempt = j.attempt - 1
    from unnest(return_unstarted.ids, return_unstarted.lease_tokens) t(id, token)
    where t.id = j.id and t.token = j.lease_token
    returning j.queue)
  select array_agg(r.queue) from returned r into v_queues;
  if exists (select from queue_limits l where l.rate_count is not null) then perform return_rate(v_queues); end if;
  perform cancel_requested(return_unstarted.ids);
  if cardinality(v_queues) = cardinality(return_unstarted.ids) then return '{}'; end if;
  return lost_leases(return_unstarted.ids, return_unstarted.lease_tokens, false);
end $$;
comment on function return_unstarted(bigint[], bigint[]) is
  'Gives jobs back that were not started, or that a drain cut short: pending at once, no attempt spent, in their old place. Exact pairs; returns the ids whose lease was lost. Repeating a call whose reply was lost counts as done.';

create function progress(id bigint, lease_token bigint, value jsonb) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
begin
  if octet_length(progress.value::text) > 16384 then
    raise exception using errcode = '22023', message = format('the progress of job %s has more than 16384 bytes', progress.id),
      hint = 'progress is for people who look; put data into the result or elsewhere';
  end if;
  update jobs j set progress = progress.value where j.id = progress.id and j.lease_token = progress.lease_token;
  return found;
end $$;
comment on function progress(bigint, bigint, jsonb) is
  'Says how far a running job is, in any JSON of at most 16 kB; the last word counts. Returns false when the lease was lost: stop.';

create function record_process(id bigint, lease_token bigint, pid int, ppid int, run_as text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
begin
  update jobs j set process = jsonb_strip_nulls(jsonb_build_object('pid', record_process.pid, 'ppid', record_process.ppid,
    'run_as', left(record_process.run_as, 300)))
  where j.id = record_process.id and j.lease_token = record_process.lease_token;
  return found;
end $$;
comment on function record_process(bigint, bigint, int, int, text) is
  'Says which process runs a job, when that is not the worker itself. Returns false when the lease was lost: stop.';

