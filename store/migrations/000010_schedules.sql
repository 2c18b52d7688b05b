-- Schedules: whoever sees a tick due fires it, and the transaction that moves next_at is the only one that does. Cron is
-- read outside, by whoever fires; what is here decides who fires, that no tick fires twice, and that none fires early.

create function put_schedule(name text, schedule jsonb, next_at timestamptz, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_key text;
  v_value jsonb;
  v_old schedules;
  v_new schedules;
begin
  perform check_words(put_schedule.actor, put_schedule.reason);
  if octet_length(put_schedule.name) <= 128 and put_schedule.name ~ '^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$' is not true then
    raise exception using errcode = '22023',
      message = format('%s cannot be the name of a schedule', coalesce(quote_literal(left(put_schedule.name, 80)), 'null')),
      hint = 'write lower-case letters, digits, ".", "_", "/" and "-", beginning and ending with a letter or digit, at most 128';
  end if;
  if jsonb_typeof(put_schedule.schedule) is distinct from 'object' then
    raise exception using errcode = '22023', message = 'schedule must be a JSON object';
  end if;
  if not isfinite(put_schedule.next_at) then
    raise exception using errcode = '22023', message = 'next_at must be an instant, or null when there is no further tick';
  end if;
  v_new.payload := '{}';
  v_new.options := '{}';
  v_new.time_zone := 'UTC';
  v_new.missed_ticks := 'once';
  v_new.max_missed := 100;
  for v_key, v_value in select * from jsonb_each(put_schedule.schedule) loop
    if v_key in ('queue', 'kind', 'cron', 'time_zone', 'missed_ticks', 'owner') and jsonb_typeof(v_value) <> 'string' then
      raise exception using errcode = '22023', message = format('%s of a schedule must be a string', v_key);
    end if;
    case v_key
      when 'queue' then v_new.queue := v_value #>> '{}';
      when 'kind' then v_new.kind := v_value #>> '{}';
      when 'payload' then v_new.payload := v_value;
      when 'owner' then v_new.owner := v_value #>> '{}';
      when 'cron' then v_new.cron := v_value #>> '{}';
      when 'max_missed' then v_new.max_missed := coalesce(read_setting(v_value, v_key, 1, 1000), 100);
      when 'time_zone' then
        v_new.time_zone := v_value #>> '{}';
        if not exists (select from pg_timezone_names z where z.name = v_new.time_zone) then
          raise exception using errcode = '22023', message = format('%s is no time zone', quote_literal(left(v_new.time_zone, 80))),
            hint = 'write a name such as Europe/Berlin, or UTC';
        end if;
      when 'missed_ticks' then
        v_new.missed_ticks := v_value #>> '{}';
        if v_new.missed_ticks not in ('skip', 'once', 'all') then
          raise exception using errcode = '22023', message = format('missed_ticks is %s: write skip, once or all', quote_literal(left(v_new.missed_ticks, 80)));
        end if;
      when 'options' then
        perform read_options(v_value);
        if v_value ?| '{unique_key,unique_mode,run_at,depends_on}' then
          raise exception using errcode = '22023', message = 'options of a schedule cannot hold unique_key, unique_mode, run_at or depends_on',
            hint = 'each tick has a unique key of its own';
        end if;
        v_new.options := v_value;
      else
        raise exception using errcode = '22023', message = format('unknown setting %s of a schedule', quote_literal(left(v_key, 80))),
          hint = 'settings are queue, kind, payload, options, cron, time_zone, missed_ticks, max_missed, owner';
    end case;
  end loop;
  perform check_queue_name(v_new.queue);
  if v_new.kind is null or octet_length(v_new.kind) > 128 or v_new.kind !~ '^[A-Za-z0-9_][A-Za-z0-9._:/@+-]*$' then
    raise exception using errcode = '22023', message = format('%s cannot be the kind of a job', coalesce(quote_literal(left(v_new.kind, 150)), 'null')),
      hint = 'write letters, digits and . _ : / @ + -, beginning with a letter, digit or _, at most 128';
  end if;
  if octet_length(v_new.payload::text) > 1048576 then
    raise exception using errcode = '22023', message = 'the payload of a schedule has more than 1048576 bytes';
  end if;
  if v_new.cron is null or char_length(v_new.cron) not between 1 and 256 then
    raise exception using errcode = '22023', message = 'cron of a schedule is missing: write five fields, or six with seconds first';
  end if;

  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' schedule ' || put_schedule.name, 7001));
  select * from schedules s where s.name = put_schedule.name for update into v_old;
  if v_old.name is not null and v_old.queue = v_new.queue and v_old.kind = v_new.kind and v_old.payload::jsonb = v_new.payload::jsonb
    and v_old.options = v_new.options and v_old.cron = v_new.cron and v_old.time_zone = v_new.time_zone
    and v_old.missed_ticks = v_new.missed_ticks and v_old.max_missed = v_new.max_missed and v_old.owner is not distinct from v_new.owner then
    return false;
  end if;
  insert into schedules as s (name, queue, kind, payload, options, cron, time_zone, missed_ticks, max_missed, owner, next_at)
  values (put_schedule.name, v_new.queue, v_new.kind, v_new.payload, v_new.options, v_new.cron, v_new.time_zone, v_new.missed_ticks,
    v_new.max_missed, v_new.owner, put_schedule.next_at)
  on conflict (name) do update set queue = excluded.queue, kind = excluded.kind, payload = excluded.payload, options = excluded.options,
    cron = excluded.cron, time_zone = excluded.time_zone, missed_ticks = excluded.missed_ticks, max_missed = excluded.max_missed, owner = excluded.owner,
    -- Ticks that are due already are not lost because somebody changes the payload.
    next_at = case when s.cron = excluded.cron and s.time_zone = excluded.time_zone then s.next_at else excluded.next_at end;
  insert into audit_events (action, actor, target, reason, before, after)
  values ('put_schedule', put_schedule.actor, 'schedules/' || put_schedule.name, put_schedule.reason,
    case when v_old.name is not null then to_jsonb(v_old) - '{payload,created_at}'::text[] end,
    jsonb_build_object('queue', v_new.queue, 'kind', v_new.kind, 'options', v_new.options, 'cron', v_new.cron, 'time_zone', v_new.time_zone,
      'missed_ticks', v_new.missed_ticks, 'max_missed', v_new.max_missed, 'owner', v_new.owner, 'next_at', put_schedule.next_at));
  perform send_hint('schedules:');
  return true;
