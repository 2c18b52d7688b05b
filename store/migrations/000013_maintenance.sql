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

create function maintain(days_ahead int default 7) returns int
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp set lock_timeout = '5s' as $$
begin
  if days_ahead is null or days_ahead not between 0 and 366 then
    raise exception using errcode = '22023', message = format('days_ahead is %s: write 0 to 366', coalesce(days_ahead::text, 'null'));
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' maintain', 7001)) then return 0; end if;
  delete from workers w where w.state = 'gone' and w.gone_at < clock_timestamp() - interval '7 days';
  delete from workers w where w.state <> 'gone' and w.lease_until < clock_timestamp() - interval '7 days'
    and not exists (select from jobs j where j.state = 1 and j.worker_id = w.id);
  delete from holds h where h.until < clock_timestamp() - interval '7 days';
  return make_history_partitions(days_ahead);
end $$;
comment on function maintain(int) is
  'Housekeeping, about once an hour: partitions of the history for the days ahead; forgets workers and holds that ended a week ago. Returns how many partitions were made; 0 also when another caller is at it.';

select maintain();
