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

create function hint_channel() returns text
language sql stable set search_path = {{schema}}, pg_temp as $$
  select 'jobqueue_' || left(encode(sha256(convert_to(current_schema(), 'UTF8')), 'hex'), 16)
$$;
comment on function hint_channel() is
  'The channel to LISTEN on for hints. A payload is the name of a queue that may have jobs or whose holds changed, or * for all; anybody can send one, so go and look.';

create function notify_queue(queue text) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
begin
  perform check_queue_name(queue);
  perform pg_notify(hint_channel(), queue);
end $$;
comment on function notify_queue(text) is
  'Hints to listening workers that a queue may have jobs. Call it after the commit and not for every job: NOTIFY makes all commits of the database wait for each other.';

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

create function read_options(options jsonb)
returns table (priority smallint, run_at timestamptz, max_attempts smallint, timeout_ms int, unique_key text, tag text,
  labels jsonb, notify boolean)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  v_key text;
  v_value jsonb;
  v_number numeric;
  v_text text;
begin
  priority := 0; max_attempts := 5; notify := false;
  if jsonb_typeof(options) <> 'object' then
    raise exception using errcode = '22023', message = 'options must be a JSON object, not ' || jsonb_typeof(options);
  end if;
  for v_key, v_value in select * from jsonb_each(options) loop
    v_text := v_value #>> '{}';
    if v_key in ('priority', 'delay_seconds', 'max_attempts', 'timeout_seconds') then
      if jsonb_typeof(v_value) <> 'number' then
        raise exception using errcode = '22023', message = format('option %s must be a number, not %s', v_key, v_value);
      end if;
      v_number := v_text::numeric;
    end if;
    case v_key
      when 'priority' then
        if v_number <> trunc(v_number) or v_number not between -32768 and 32767 then
          raise exception using errcode = '22023',
            message = format('option priority is %s: write a whole number from -32768 (first) to 32767', v_number);
        end if;
        priority := v_number;
      when 'max_attempts' then
        if v_number <> trunc(v_number) or v_number not between 1 and 1000 then
          raise exception using errcode = '22023',
            message = format('option max_attempts is %s: write a whole number from 1 to 1000', v_number);
        end if;
        max_attempts := v_number;
      when 'timeout_seconds' then
        if v_number * 1000 not between 1 and 604800000 then
          raise exception using errcode = '22023',
            message = format('option timeout_seconds is %s: write a number above 0, at most 604800 (7 days)', v_number);
        end if;
        timeout_ms := round(v_number * 1000);
      when 'delay_seconds' then
        if v_number not between 0 and 315360000 then
          raise exception using errcode = '22023',
            message = format('option delay_seconds is %s: write a number from 0 to 315360000 (10 years)', v_number);
        end if;
        if options ? 'run_at' then
          raise exception using errcode = '22023', message = 'options run_at and delay_seconds exclude each other: write one';
        end if;
        if v_number > 0 then run_at := clock_timestamp() + make_interval(secs => v_number::float8); end if;
      when 'run_at' then
        -- Without a zone the instant would depend on a setting of the session; "infinity" and the like are no instants.
        if jsonb_typeof(v_value) <> 'string'
          or v_text !~ '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?\s?([Zz]|[+-]\d\d(:?\d\d)?)$' then
          raise exception using errcode = '22023',
            message = format('option run_at is %s: write an instant with its zone, such as "2030-01-31T08:00:00Z"', left(v_value::text, 80));
        end if;
        run_at := v_text::timestamptz;
      when 'unique_key', 'tag' then
        if jsonb_typeof(v_value) <> 'string' or char_length(v_text) not between 1 and 200 then
          raise exception using errcode = '22023',
            message = format('option %s must be a string of 1 to 200 characters', v_key);
        end if;
        if v_key = 'tag' then tag := v_text; else unique_key := v_text; end if;
      when 'labels' then
        if jsonb_typeof(v_value) <> 'object' or (select count(*) > 32 or coalesce(bool_or(
            jsonb_typeof(l.value) <> 'string' or char_length(l.key) not between 1 and 63 or char_length(l.value #>> '{}') > 256), false)
            from jsonb_each(case jsonb_typeof(v_value) when 'object' then v_value else '{}' end) l) then
          raise exception using errcode = '22023',
            message = 'option labels must be an object of at most 32 strings: names of 1 to 63, values of at most 256 characters';
        end if;
        labels := v_value;
      when 'notify' then
        if jsonb_typeof(v_value) <> 'boolean' then
          raise exception using errcode = '22023', message = 'option notify must be true or false';
        end if;
        notify := v_value::boolean;
      else
        raise exception using errcode = '22023',
          message = format('unknown option %s', quote_literal(left(v_key, 80))),
          hint = 'options are priority, run_at, delay_seconds, max_attempts, timeout_seconds, unique_key, tag, labels, notify';
    end case;
  end loop;
  return next;
end $$;
comment on function read_options(jsonb) is 'Internal. Checks the options of a job and turns them into columns.';

create function insert_jobs(ids bigint[], queues text[], kinds text[], payloads json[], options jsonb[])
returns bigint[]
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_inserted bigint[];
begin
  with inserted as (
    insert into jobs (id, queue, kind, payload, state, run_at, created_at, priority, max_attempts, timeout_ms, unique_key, tag, labels)
    overriding system value
    select n.id, n.queue, n.kind, n.payload, case when o.run_at > v_now then 2 else 0 end, coalesce(o.run_at, v_now), v_now,
      coalesce(o.priority, 0::smallint), coalesce(o.max_attempts, 5::smallint), o.timeout_ms, o.unique_key, o.tag, o.labels
    from unnest(insert_jobs.ids, insert_jobs.queues, insert_jobs.kinds, insert_jobs.payloads, insert_jobs.options)
        n(id, queue, kind, payload, options)
      left join lateral read_options(n.options) o on n.options is not null and n.options <> '{}'
    -- In the order of the keys, so that two batches with the same keys cannot wait for each other in a circle.
    order by o.unique_key, n.id
    on conflict (unique_key) where unique_key is not null do nothing
    returning id)
  select array_agg(i.id) from inserted i into v_inserted;
  return coalesce(v_inserted, '{}');
end $$;
comment on function insert_jobs(bigint[], text[], text[], json[], jsonb[]) is
  'Internal. Inserts jobs that were checked; returns the ids of those whose unique key was free.';

create function enqueue_many(queues text[], kinds text[], payloads json[], options jsonb[] default null)
returns table (id bigint, outcome text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_count int := cardinality(enqueue_many.queues);
  v_ids bigint[];
  v_inserted bigint[];
  v_outcomes text[];
  v_bad text;
  v_at int;
  v_id bigint;
  v_key text;
begin
  if v_count is null or cardinality(enqueue_many.kinds) is distinct from v_count
    or cardinality(enqueue_many.payloads) is distinct from v_count
    or coalesce(cardinality(enqueue_many.options), v_count) <> v_count then
    raise exception using errcode = '22023', message = 'queues, kinds, payloads and options must have one element per job';
  end if;
  if v_count = 0 then return; end if;

  perform check_queue_name(n.name) from (select distinct q.name from unnest(enqueue_many.queues) q(name)) n;
  select coalesce(quote_literal(left(k.kind, 150)), 'null') from unnest(enqueue_many.kinds) k(kind)
    where k.kind is null or octet_length(k.kind) > 128 or k.kind !~ '^[A-Za-z0-9_][A-Za-z0-9._:/@+-]*$' limit 1 into v_bad;
  if found then
    raise exception using errcode = '22023', message = format('%s cannot be the kind of a job', v_bad),
      hint = 'write letters, digits and . _ : / @ + -, beginning with a letter, digit or _, at most 128';
  end if;
  -- The cast refuses what json accepts and nobody could read later: U+0000, half surrogate pairs, endless nesting.
  select p.at, octet_length(p.payload::text)::text from unnest(enqueue_many.payloads) with ordinality p(payload, at)
    where p.payload is null or octet_length(p.payload::text) > 1048576 or p.payload::jsonb is null limit 1 into v_at, v_bad;
  if found then
    raise exception using errcode = '22023',
      message = format('the payload of job %s %s', v_at, coalesce('has ' || v_bad || ' bytes; at most 1048576 are stored', 'is null')),
      hint = 'an empty payload is {}; put large data elsewhere and enqueue a reference to it';
  end if;

  perform add_queues(array(select distinct q.name from unnest(enqueue_many.queues) q(name)));
  v_ids := array(select nextval('jobs_id_seq') from generate_series(1, v_count));
  v_inserted := insert_jobs(v_ids, enqueue_many.queues, enqueue_many.kinds, enqueue_many.payloads,
    coalesce(enqueue_many.options, array_fill(null::jsonb, array[v_count])));

  if cardinality(v_inserted) < v_count then
    v_outcomes := array(select case when u.id = any(v_inserted) then 'inserted' else 'duplicate' end
      from unnest(v_ids) with ordinality u(id, at) order by u.at);
    for v_at in 1..v_count loop
      continue when v_outcomes[v_at] = 'inserted';
      v_key := enqueue_many.options[v_at] ->> 'unique_key';
      loop
        select j.id from jobs j where j.unique_key = v_key into v_id;
        exit when found;
        -- Whoever had the key has finished meanwhile, so it is free again.
        if cardinality(insert_jobs(v_ids[v_at:v_at], enqueue_many.queues[v_at:v_at], enqueue_many.kinds[v_at:v_at],
            enqueue_many.payloads[v_at:v_at], enqueue_many.options[v_at:v_at])) = 1 then
          v_id := v_ids[v_at];
          v_outcomes[v_at] := 'inserted';
          exit;
        end if;
      end loop;
      v_ids[v_at] := v_id;
    end loop;
  end if;

  if enqueue_many.options is not null then
    perform pg_notify(hint_channel(), n.queue) from (
      select distinct q.queue from unnest(enqueue_many.queues, enqueue_many.options) q(queue, options)
      where q.options -> 'notify' = 'true') n;
  end if;
  return query select u.id, coalesce(u.outcome, 'inserted')
    from unnest(v_ids, v_outcomes) with ordinality u(id, outcome, at) order by u.at;
end $$;
comment on function enqueue_many(text[], text[], json[], jsonb[]) is
  'Enqueues jobs, all or none, in the caller''s transaction; one row per job, in their order. Outcome: inserted, or duplicate with the id of the live job that has the unique_key. Options per job as for enqueue. Raises 22023 for what cannot be stored.';

create function enqueue(queue text, kind text, payload json, options jsonb default '{}')
returns table (id bigint, outcome text)
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select e.id, e.outcome from enqueue_many(array[queue], array[kind], array[payload], array[options]) e
$$;
comment on function enqueue(text, text, json, jsonb) is
  'Enqueues a job in the caller''s transaction. Options: priority (lower first), run_at (instant with zone) or delay_seconds, max_attempts (5), timeout_seconds, unique_key, tag, labels (object of strings), notify (hint to workers when committed). Outcome: inserted, or duplicate with the id of the live job that has the unique_key. Raises 22023 for what cannot be stored.';