end $$;
comment on function put_schedule(text, jsonb, timestamptz, text, text) is
  'Makes a schedule, or changes it to exactly this. schedule: queue, kind and cron (required), payload, options (as for enqueue, but without unique_key, unique_mode, run_at, depends_on), time_zone (UTC), missed_ticks (what becomes of ticks more than a minute late: skip, once: one job for all of them, all; default once), max_missed (100: at most so many of them with all), owner (who keeps it so; absent: people). next_at: its next tick, which the caller reads from cron; used when the schedule is new or its cron or time zone changes. Returns whether anything changed; only then is an audit event written. Raises 22023 with what to write instead.';

create function delete_schedule(name text, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_old schedules;
begin
  perform check_words(delete_schedule.actor, delete_schedule.reason);
  delete from schedules s where s.name = delete_schedule.name returning s.* into v_old;
  if not found then return false; end if;
  insert into audit_events (action, actor, target, reason, before)
  values ('delete_schedule', delete_schedule.actor, 'schedules/' || delete_schedule.name, delete_schedule.reason,
    to_jsonb(v_old) - '{payload,created_at}'::text[]);
  return true;
end $$;
comment on function delete_schedule(text, text, text) is
  'Deletes a schedule; jobs of its ticks that were enqueued stay. Returns whether it was there; only then is an audit event written.';

create function pause_schedule(name text, paused boolean, actor text, reason text, next_at timestamptz default null) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_old schedules;
begin
  perform check_words(pause_schedule.actor, pause_schedule.reason);
  if pause_schedule.paused is null then
    raise exception using errcode = '22023', message = 'paused is null: write true or false';
  end if;
  select * from schedules s where s.name = pause_schedule.name for update into v_old;
  if not found or v_old.paused = pause_schedule.paused then return false; end if;
  -- What would have been due meanwhile is no tick: it goes on from now.
  update schedules s set paused = pause_schedule.paused,
    next_at = case when pause_schedule.paused then s.next_at else pause_schedule.next_at end
  where s.name = pause_schedule.name;
  insert into audit_events (action, actor, target, reason, before, after)
  values ('pause_schedule', pause_schedule.actor, 'schedules/' || pause_schedule.name, pause_schedule.reason,
    jsonb_build_object('paused', v_old.paused, 'next_at', v_old.next_at),
    jsonb_build_object('paused', pause_schedule.paused, 'next_at', case when pause_schedule.paused then v_old.next_at else pause_schedule.next_at end));
  perform send_hint('schedules:');
  return true;
end $$;
comment on function pause_schedule(text, boolean, text, text, timestamptz) is
  'Pauses a schedule, or resumes it with next_at, its first tick from now on: what would have been due while it was paused is no tick. Returns whether anything changed; only then is an audit event written.';

create function trigger_schedule(name text, actor text, reason text) returns bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_schedule schedules;
  v_job bigint;
begin
  perform check_words(trigger_schedule.actor, trigger_schedule.reason);
  select * from schedules s where s.name = trigger_schedule.name into v_schedule;
  if not found then return null; end if;
  select e.id from enqueue(v_schedule.queue, v_schedule.kind, v_schedule.payload, v_schedule.options || jsonb_build_object(
      'labels', coalesce(v_schedule.options -> 'labels', '{}') || jsonb_build_object('schedule', v_schedule.name)), notify => true) e
    into v_job;
  insert into audit_events (action, actor, target, reason, after)
  values ('trigger_schedule', trigger_schedule.actor, 'schedules/' || trigger_schedule.name, trigger_schedule.reason,
    jsonb_build_object('job', v_job));
  return v_job;
end $$;
comment on function trigger_schedule(text, text, text) is
  'Enqueues the job of a schedule now, beside its ticks: neither its next tick nor those on record change, and it may be paused. The job has the label schedule, and no unique key. Returns its id, null when there is no such schedule; with an audit event.';

create function reveal_schedules(names text[], actor text, reason text) returns table (name text, payload json, options jsonb)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_found text[];
begin
  perform check_words(reveal_schedules.actor, reveal_schedules.reason);
  if coalesce(cardinality(reveal_schedules.names), 0) not between 1 and 1000 then
    raise exception using errcode = '22023', message = 'names must be 1 to 1000 schedules';
  end if;
  v_found := array(select s.name from schedules s where s.name = any(reveal_schedules.names) order by 1);
  if v_found = '{}' then return; end if;
  insert into audit_events (action, actor, target, reason, after, count)
  values ('reveal', reveal_schedules.actor, case cardinality(v_found) when 1 then 'schedules/' || v_found[1] else 'schedules' end,
    reveal_schedules.reason, jsonb_build_object('schedules', to_jsonb(v_found[1:100])), cardinality(v_found));
  return query select s.name, s.payload, s.options from schedules s where s.name = any(v_found) order by 1;
end $$;
comment on function reveal_schedules(text[], text, text) is
  'What the jobs of schedules carry, and one audit event that says who saw which. For programs that show it to people; v_schedules has it for programs that process it. Raises 22023 without actor or reason, and for more than 1000 schedules.';

create function due_schedules(max int default 100)
returns table (name text, cron text, time_zone text, missed_ticks text, max_missed int, next_at timestamptz, now timestamptz)
language sql volatile security definer set search_path = {{schema}}, pg_temp as $$
  select s.name, s.cron, s.time_zone, s.missed_ticks, s.max_missed, s.next_at, clock_timestamp() from schedules s
  where not s.paused and s.next_at <= clock_timestamp() order by s.next_at limit least(greatest(max, 1), 1000)
$$;
comment on function due_schedules(int) is
  'Schedules that have a tick due, the longest due first, with the time by this database''s clock. Work out which ticks fire and which are skipped, then call fire_schedule.';

create function fire_schedule(name text, expected timestamptz, fire timestamptz[], skip timestamptz[], next_at timestamptz) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_schedule schedules;
  v_tick timestamptz;
  v_name text;
  v_job bigint;
  v_outcome text;
begin
  if cardinality(fire_schedule.fire) + cardinality(fire_schedule.skip) > 10000 then
    raise exception using errcode = '22023', message = 'more than 10000 ticks at once: fire the rest with another call';
  end if;
  if exists (select from unnest(fire_schedule.fire || fire_schedule.skip) t(tick)
    where t.tick is null or t.tick > clock_timestamp() or t.tick < fire_schedule.expected or t.tick >= fire_schedule.next_at) then
    raise exception using errcode = '22023', message = 'ticks must not be ahead of time, before expected, or at next_at or later';
  end if;
  -- Who is late does not wait for who is first.
  select * from schedules s where s.name = fire_schedule.name and s.next_at = fire_schedule.expected and not s.paused
    for update skip locked into v_schedule;
  if not found then return false; end if;
  foreach v_tick in array coalesce(fire_schedule.fire, '{}') loop
    -- A tick that is on record is over, though somebody set next_at back.
    continue when exists (select from schedule_ticks k where k.schedule = fire_schedule.name and k.tick = v_tick);
    v_name := to_char(v_tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
    select e.id, e.outcome from enqueue(v_schedule.queue, v_schedule.kind, v_schedule.payload, v_schedule.options || jsonb_build_object(
        'unique_key', 'schedule/' || v_schedule.name || '/' || v_name,
        'labels', coalesce(v_schedule.options -> 'labels', '{}') || jsonb_build_object('schedule', v_schedule.name, 'tick', v_name)), notify => true) e
      into v_job, v_outcome;
    insert into schedule_ticks (schedule, tick, outcome, job_id)
    values (v_schedule.name, v_tick, case v_outcome when 'inserted' then 'fired' else 'duplicate' end, v_job);
  end loop;
  insert into schedule_ticks (schedule, tick, outcome)
  select v_schedule.name, t.tick, 'skipped' from unnest(fire_schedule.skip) t(tick) on conflict do nothing;
  update schedules s set next_at = fire_schedule.next_at,
    last_tick = greatest(s.last_tick, (select max(t.tick) from unnest(fire_schedule.fire) t(tick)))
  where s.name = v_schedule.name;
  return true;
end $$;
comment on function fire_schedule(text, timestamptz, timestamptz[], timestamptz[], timestamptz) is
  'Fires ticks of a schedule and moves it on to next_at, all or nothing. False, and nothing is done: its next_at is not expected any more, because somebody else fired it, or it was changed, paused or deleted. Each tick of fire becomes a job with the unique key schedule/<name>/<tick> and the labels schedule and tick; those of skip are recorded as skipped. A tick on record never fires again. Raises 22023 for a tick ahead of time: a client''s clock decides nothing.';

create function due_work(worker bigint, out work_ms int, out schedule_ms int, out sweep boolean)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  c_look constant int := 100;
  v_now timestamptz := clock_timestamp();
  v_queues text[] := (select w.queues from workers w where w.id = due_work.worker and w.state = 'active' and w.drain_since is null);
  v_work timestamptz;
  v_due timestamptz;
  v_schedule timestamptz;
  v_from bigint;
begin
  -- Queues that have pending jobs, and when they are open: one probe of the index each.
  select min(o.at) from unnest(v_queues) q(name) cross join lateral (
      select coalesce(max(coalesce(h.until, 'infinity')), v_now) as at from holds h
      where h.queue in ('*', q.name) and (h.until is null or h.until > v_now)) o
    where (select j.id from jobs j where j.queue = q.name and j.state = 0 order by j.priority, j.run_at, j.id limit 1) is not null
    into v_work;
  -- Jobs whose time comes. When the first ones are all of other queues: look again when the last of these is due.
  select coalesce(min(d.run_at) filter (where d.queue = any(v_queues)), case when count(*) = c_look then max(d.run_at) end)
    from (select j.run_at, j.queue from jobs j where j.state in (2, 3) order by j.run_at limit c_look) d
    into v_due;
  v_work := least(v_work, v_due);
  select s.next_at from schedules s where not s.paused and s.next_at is not null order by s.next_at limit 1 into v_schedule;
  work_ms := case when isfinite(v_work) then least(greatest(ceil(extract(epoch from v_work - v_now) * 1000), 0), 86400000)::int end;
  schedule_ms := case when v_schedule is not null then least(greatest(ceil(extract(epoch from v_schedule - v_now) * 1000), 0), 86400000)::int end;
  -- What recover_stale and release_deferred look for. Whether deferred jobs wait in vain is theirs to find out, and of lease
  -- rows that nobody deletes a look anywhere must do.
  select f.token + ((l.token - f.token) * random())::bigint
    from (select token from leases order by token limit 1) f, (select token from leases order by token desc limit 1) l into v_from;
  with recursive holder(worker_id) as (
    (select l.worker_id from leases l order by l.worker_id limit 1)
    union all
    select (select l.worker_id from leases l where l.worker_id > h.worker_id order by l.worker_id limit 1)
    from holder h where h.worker_id is not null)
  select exists (select from holder h where h.worker_id is not null and not exists (
        select from workers w where w.id = h.worker_id and w.state in ('active', 'draining') and w.lease_until > v_now))
      or (select j.id from jobs j where j.deadline <= v_now and j.state = 1 order by j.deadline limit 1) is not null
      or (select j.id from jobs j where j.state = 4 order by j.id limit 1) is not null
      or exists (select from (select * from leases l where l.token >= v_from order by l.token limit 10) l where l.claimed_at < v_now - interval '1 minute'
        and not exists (select from jobs j where j.id = any(l.ids) and j.lease_token = l.token))
    into sweep;
end $$;
comment on function due_work(bigint) is
  'What there is to do, for a worker that would rather sleep than claim in vain; changes nothing. work_ms: milliseconds until a job of its queues may be claimed: 0 now, null none is known; holds that end, scheduled jobs and retries count, and it may be too early but not too late for what is known now. schedule_ms: until the next tick of a schedule, null without one. sweep: recover_stale and release_deferred may find something. What others enqueue afterwards is not in it: listen to hints, and ask again now and then.';
