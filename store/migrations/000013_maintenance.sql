-- Housekeeping that any worker or operator runs now and then.

create function make_history_partitions(days_ahead int) returns int
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp set timezone = 'UTC' as $$
declare
  v_made int := 0;
  v_day date;
  v_name text;
begin
  for v_day in select generate_series(current_date, current_date + days_ahead, interval '1 day')::date loop
    v_name := 'job_history_' || to_char(v_day, 'YYYYMMDD');
    continue when to_regclass(v_name) is not null;
    -- A day that already has rows in the default partition stays there: moving them would stop every completion.
    continue when exists (select from job_history_default h where h.finished_at >= v_day and h.finished_at < v_day + 1);
    execute format('create table %I (like job_history including defaults including constraints)', v_name);
    -- Attached rather than created in place: that locks the parent so lightly that completions go on.
    execute format('alter table job_history attach partition %I for values from (%L) to (%L)', v_name, v_day, v_day + 1);
    v_made := v_made + 1;
  end loop;
  return v_made;
end $$;
comment on function make_history_partitions(int) is 'Internal. Makes the partitions of the history from today (UTC) on.';

create function retire_history() returns int
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp set timezone = 'UTC' set lock_timeout = '500ms' as $$
declare
  v_now timestamptz := clock_timestamp();
  v_keep store_settings;
  v_dropped int := 0;
  v_name text;
begin
  select * from store_settings into v_keep;
  -- What goes earlier than its day does.
  delete from job_history h where h.state = 12 and h.finished_at < v_now - make_interval(secs => v_keep.dead_seconds);
  delete from job_history h where h.state = 11 and h.finished_at < v_now - make_interval(secs => v_keep.cancelled_seconds);
  delete from job_history_default h where h.state = 10 and h.finished_at < v_now - make_interval(secs => v_keep.completed_seconds);
  for v_name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'job_history'::regclass and c.relname ~ '^job_history_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= (v_now - make_interval(secs => v_keep.completed_seconds))
    order by 1 loop
    begin
      -- Completions wait for this lock, hence the short time to get it; who cannot get it comes again in an hour.
      execute format('alter table job_history detach partition %I', v_name);
      -- Dead and cancelled jobs may be kept longer than their day; no partition covers it now, so they go to the default one.
      execute format('insert into job_history select * from %I h where h.state <> 10', v_name);
      execute format('drop table %I', v_name);
      v_dropped := v_dropped + 1;
    exception when lock_not_available then
      exit;
    end;
  end loop;
  return v_dropped;
end $$;
comment on function retire_history() is
  'Internal. Drops the days of the history whose completed jobs are kept no longer; what is kept longer stays, in the default partition. Returns how many days were dropped.';

create function forget_what_is_over() returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_now timestamptz := clock_timestamp();
  v_keep store_settings;
  v_history interval;
begin
  select * from store_settings into v_keep;
  v_history := make_interval(secs => greatest(v_keep.completed_seconds, v_keep.cancelled_seconds, v_keep.dead_seconds)) + interval '8 days';
  update job_history h set result = null where h.result is not null and h.result_expires_at <= v_now;
  delete from kept_keys k where k.until <= v_now;
  delete from schedule_ticks t where t.tick < v_now - interval '30 days';
  delete from audit_events e where e.at < v_now - make_interval(secs => v_keep.audit_seconds);
  delete from holds h where h.until < v_now - interval '7 days';
  -- One that nobody ended belongs to a JobQueue that is gone.
  delete from restart_intents i where coalesce(i.closed_at, i.updated_at) < v_now - interval '30 days';
  delete from cancel_requests r where not exists (select from jobs j where j.id = r.job_id and j.lease_token = r.lease_token);
  -- A worker is remembered as long as a job of the history may name it: v_runs says where it ran.
  delete from workers w where coalesce(w.gone_at, w.lease_until) < v_now - v_history
    and not exists (select from leases l where l.worker_id = w.id);
end $$;
comment on function forget_what_is_over() is
  'Internal. Erases results whose time is over, and forgets unique keys, ticks (30 days), audit events, holds (7 days), restarts (30 days after anything was last done about them), answered cancel requests and workers that nothing names any more.';

create function heal_leases() returns int
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_healed int;
begin
  -- Recovery finds running jobs by lease rows alone. A client that gave up rows too early would hide its jobs from it for
  -- ever; this is the one place that looks at all jobs, once an hour.
  insert into leases as l (token, worker_id, ids)
  select j.lease_token, j.worker_id, array_agg(j.id) from jobs j
  where j.state = 1 and not exists (select from leases k where k.token = j.lease_token and j.id = any(k.ids))
  group by 1, 2
  on conflict (token) do update set ids = l.ids || excluded.ids;
  get diagnostics v_healed = row_count;
  return v_healed;
end $$;
comment on function heal_leases() is 'Internal. Gives running jobs that no lease row names one, so that recovery can find them. Returns how many claims.';

create function maintain(days_ahead int default 7) returns int
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp set lock_timeout = '5s' as $$
declare
  v_made int;
begin
  if days_ahead is null or days_ahead not between 0 and 366 then
    raise exception using errcode = '22023', message = format('days_ahead is %s: write 0 to 366', coalesce(days_ahead::text, 'null'));
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' maintain', 7001)) then return 0; end if;
  perform heal_leases();
  perform release_deferred(10000);
  perform forget_what_is_over();
  v_made := make_history_partitions(days_ahead);
  -- Last, because it takes a lock that is held to the end of the transaction.
  perform retire_history();
  return v_made;
end $$;
comment on function maintain(int) is
  'Housekeeping, about once an hour, by anybody: partitions of the history for the days ahead; drops days that are kept no longer (configure_store) and erases results whose time is over; forgets keys, ticks, audit events, holds and workers that nothing names any more; finds running jobs and deferred jobs that were lost sight of. Returns how many partitions were made; 0 also when another caller is at it.';

select maintain();
