-- How an attempt ends. Every call takes exact pairs of id and lease token: the fence. Settings on the functions: see 000004.

create function check_pairs(ids bigint[], lease_tokens bigint[]) returns void
language plpgsql immutable as $$
begin
  if cardinality(ids) is distinct from cardinality(lease_tokens) or ids is null then
    raise exception using errcode = '22023', message = 'ids and lease_tokens must have one element per job';
  end if;
end $$;
comment on function check_pairs(bigint[], bigint[]) is 'Internal. Raises 22023 unless every id has its token.';

create function complete(ids bigint[], lease_tokens bigint[], results json[] default null, durations_ms int[] default null)
returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_done bigint;
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
  with done as (
    delete from jobs j
    using unnest(complete.ids, complete.lease_tokens, complete.durations_ms, complete.results) t(id, token, ms, result)
    where t.id = j.id and t.token = j.lease_token
    returning j.*, t.ms, t.result)
  insert into job_history (id, queue, kind, state, priority, attempt, max_attempts, recoveries, worker_id, lease_token,
    timeout_ms, created_at, run_at, claimed_at, finished_at, duration_ms, unique_key, tag, labels, payload, result, last_error,
    last_recovery)
  select d.id, d.queue, d.kind, 10, d.priority, d.attempt, d.max_attempts, d.recoveries, d.worker_id, d.lease_token,
    d.timeout_ms, d.created_at, d.run_at, d.claimed_at, clock_timestamp(), d.ms, d.unique_key, d.tag, d.labels, d.payload,
    d.result, d.last_error, d.last_recovery
  from done d;
  get diagnostics v_done = row_count;
  if v_done = cardinality(complete.ids) then return '{}'; end if;
  return array(select t.id from unnest(complete.ids, complete.lease_tokens) t(id, token)
    where not exists (select from job_history h where h.id = t.id and h.lease_token = t.token and h.state = 10));
end $$;
comment on function complete(bigint[], bigint[], json[], int[]) is
  'Moves finished jobs to the history. Exact pairs of id and lease token; returns the ids whose lease was lost, normally {}: drop their outcome, never turn it into a failure. Repeating a call whose reply was lost counts as done.';

create function fail(ids bigint[], lease_tokens bigint[], errors text[] default null, durations_ms int[] default null)
returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_done bigint[];
begin
  perform check_pairs(fail.ids, fail.lease_tokens);
  with retried as (
    update jobs j set state = 3, last_lease_token = j.lease_token, lease_token = null, worker_id = null, claimed_at = null,
      last_error = left(t.error, 8192),
      -- 1 s, 2 s, 4 s … at most an hour; a fifth more or less, so that what failed together does not return together.
      run_at = clock_timestamp() + least(interval '1 hour', interval '1 second' * power(2, least(j.attempt, 20) - 1)) * (0.8 + 0.4 * random())
    from unnest(fail.ids, fail.lease_tokens, fail.errors) t(id, token, error)
    where t.id = j.id and t.token = j.lease_token and j.attempt < j.max_attempts
    returning j.id),
  spent as (
    delete from jobs j using unnest(fail.ids, fail.lease_tokens, fail.durations_ms, fail.errors) t(id, token, ms, error)
    where t.id = j.id and t.token = j.lease_token and j.attempt >= j.max_attempts
    returning j.*, t.ms, t.error),
  dead as (
    insert into job_history (id, queue, kind, state, dead_reason, priority, attempt, max_attempts, recoveries, worker_id,
      lease_token, timeout_ms, created_at, run_at, claimed_at, finished_at, duration_ms, unique_key, tag, labels, payload,
      last_error, last_recovery)
    select d.id, d.queue, d.kind, 12, 'attempts', d.priority, d.attempt, d.max_attempts, d.recoveries, d.worker_id,
      d.lease_token, d.timeout_ms, d.created_at, d.run_at, d.claimed_at, clock_timestamp(), d.ms, d.unique_key, d.tag,
      d.labels, d.payload, left(d.error, 8192), d.last_recovery
    from spent d returning id)
  select array(select r.id from retried r union all select d.id from dead d) into v_done;
  if cardinality(v_done) = cardinality(fail.ids) then return '{}'; end if;
  return array(select t.id from unnest(fail.ids, fail.lease_tokens) t(id, token)
    where t.id <> all(v_done)
      and not exists (select from jobs j where j.id = t.id and j.last_lease_token = t.token)
      and not exists (select from job_history h where h.id = t.id and h.lease_token = t.token and h.state = 12));
end $$;
comment on function fail(bigint[], bigint[], text[], int[]) is
  'Records failed attempts: the job waits for its next one (1 s doubling to an hour, jittered), or is dead when max_attempts are spent. Exact pairs; returns the ids whose lease was lost. Keeps the first 8192 characters of an error. Repeating a call whose reply was lost counts as done.';

create function return_unstarted(ids bigint[], lease_tokens bigint[]) returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_done bigint[];
begin
  perform check_pairs(return_unstarted.ids, return_unstarted.lease_tokens);
  with returned as (
    update jobs j set state = 0, last_lease_token = j.lease_token, lease_token = null, worker_id = null, claimed_at = null,
      attempt = j.attempt - 1
    from unnest(return_unstarted.ids, return_unstarted.lease_tokens) t(id, token)
    where t.id = j.id and t.token = j.lease_token
    returning j.id)
  select array(select r.id from returned r) into v_done;
  if cardinality(v_done) = cardinality(return_unstarted.ids) then return '{}'; end if;
  return array(select t.id from unnest(return_unstarted.ids, return_unstarted.lease_tokens) t(id, token)
    where t.id <> all(v_done) and not exists (select from jobs j where j.id = t.id and j.last_lease_token = t.token));
end $$;
comment on function return_unstarted(bigint[], bigint[]) is
  'Gives jobs back that were not started, or that a drain cut short: pending at once, no attempt spent, in their old place. Exact pairs; returns the ids whose lease was lost.';
