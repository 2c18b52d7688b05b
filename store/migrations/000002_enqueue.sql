-- Enqueueing. Names and sizes are checked here rather than by constraints of jobs, which every claim would pay again.

create function check_queue_name(name text) returns void
language plpgsql immutable as $$
begin
  if name is null or octet_length(name) > 63 or name !~ '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$' then
    raise exception using errcode = '22023',
      message = format('%s cannot be the name of a queue', coalesce(quote_literal(left(name, 80)), 'null')),
      hint = 'write lower-case letters, digits, ".", "_" and "-", beginning and ending with a letter or digit, at most 63';
  end if;
end $$;
comment on function check_queue_name(text) is 'Internal. Raises 22023 when a queue cannot have this name.';

create function hint_channel(topic text default null) returns text
language sql stable set search_path = {{schema}}, pg_temp as $$
  select 'jobqueue_' || left(encode(sha256(convert_to(current_schema(), 'UTF8')), 'hex'), 16)
    || coalesce('_' || left(encode(sha256(convert_to(hint_channel.topic, 'UTF8')), 'hex'), 16), '')
$$;
comment on function hint_channel(text) is
  'The channel to LISTEN on for hints. A payload is the name of a queue that may have jobs or whose holds changed, * for all, schedules: when a schedule was changed, or worker:<id> when somebody cancelled a job that this worker runs; anybody can send one, so go and look. Without a topic: the channel of all hints. With one, the name of a queue, *, schedules: or worker: (all workers), the channel of these alone: who listens only to what it serves is not woken by the traffic of others.';

-- Who serves a queue hears of this queue; who looks at the whole store (operator, dashboard) hears of all. Both are one wake-up
-- of the server's backends, so the second costs next to nothing.
create function send_hint(hint text) returns void
language sql volatile set search_path = {{schema}}, pg_temp as $$
  select pg_notify(hint_channel(), hint);
  select pg_notify(hint_channel(case when starts_with(hint, 'worker:') then 'worker:' else hint end), hint)
$$;
comment on function send_hint(text) is 'Internal. Sends a hint to those who listen to its topic, and to those who listen to all.';

create function notify_queue(queue text) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
begin
  perform check_queue_name(queue);
  perform send_hint(queue);
end $$;
comment on function notify_queue(text) is
  'Hints to listening workers that a queue may have jobs. Call it after the commit and not for every job: NOTIFY makes all commits of the database wait for each other.';

-- A hint wakes every backend of the database that listens to anything, whatever the channel: some 26 us of CPU for each
-- (bench/README.md, B7). So the more workers there are, the fewer hints: those of one producer cost a twentieth of a core of
-- the server, up to 100 workers. Nothing is lost by it, and the first after a pause is not late. Counted is who is registered: who
-- listens only pg_stat_activity knows, which is dearer, and a number that is somewhat off does no harm.
create function hint_interval_ms() returns int
language sql stable security definer set search_path = {{schema}}, pg_temp as $$
  select least(50, greatest(5, count(*) / 2))::int from workers w where w.state <> 'gone'
$$;
comment on function hint_interval_ms() is
  'How long a program that enqueues often waits between two statements with notify_queue, milliseconds: 5; with more than 10 workers half of one for each, at most 50. Ask now and then, not for every job. Hint at once after a pause, and for all that is enqueued within the interval together at its end.';

create function add_queues(names text[]) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
begin
  -- The first users of a queue do not wait for each other until they commit: whoever finds the lock taken leaves the row
  -- to the other, and if that one rolls back, to the next job. Nothing but lists depends on the row.
  insert into queues (name)
  select n.name from unnest(add_queues.names) n(name)
  where not exists (select from queues q where q.name = n.name)
    and pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' queue ' || n.name, 7001))
  on conflict do nothing;
end $$;
comment on function add_queues(text[]) is 'Internal. Makes queues known without ever waiting for another transaction.';

