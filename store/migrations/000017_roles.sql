-- Roles: named sets of rights that are granted to users of the database who are there already; no right to make users is
-- needed. Everything goes through functions, so no role has a right to write any table.

create table role_grants (
  role text not null check (role in ('producer', 'worker', 'operator', 'reader', 'admin')),
  grantee name not null,
  since timestamptz not null default clock_timestamp(),
  primary key (grantee, role)
);
comment on table role_grants is 'Which roles users of the database have. Rights themselves are the server''s; this is what they are worked out from when one role of several is taken away.';

create function role_rights(role text) returns table (kind text, object text, columns text[])
language sql immutable as $$
  with shared(role, kind, names) as (values
    ('producer', 'function', '{enqueue,enqueue_many,notify_queue,hint_interval_ms}'::text[]),
    ('worker', 'function', '{enqueue,enqueue_many,notify_queue,hint_interval_ms,hint_channel,register_worker,heartbeat,deregister_worker,due_work,claim,claim_batch,complete,fail,snooze,return_unstarted,acknowledge_cancel,cancel_requests,progress,record_process,recover_stale,release_deferred,due_schedules,fire_schedule,maintain}'),
    ('operator', 'function', '{open_restart,advance_restart,configure_pool,take_term,assert_term,beat_canary,hint_channel,ensure_queue,hold,release,configure_queue,configure_store,delete_queue,workers_gone,drain_idle_workers,release_drained_workers,recover_stale,release_deferred,put_schedule,delete_schedule,pause_schedule,due_schedules,fire_schedule,maintain,queue_stats,job_counts,why_queue,why_job}'),
    ('reader', 'function', '{hint_channel,queue_stats,job_counts,why_queue,why_job}'),
    ('admin', 'function', '{configure_pool,enqueue,enqueue_many,notify_queue,hint_interval_ms,hint_channel,ensure_queue,hold,release,configure_queue,configure_store,workers_gone,drain_idle_workers,release_drained_workers,recover_stale,release_deferred,retry_job,retry_jobs,cancel_job,cancel_jobs,delete_job,delete_jobs,delete_queue,put_schedule,delete_schedule,pause_schedule,trigger_schedule,due_schedules,fire_schedule,maintain,queue_stats,job_counts,why_queue,why_job,reveal,reveal_schedules,create_api_key,revoke_api_key,use_api_key}'),
    ('worker', 'view', '{v_holds}'),
    ('operator', 'view', '{v_leaders,v_pools,v_restarts,v_holds,v_queues,v_queue_stats,v_workers,v_runs,v_leased,v_schedules,v_store_settings,role_grants}'),
    ('reader', 'view', '{v_leaders,v_pools,v_restarts,v_holds,v_queues,v_queue_stats,v_workers,v_runs,v_leased,v_store_settings}'),
    ('admin', 'view', '{v_leaders,v_pools,v_restarts,v_holds,v_queues,v_queue_stats,v_workers,v_runs,v_leased,v_jobs,v_schedules,v_store_settings,v_audit_events,audit_events,store_settings,schedule_ticks,role_grants,v_api_keys}'))
  select s.kind, n.name, null::text[] from shared s cross join lateral unnest(s.names) n(name) where s.role = role_rights.role
  union all select 'view', 'migrations', null
  -- Without what a job carries: payload, result, options (which may hold another job's payload), and what its handler said.
  union all select 'view', 'v_jobs', '{id,queue,kind,state,stored_state,is_terminal,dead_reason,priority,attempt,max_attempts,recoveries,generation,progress,last_error,errors,exit_code,unique_key,concurrency_key,tag,labels,worker_id,lease_token,created_at,run_at,claimed_at,finished_at,duration_ms,timeout_ms,result_ttl_seconds,result_expires_at,finaliser_id,process,cancel_requested,is_stale,can_retry,recovery_hint,locked_by,locked_until,last_recovery}'::text[]
    where role_rights.role in ('operator', 'reader')
  -- The operator compares schedules with what their JobQueue says, payload included.
  union all select 'view', 'v_schedules', '{name,queue,kind,cron,time_zone,missed_ticks,max_missed,paused,owner,next_at,last_tick,created_at,is_due,last_outcome_tick,last_outcome,last_job_id}'
    where role_rights.role = 'reader'
$$;
comment on function role_rights(text) is
  'Internal. The rights of each role, as data: functions it may call, views and tables it may read, and of some only these columns.';

create function apply_grants(grantee name) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_schema text := quote_ident(current_schema());
  v_right record;
begin
  execute format('revoke all on all functions in schema %s from %I', v_schema, grantee);
  execute format('revoke all on all tables in schema %s from %I', v_schema, grantee);
  -- Revoking from a table leaves rights on single columns.
  execute format('revoke select (%s) on v_jobs from %I', (select string_agg(quote_ident(a.attname), ',') from pg_attribute a
    where a.attrelid = 'v_jobs'::regclass and a.attnum > 0), grantee);
  execute format('revoke select (%s) on v_schedules from %I', (select string_agg(quote_ident(a.attname), ',') from pg_attribute a
    where a.attrelid = 'v_schedules'::regclass and a.attnum > 0), grantee);
  if not exists (select from role_grants g where g.grantee = apply_grants.grantee) then
    execute format('revoke usage on schema %s from %I', v_schema, grantee);
    return;
  end if;
  execute format('grant usage on schema %s to %I', v_schema, grantee);
  for v_right in select distinct r.* from role_grants g cross join lateral role_rights(g.role) r where g.grantee = apply_grants.grantee loop
    if v_right.kind = 'view' then
      execute format('grant select %s on %I to %I', case when v_right.columns is null then ''
        else '(' || (select string_agg(quote_ident(c), ',') from unnest(v_right.columns) c) || ')' end, v_right.object, grantee);
    else
      -- By name, all forms of it: a name stands for one thing.
      execute coalesce((select string_agg(format('grant execute on function %s to %I', p.oid::regprocedure, grantee), ';') from pg_proc p
        where p.pronamespace = current_schema()::regnamespace and p.proname = v_right.object), 'select');
    end if;
  end loop;
end $$;
comment on function apply_grants(name) is 'Internal. Gives a user of the database exactly the rights of the roles it has. A later step of the schema runs it for everybody.';

create function grant_role(role text, grantee text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
begin
  if grant_role.role in ('producer', 'worker', 'operator', 'reader', 'admin') is not true then
    raise exception using errcode = '22023', message = format('%s is no role', coalesce(quote_literal(left(grant_role.role, 80)), 'null')),
      hint = 'write producer, worker, operator, reader or admin';
  end if;
  if not exists (select from pg_roles r where r.rolname = grant_role.grantee) then
    raise exception using errcode = '22023', message = format('the database has no user %s', coalesce(quote_literal(left(grant_role.grantee, 80)), 'null')),
      hint = 'make it first: create role … login';
  end if;
  if grant_role.grantee = current_user then
    raise exception using errcode = '22023', message = format('%s owns the store and has all rights', quote_literal(grant_role.grantee)),
      hint = 'connect programs as other users';
  end if;
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' roles', 7001));
  insert into role_grants (role, grantee) values (grant_role.role, grant_role.grantee) on conflict do nothing;
  if not found then return false; end if;
  perform apply_grants(grant_role.grantee::name);
  insert into audit_events (action, actor, target, after)
  values ('grant_role', session_user, 'roles/' || grant_role.grantee, jsonb_build_object('granted', grant_role.role));
  return true;
end $$;
comment on function grant_role(text, text) is
  'Grants a role to a user of the database, who must exist. producer: enqueue. worker: enqueue, and all of the worker protocol. operator: holds, policies, schedules, recovery, views without payloads. reader: views without payloads, why_queue, why_job. admin: everything but the worker protocol, with payloads and the audit trail. Returns whether it was new; only then is an audit event written. Only the owner of the store may call it. Raises 22023 for an unknown role or user.';

create function revoke_role(role text, grantee text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' roles', 7001));
  delete from role_grants g where g.role = revoke_role.role and g.grantee = revoke_role.grantee;
  if not found then return false; end if;
  if exists (select from pg_roles r where r.rolname = revoke_role.grantee) then perform apply_grants(revoke_role.grantee::name); end if;
  insert into audit_events (action, actor, target, after)
  values ('grant_role', session_user, 'roles/' || revoke_role.grantee, jsonb_build_object('revoked', revoke_role.role));
  return true;
end $$;
comment on function revoke_role(text, text) is
  'Takes a role from a user of the database; what other roles give it stays. Returns whether it had the role; only then is an audit event written. Only the owner of the store may call it.';