create function ensure_queue(queue text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
begin
  perform check_queue_name(ensure_queue.queue);
  if exists (select from queues q where q.name = ensure_queue.queue) then return false; end if;
  insert into queues (name) values (ensure_queue.queue) on conflict do nothing;
  return found;
end $$;
comment on function ensure_queue(text) is 'Makes a queue known before its first job. Returns whether it was new.';

create function check_kind(kind text) returns void
language plpgsql immutable as $$
begin
  if kind is null or octet_length(kind) > 128 or kind !~ '^[A-Za-z0-9_][A-Za-z0-9._:/@+-]*$' then
    raise exception using errcode = '22023',
      message = format('%s cannot be the kind of a job', coalesce(quote_literal(left(kind, 150)), 'null')),
      hint = 'write letters, digits and . _ : / @ + -, beginning with a letter, digit or _, at most 128';
  end if;
end $$;
comment on function check_kind(text) is 'Internal. Raises 22023 when a job cannot have this kind.';

create function check_number(value jsonb, lowest numeric, highest numeric, whole boolean, what text, advice text) returns numeric
language plpgsql immutable as $$
declare
  v_number numeric;
begin
  if jsonb_typeof(value) <> 'number' then
    raise exception using errcode = '22023', message = format('%s must be a number, not %s', what, left(value::text, 80));
  end if;
  v_number := (value #>> '{}')::numeric;
  if v_number not between lowest and highest or (whole and v_number <> trunc(v_number)) then
    raise exception using errcode = '22023', message = format('%s is %s: write a %s', what, v_number, advice);
  end if;
  return v_number;
end $$;
comment on function check_number(jsonb, numeric, numeric, boolean, text, text) is
  'Internal. A number that must be between two others; raises 22023 in the words of what and advice.';

create function check_text(value jsonb, longest int, what text) returns text
language plpgsql immutable as $$
begin
  if jsonb_typeof(value) <> 'string' or char_length(value #>> '{}') not between 1 and longest then
    raise exception using errcode = '22023', message = format('%s must be a string of 1 to %s characters', what, longest);
  end if;
  return value #>> '{}';
end $$;
comment on function check_text(jsonb, int, text) is 'Internal. A string that is neither empty nor too long; raises 22023 otherwise.';

create function check_word(value jsonb, words text[], what text) returns text
language plpgsql immutable as $$
begin
  if jsonb_typeof(value) <> 'string' or (value #>> '{}') <> all(words) then
    raise exception using errcode = '22023',
      message = format('%s is %s: write %s', what, left(value::text, 80), array_to_string(words, ' or '));
  end if;
  return value #>> '{}';
end $$;
comment on function check_word(jsonb, text[], text) is 'Internal. One word out of a few; raises 22023 otherwise.';

create function check_keys(value jsonb, keys text[], what text) returns void
language plpgsql immutable as $$
declare
  v_key text;
begin
  if jsonb_typeof(value) <> 'object' then
    raise exception using errcode = '22023', message = format('%s must be an object, not %s', what, left(value::text, 80)),
      hint = 'its keys are ' || array_to_string(keys, ', ');
  end if;
  select k.key from jsonb_object_keys(value) k(key) where k.key <> all(keys) limit 1 into v_key;
  if found then
    raise exception using errcode = '22023', message = format('%s has the unknown key %s', what, quote_literal(left(v_key, 80))),
      hint = 'its keys are ' || array_to_string(keys, ', ');
  end if;
end $$;
comment on function check_keys(jsonb, text[], text) is 'Internal. An object with no other keys than these; raises 22023 otherwise.';

create function check_retry(policy jsonb, what text) returns jsonb
language plpgsql immutable as $$
declare
  v_key text;
  v_value jsonb;
begin
  perform check_keys(policy, '{exponential,intervals_seconds}', what);
  if (select count(*) from jsonb_object_keys(policy)) <> 1 then
    raise exception using errcode = '22023', message = what || ' must have either exponential or intervals_seconds',
      hint = 'write {"exponential": {"initial_seconds": 1, "max_seconds": 3600, "jitter_percent": 20}} or {"intervals_seconds": [10, 60, 300]}';
  end if;
  if policy ? 'intervals_seconds' then
    if jsonb_typeof(policy -> 'intervals_seconds') <> 'array'
      or jsonb_array_length(policy -> 'intervals_seconds') not between 1 and 100 then
      raise exception using errcode = '22023', message = what || ' intervals_seconds must be an array of 1 to 100 numbers';
    end if;
    perform check_number(i.value, 0, 31536000, false, what || ' intervals_seconds', 'number of seconds from 0 to 31536000 (1 year)')
      from jsonb_array_elements(policy -> 'intervals_seconds') i(value);
    return policy;
  end if;
  perform check_keys(policy -> 'exponential', '{initial_seconds,max_seconds,jitter_percent}', what || ' exponential');
  for v_key, v_value in select * from jsonb_each(policy -> 'exponential') loop
    if v_key = 'jitter_percent' then
      perform check_number(v_value, 0, 100, false, what || ' jitter_percent', 'number from 0 to 100');
    else
      perform check_number(v_value, 0.001, 31536000, false, what || ' ' || v_key, 'number of seconds above 0, at most 31536000 (1 year)');
    end if;
  end loop;
  return policy;
end $$;
comment on function check_retry(jsonb, text) is
  'Internal. A retry policy: {"exponential": {"initial_seconds": 1, "max_seconds": 3600, "jitter_percent": 20}}, each of the three optional, the wait doubles; or {"intervals_seconds": [10, 60]}, the last repeats. Raises 22023 for anything else.';

create function read_dependencies(value jsonb) returns table (id bigint, policy text)
language plpgsql immutable as $$
#variable_conflict use_variable
declare
  v_item jsonb;
  v_id text;
begin
  if jsonb_typeof(value) <> 'array' or jsonb_array_length(value) > 1000 then
    raise exception using errcode = '22023', message = 'option depends_on must be an array of at most 1000 jobs',
      hint = 'write ids, or {"id": …, "policy": "run"} to run even when that job is not completed';
  end if;
  for v_item in select * from jsonb_array_elements(value) loop
    policy := 'cancel';
    if jsonb_typeof(v_item) = 'object' then
      perform check_keys(v_item, '{id,policy}', 'option depends_on');
      if v_item ? 'policy' then policy := check_word(v_item -> 'policy', '{cancel,run}', 'policy of option depends_on'); end if;
      v_item := v_item -> 'id';
    end if;
    v_id := v_item #>> '{}';
    -- Programs whose numbers lose digits send ids as strings.
    if (jsonb_typeof(v_item) in ('number', 'string') and v_id ~ '^[0-9]{1,18}$') is not true then
      raise exception using errcode = '22023', message = format('option depends_on names %s, which is no id of a job', coalesce(left(v_item::text, 80), 'nothing'));
    end if;
    id := v_id::bigint;
    return next;
  end loop;
end $$;
comment on function read_dependencies(jsonb) is 'Internal. The option depends_on as rows; raises 22023 when it is none.';

create function read_options(options jsonb)
returns table (priority smallint, run_at timestamptz, max_attempts smallint, timeout_ms int, result_ttl_seconds int,
  unique_key text, concurrency_key text, tag text, labels jsonb, deferred boolean, kept jsonb)
language plpgsql stable strict as $$
#variable_conflict use_variable
declare
  v_key text;
  v_value jsonb;
  v_number numeric;
  v_text text;
begin
  priority := 0; deferred := false;
  if jsonb_typeof(options) <> 'object' then
    raise exception using errcode = '22023', message = 'options must be a JSON object, not ' || jsonb_typeof(options);
  end if;
  for v_key, v_value in select * from jsonb_each(options) loop
    continue when v_value = 'null';
    case v_key
      when 'priority' then
        priority := check_number(v_value, -32768, 32767, true, 'option priority', 'whole number from -32768 (first) to 32767');
      when 'max_attempts' then
        max_attempts := check_number(v_value, 1, 1000, true, 'option max_attempts', 'whole number from 1 to 1000');
      when 'timeout_seconds' then
        timeout_ms := round(1000 * check_number(v_value, 0.001, 604800, false, 'option timeout_seconds', 'number above 0, at most 604800 (7 days)'));
      when 'result_ttl_seconds' then
        result_ttl_seconds := check_number(v_value, 0, 315360000, true, 'option result_ttl_seconds', 'whole number from 0 (do not keep the result) to 315360000 (10 years)');
      when 'delay_seconds' then
        v_number := check_number(v_value, 0, 315360000, false, 'option delay_seconds', 'number from 0 to 315360000 (10 years)');
        if options ? 'run_at' then
          raise exception using errcode = '22023', message = 'options run_at and delay_seconds exclude each other: write one';
        end if;
        if v_number > 0 then run_at := clock_timestamp() + make_interval(secs => v_number::float8); end if;
      when 'run_at' then
        v_text := v_value #>> '{}';
        -- Without a zone the instant would depend on a setting of the session; "infinity" and the like are no instants.
        if jsonb_typeof(v_value) <> 'string'
          or v_text !~ '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?\s?([Zz]|[+-]\d\d(:?\d\d)?)$' then
          raise exception using errcode = '22023',
            message = format('option run_at is %s: write an instant with its zone, such as "2030-01-31T08:00:00Z"', left(v_value::text, 80));
        end if;
        run_at := v_text::timestamptz;
      when 'unique_key' then unique_key := check_text(v_value, 200, 'option unique_key');
      when 'tag' then tag := check_text(v_value, 200, 'option tag');
      when 'concurrency_key' then concurrency_key := check_text(v_value, 200, 'option concurrency_key');
      when 'labels' then
        if jsonb_typeof(v_value) <> 'object' or (select count(*) > 32 or coalesce(bool_or(
            jsonb_typeof(l.value) <> 'string' or char_length(l.key) not between 1 and 63 or char_length(l.value #>> '{}') > 256), false)
            from jsonb_each(case jsonb_typeof(v_value) when 'object' then v_value else '{}' end) l) then
          raise exception using errcode = '22023',
            message = 'option labels must be an object of at most 32 strings: names of 1 to 63, values of at most 256 characters';
        end if;
        labels := v_value;
      when 'depends_on' then
        perform read_dependencies(v_value);
        deferred := jsonb_array_length(v_value) > 0;
      when 'unique_mode', 'unique_for_seconds' then
        if coalesce(options -> 'unique_key', 'null') = 'null' then
          raise exception using errcode = '22023', message = format('option %s needs the option unique_key', v_key);
        end if;
        if v_key = 'unique_mode' then
          perform check_word(v_value, '{skip,replace}', 'option unique_mode');
        else
          perform check_number(v_value, 0, 315360000, false, 'option unique_for_seconds', 'number from 0 to 315360000 (10 years)');
          kept := coalesce(kept, '{}') || jsonb_build_object(v_key, v_value);
        end if;
      when 'retry' then
        kept := coalesce(kept, '{}') || jsonb_build_object(v_key, check_retry(v_value, 'option retry'));
      when 'on_worker_loss' then
        kept := coalesce(kept, '{}') || jsonb_build_object(v_key, check_word(v_value, '{retry,fail,hold}', 'option on_worker_loss'));
      when 'traceparent' then
        if check_text(v_value, 200, 'option traceparent') !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$' then
          raise exception using errcode = '22023',
            message = format('option traceparent is %s: write it as W3C Trace Context does', left(v_value::text, 80)),
            hint = 'such as "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"';
        end if;
        kept := coalesce(kept, '{}') || jsonb_build_object(v_key, v_value);
      when 'finaliser' then
        perform check_keys(v_value, '{kind,queue,payload}', 'option finaliser');
        perform check_kind(v_value ->> 'kind');
        if v_value ? 'queue' then perform check_queue_name(v_value ->> 'queue'); end if;
        if octet_length((v_value -> 'payload')::text) > 1048576 then
          raise exception using errcode = '22023', message = 'the payload of option finaliser has more than 1048576 bytes',
            hint = 'put large data elsewhere and name it';
        end if;
        kept := coalesce(kept, '{}') || jsonb_build_object(v_key, v_value);
      else
        raise exception using errcode = '22023',
          message = format('unknown option %s', quote_literal(left(v_key, 80))),
          hint = 'options are priority, run_at, delay_seconds, max_attempts, timeout_seconds, result_ttl_seconds, retry, '
            || 'on_worker_loss, unique_key, unique_mode, unique_for_seconds, concurrency_key, tag, labels, depends_on, finaliser, '
            || 'traceparent';
    end case;
  end loop;
  return next;
end $$;
comment on function read_options(jsonb) is 'Internal. Checks the options of a job and turns them into columns.';

create function new_jobs(ids bigint[], queues text[], kinds text[], payloads json[], options jsonb[], at timestamptz)
returns table (id bigint, queue text, kind text, payload json, state smallint, run_at timestamptz, created_at timestamptz,
  priority smallint, max_attempts smallint, timeout_ms int, result_ttl_seconds int, unique_key text, concurrency_key text, tag text,
  labels jsonb, options jsonb)
language sql stable as $$
  select n.id, n.queue, n.kind, n.payload, case when o.deferred then 4::smallint when o.run_at > new_jobs.at then 2::smallint else 0::smallint end,
    coalesce(o.run_at, new_jobs.at), new_jobs.at, coalesce(o.priority, 0::smallint), coalesce(o.max_attempts, q.max_attempts, 5::smallint),
    coalesce(o.timeout_ms, q.timeout_ms), coalesce(o.result_ttl_seconds, q.result_ttl_seconds), o.unique_key,
    coalesce(o.concurrency_key, case when l.fair or l.max_running_per_key is not null then '' end), o.tag, o.labels, o.kept
  from unnest(new_jobs.ids, new_jobs.queues, new_jobs.kinds, new_jobs.payloads, new_jobs.options) n(id, queue, kind, payload, options)
    -- Strict, so it is not called for the many jobs that have none.
    left join lateral read_options(nullif(n.options, '{}')) o on true
    left join queues q on q.name = n.queue
    left join queue_limits l on l.queue = n.queue
$$;
comment on function new_jobs(bigint[], text[], text[], json[], jsonb[], timestamptz) is
  'Internal. The rows of jobs that are to be enqueued. Plain SQL, so that it becomes part of the statement that inserts them.';

create function insert_jobs(ids bigint[], queues text[], kinds text[], payloads json[], options jsonb[])
returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_inserted bigint[];
  v_first record;
begin
  -- Many jobs that differ in nothing but their payload: what comes from their queue is read once.
  if insert_jobs.options is null and cardinality(insert_jobs.queues) = 1 and cardinality(insert_jobs.kinds) = 1 then
    select n.* from new_jobs(insert_jobs.ids[1:1], insert_jobs.queues, insert_jobs.kinds, insert_jobs.payloads[1:1], null, v_now) n into v_first;
    insert into jobs (id, queue, kind, payload, state, run_at, created_at, priority, max_attempts, timeout_ms, result_ttl_seconds,
      concurrency_key)
    overriding system value
    select n.id, v_first.queue, v_first.kind, n.payload, v_first.state, v_now, v_now, v_first.priority, v_first.max_attempts,
      v_first.timeout_ms, v_first.result_ttl_seconds, v_first.concurrency_key
    from unnest(insert_jobs.ids, insert_jobs.payloads) n(id, payload);
    return insert_jobs.ids;
  end if;
  -- Where no job has a key there can be no conflict, and an insert that is ready for one writes each row in two steps.
  if not exists (select from unnest(insert_jobs.options) o(options) where o.options ? 'unique_key') then
    insert into jobs (id, queue, kind, payload, state, run_at, created_at, priority, max_attempts, timeout_ms, result_ttl_seconds,
      unique_key, concurrency_key, tag, labels, options)
    overriding system value
    select n.* from new_jobs(insert_jobs.ids, insert_jobs.queues, insert_jobs.kinds, insert_jobs.payloads, insert_jobs.options, v_now) n;
    return insert_jobs.ids;
  end if;
  with inserted as (
    insert into jobs (id, queue, kind, payload, state, run_at, created_at, priority, max_attempts, timeout_ms, result_ttl_seconds,
      unique_key, concurrency_key, tag, labels, options)
    overriding system value
    select n.* from new_jobs(insert_jobs.ids, insert_jobs.queues, insert_jobs.kinds, insert_jobs.payloads, insert_jobs.options, v_now) n
    -- In the order of the keys, so that two batches with the same keys cannot wait for each other in a circle.
    order by n.unique_key, n.id
    on conflict (unique_key) where unique_key is not null do nothing
    returning id)
  select array_agg(i.id) from inserted i into v_inserted;
  return coalesce(v_inserted, '{}');
end $$;
comment on function insert_jobs(bigint[], text[], text[], json[], jsonb[]) is
  'Internal. Inserts jobs that were checked; returns the ids of those whose unique key was free. Without options the one queue and the one kind may stand for all.';

create function insert_or_find(new_id bigint, queue text, kind text, payload json, options jsonb)
returns table (id bigint, outcome text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_old jobs;
  v_replace boolean := coalesce(insert_or_find.options ->> 'unique_mode' = 'replace', false);
begin
  loop
    if v_replace then
      select j.* from jobs j where j.unique_key = insert_or_find.options ->> 'unique_key' for update into v_old;
    else
      select j.* from jobs j where j.unique_key = insert_or_find.options ->> 'unique_key' into v_old;
    end if;
    if not found then
      -- Whoever had the key has finished meanwhile, so it is free again.
      if cardinality(insert_jobs(array[new_id], array[queue], array[kind], array[payload], array[options])) = 1 then
        return query select new_id, 'inserted';
        return;
      end if;
      continue;
    end if;
    if not v_replace or v_old.state = 1 then
      return query select v_old.id, 'duplicate';
      return;
    end if;
    -- The same job as far as anybody knows who has its id, and a new one in all the rest.
    delete from job_dependencies d where d.job_id = v_old.id;
    delete from jobs j where j.id = v_old.id;
    perform insert_jobs(array[v_old.id], array[queue], array[kind], array[payload], array[options]);
    update jobs j set generation = v_old.generation, created_at = v_old.created_at, last_lease_token = v_old.last_lease_token
    where j.id = v_old.id;
    return query select v_old.id, 'replaced';
    return;
  end loop;
end $$;
comment on function insert_or_find(bigint, text, text, json, jsonb) is
  'Internal. A job whose unique key was taken a moment ago: the live job that has it, replaced when that was asked for and it does not run.';

create function defer_jobs(ids bigint[], options jsonb[]) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_wanted bigint[];
  v_ended bigint[];
  v_missing bigint;
begin
  with edges as (
    insert into job_dependencies (job_id, depends_on, policy)
    select n.id, d.id, d.policy
    from unnest(defer_jobs.ids, defer_jobs.options) n(id, options) cross join lateral read_dependencies(n.options -> 'depends_on') d
    where jsonb_typeof(n.options -> 'depends_on') = 'array'
    on conflict do nothing
    returning depends_on)
  select array_agg(distinct e.depends_on) from edges e into v_wanted;
  -- Only now: whoever ends such a job from here on sees the edges, or commits before this statement begins. What falls
  -- in between, in transactions that cannot see each other, release_deferred finds.
  select array_agg(w.id), min(w.id) filter (where not exists (select from job_history h where h.id = w.id))
    from unnest(v_wanted) w(id) where not exists (select from jobs j where j.id = w.id) into v_ended, v_missing;
  if v_missing is not null then
    raise exception using errcode = '22023', message = format('option depends_on names job %s, which the store does not have', v_missing),
      hint = 'it was deleted, or ended longer ago than finished jobs are kept';
  end if;
  if v_ended is not null then perform settle_dependents(v_ended); end if;
end $$;
comment on function defer_jobs(bigint[], jsonb[]) is
  'Internal. What newly enqueued jobs wait for; jobs that wait for nothing that is still live are settled at once.';

create function quiet_queues(queues text[]) returns text[]
language sql stable set search_path = {{schema}}, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
  select array(select distinct q.name from unnest(quiet_queues.queues) q(name)
    where not exists (select from jobs j where j.queue = q.name and j.state = 0))
$$;
comment on function quiet_queues(text[]) is
  'Internal. Queues in which no job is pending: their workers may be asleep. Where one waits, workers are at it, or look by themselves.';

create function enqueue_many(queues text[], kinds text[], payloads json[], options jsonb[] default null, notify boolean default null)
returns table (id bigint, outcome text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_count int := cardinality(enqueue_many.payloads);
  v_queues text[] := enqueue_many.queues;
  v_kinds text[] := enqueue_many.kinds;
  v_options jsonb[] := enqueue_many.options;
  v_ids bigint[];
  v_inserted bigint[];
  v_outcomes text[];
  v_hints text[];
  v_bad text;
  v_at int;
  v_id bigint;
begin
  if v_count is null or (cardinality(v_queues) in (1, v_count)) is not true or (cardinality(v_kinds) in (1, v_count)) is not true
    or coalesce(cardinality(v_options), v_count) <> v_count then
    raise exception using errcode = '22023', message = 'queues, kinds, payloads and options must have one element per job',
      hint = 'a single queue, or a single kind, stands for all jobs';
  end if;
  if v_count = 0 then return; end if;

  if cardinality(v_queues) > 1 then v_queues := array(select distinct q.name from unnest(v_queues) q(name)); end if;
  if cardinality(v_kinds) > 1 then v_kinds := array(select distinct k.kind from unnest(v_kinds) k(kind)); end if;
  if not exists (select from unnest(v_options) o(options) where o.options <> '{}') then v_options := null; end if;
  perform check_queue_name(q.name) from unnest(v_queues) q(name);
  perform check_kind(k.kind) from unnest(v_kinds) k(kind);
  -- The cast refuses what json accepts and nobody could read later: U+0000, half surrogate pairs, endless nesting.
  select p.at, octet_length(p.payload::text)::text from unnest(enqueue_many.payloads) with ordinality p(payload, at)
    where p.payload is null or octet_length(p.payload::text) > 1048576 or p.payload::jsonb is null limit 1 into v_at, v_bad;
  if found then
    raise exception using errcode = '22023',
      message = format('the payload of job %s %s', v_at, coalesce('has ' || v_bad || ' bytes; at most 1048576 are stored', 'is null')),
      hint = 'an empty payload is {}; put large data elsewhere and enqueue a reference to it';
  end if;

  perform add_queues(v_queues);
  v_hints := case enqueue_many.notify when true then v_queues when false then '{}' else quiet_queues(v_queues) end;
  if v_options is not null or cardinality(v_queues) > 1 or cardinality(v_kinds) > 1 then
    v_queues := case when cardinality(enqueue_many.queues) = v_count then enqueue_many.queues else array_fill(v_queues[1], array[v_count]) end;
    v_kinds := case when cardinality(enqueue_many.kinds) = v_count then enqueue_many.kinds else array_fill(v_kinds[1], array[v_count]) end;
  end if;
  v_ids := array(select nextval('jobs_id_seq') from generate_series(1, v_count));
  v_inserted := insert_jobs(v_ids, v_queues, v_kinds, enqueue_many.payloads, v_options);

  if cardinality(v_inserted) < v_count then
    v_outcomes := array(select case when u.id = any(v_inserted) then 'inserted' end
      from unnest(v_ids) with ordinality u(id, at) order by u.at);
    -- In the order of the keys again, because to replace is to lock.
    for v_at in select n.at from unnest(v_outcomes, v_options) with ordinality n(outcome, options, at)
        where n.outcome is null order by (n.options ->> 'unique_key') collate "C", n.at loop
      select f.id, f.outcome from insert_or_find(v_ids[v_at], v_queues[v_at], v_kinds[v_at],
        enqueue_many.payloads[v_at], v_options[v_at]) f into v_id, v_bad;
      v_ids[v_at] := v_id;
      v_outcomes[v_at] := v_bad;
    end loop;
  end if;

  if v_options is not null then
    -- A key that stays taken after its job ended. Looked at only now: an insert that met the key waited for the end.
    if exists (select from kept_keys) then
      for v_at, v_id in select n.at, k.job_id from unnest(v_ids, v_options) with ordinality n(id, options, at)
          join kept_keys k on k.unique_key = n.options ->> 'unique_key' and k.until > clock_timestamp() and k.job_id <> n.id loop
        v_outcomes := coalesce(v_outcomes, array_fill('inserted'::text, array[v_count]));
        if v_outcomes[v_at] = 'inserted' then delete from jobs j where j.id = v_ids[v_at]; end if;
        v_ids[v_at] := v_id;
        v_outcomes[v_at] := 'duplicate';
      end loop;
    end if;
    if exists (select from unnest(v_options) o(options) where o.options ? 'depends_on') then
      perform defer_jobs(array_agg(n.id), array_agg(n.options)) from unnest(v_ids, v_options, v_outcomes) n(id, options, outcome)
        where coalesce(n.outcome, 'inserted') <> 'duplicate';
    end if;
  end if;
  perform send_hint(q.name) from unnest(v_hints) q(name);
  if v_outcomes is null then
    return query select u.id, 'inserted' from unnest(v_ids) u(id);
    return;
  end if;
  return query select u.id, coalesce(u.outcome, 'inserted')
    from unnest(v_ids, v_outcomes) with ordinality u(id, outcome, at) order by u.at;
end $$;
comment on function enqueue_many(text[], text[], json[], jsonb[], boolean) is
  'Enqueues jobs, all or none, in the caller''s transaction; one row per job, in their order. One queue, or one kind, stands for all jobs. Outcome: inserted; duplicate with the id of the job that has the unique_key; or replaced, with its id. Options per job as for enqueue. notify: whether the commit hints to workers that sleep; null: only where nothing was pending in the queue, so that a busy queue does not pay (NOTIFY makes all commits of a database wait for each other). Raises 22023 for what cannot be stored.';

create function enqueue(queue text, kind text, payload json default '{}', options jsonb default '{}', notify boolean default null)
returns table (id bigint, outcome text)
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select e.id, e.outcome from enqueue_many(array[queue], array[kind], array[payload], array[options], notify) e
$$;
comment on function enqueue(text, text, json, jsonb, boolean) is
  'Enqueues a job in the caller''s transaction. Options: priority (lower first), run_at (instant with zone) or delay_seconds, max_attempts (5), timeout_seconds, result_ttl_seconds, retry ({"exponential": {"initial_seconds": 1, "max_seconds": 3600, "jitter_percent": 20}} or {"intervals_seconds": [10, 60]}, of which the last repeats), on_worker_loss (retry, fail, hold), unique_key, unique_mode (skip, or replace: a live job that does not run becomes this one), unique_for_seconds (how long the key stays taken after the job ended), concurrency_key, tag, labels (object of strings), depends_on (ids, or {"id", "policy": "cancel" or "run"}: deferred until these jobs ended; unless completed, cancel ends it too), finaliser ({"kind", "queue", "payload"}: a job that is enqueued when this one ends), traceparent. What is absent comes from the queue. notify: see enqueue_many. Outcome: inserted; duplicate with the id of the job that has the unique_key; replaced. Raises 22023 for what cannot be stored.';
