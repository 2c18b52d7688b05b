-- What is said about queues and about the store, and kept until somebody says otherwise. Writing what is there already
-- writes nothing and leaves no audit event: this is what an operator does on every pass.

create function read_setting(setting jsonb, name text, low numeric, high numeric, whole boolean default true) returns numeric
language plpgsql immutable as $$
declare
  v_number numeric;
begin
  if setting is null or setting = 'null' then return null; end if;
  if jsonb_typeof(setting) = 'number' then v_number := setting::numeric; end if;
  if v_number is null or v_number not between low and high or (whole and v_number <> trunc(v_number)) then
    raise exception using errcode = '22023', message = format('%s is %s: write a %s from %s to %s', name, left(setting::text, 80),
      case when whole then 'whole number' else 'number' end, low, high);
  end if;
  return v_number;
end $$;
comment on function read_setting(jsonb, text, numeric, numeric, boolean) is
  'Internal. A number of a policy or of the settings; null stays null. Raises 22023 when it is something else or out of bounds.';

create function read_policy(policy jsonb, inout q queues, inout l queue_limits)
language plpgsql stable set search_path = {{schema}}, pg_temp as $$
declare
  v_key text;
  v_value jsonb;
begin
  if jsonb_typeof(policy) is distinct from 'object' then
    raise exception using errcode = '22023', message = 'policy must be a JSON object';
  end if;
  for v_key, v_value in select * from jsonb_each(policy) loop
    case v_key
      when 'max_attempts' then q.max_attempts := read_setting(v_value, v_key, 1, 1000);
      when 'timeout_seconds' then q.timeout_ms := round(read_setting(v_value, v_key, 0.001, 604800, false) * 1000);
      when 'result_ttl_seconds' then q.result_ttl_seconds := read_setting(v_value, v_key, 0, 315360000);
      when 'max_recoveries' then q.max_recoveries := coalesce(read_setting(v_value, v_key, 1, 1000), 3);
      when 'max_running' then l.max_running := read_setting(v_value, v_key, 0, 1000000);
      when 'max_running_per_key' then l.max_running_per_key := read_setting(v_value, v_key, 1, 1000000);
      when 'retry' then
        if v_value <> 'null' then perform check_retry(v_value, 'retry'); end if;
        q.retry := nullif(v_value, 'null');
      when 'on_worker_loss' then
        if v_value <> 'null' and v_value not in ('"retry"', '"fail"', '"hold"') then
          raise exception using errcode = '22023',
            message = format('on_worker_loss is %s: write "retry", "fail" or "hold"', left(v_value::text, 80));
        end if;
        q.on_worker_loss := coalesce(v_value #>> '{}', 'retry');
      when 'fair' then
        if v_value not in ('null', 'true', 'false') then
          raise exception using errcode = '22023', message = format('fair is %s: write true or false', left(v_value::text, 80));
        end if;
        l.fair := v_value = 'true';
      when 'rate' then
        if v_value = 'null' then
          l.rate_count := null;
          l.rate_period_ms := null;
        elsif jsonb_typeof(v_value) <> 'object' or v_value - '{count,per_seconds}'::text[] <> '{}'
          or coalesce(v_value -> 'count', 'null') = 'null' or v_value -> 'per_seconds' = 'null' then
          raise exception using errcode = '22023', message = format('rate is %s', left(v_value::text, 80)),
            hint = 'write {"count": 100, "per_seconds": 60}; per_seconds is 1 when absent';
        else
          l.rate_count := read_setting(v_value -> 'count', 'rate.count', 1, 1000000);
          l.rate_period_ms := round(coalesce(read_setting(v_value -> 'per_seconds', 'rate.per_seconds', 0.001, 86400, false), 1) * 1000);
        end if;
      else
        raise exception using errcode = '22023', message = format('unknown setting %s in the policy of a queue', quote_literal(left(v_key, 80))),
          hint = 'settings are max_attempts, timeout_seconds, result_ttl_seconds, retry, on_worker_loss, max_recoveries, max_running, max_running_per_key, fair, rate';
    end case;
  end loop;
end $$;
comment on function read_policy(jsonb, queues, queue_limits) is
  'Internal. Checks the policy of a queue and writes what it says into the rows of the queue and of its limits.';

create function configure_queue(queue text, policy jsonb, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_queue queues;
  v_limits queue_limits;
  v_new_queue queues;
  v_new_limits queue_limits;
  v_read record;
  v_limited boolean;
begin
  perform check_queue_name(configure_queue.queue);
  perform check_words(configure_queue.actor, configure_queue.reason);
  select * from queues q where q.name = configure_queue.queue into v_queue;
  select * from queue_limits l where l.queue = configure_queue.queue into v_limits;
  if v_queue.name is null then
    v_queue.on_worker_loss := 'retry';
    v_queue.max_recoveries := 3;
  end if;
  if v_limits.queue is null then v_limits.fair := false; end if;
  v_read := read_policy(configure_queue.policy, v_queue, v_limits);
  v_new_queue := v_read.q;
  v_new_limits := v_read.l;
  if v_queue.name is not null and v_new_queue = v_queue and v_new_limits = v_limits then return false; end if;

  -- Claims share this lock. Those under way end before the limits change, so none of their jobs escapes being counted; later
  -- ones see the new limits.
  perform pg_advisory_xact_lock(hold_lock(configure_queue.queue));
  insert into queues (name) values (configure_queue.queue) on conflict do nothing;
  select * from queues q where q.name = configure_queue.queue for update into v_queue;
  select * from queue_limits l where l.queue = configure_queue.queue for update into v_limits;
  if v_limits.queue is null then v_limits.fair := false; end if;
  v_read := read_policy(configure_queue.policy, v_queue, v_limits);
  v_new_queue := v_read.q;
  v_new_limits := v_read.l;

  update queues q set max_attempts = v_new_queue.max_attempts, timeout_ms = v_new_queue.timeout_ms,
    result_ttl_seconds = v_new_queue.result_ttl_seconds, retry = v_new_queue.retry,
    on_worker_loss = v_new_queue.on_worker_loss, max_recoveries = v_new_queue.max_recoveries
  where q.name = configure_queue.queue;

  v_limited := v_new_limits.max_running is not null or v_new_limits.max_running_per_key is not null
    or v_new_limits.fair or v_new_limits.rate_count is not null;
  if v_limited then
    insert into queue_limits as l (queue, max_running, max_running_per_key, fair, rate_count, rate_period_ms, tokens)
    values (configure_queue.queue, v_new_limits.max_running, v_new_limits.max_running_per_key, v_new_limits.fair,
      v_new_limits.rate_count, v_new_limits.rate_period_ms, coalesce(v_new_limits.rate_count, 0))
    on conflict (queue) do update set max_running = excluded.max_running, max_running_per_key = excluded.max_running_per_key,
      fair = excluded.fair, rate_count = excluded.rate_count, rate_period_ms = excluded.rate_period_ms,
      -- A new rate begins with a full bucket, a changed one does not fill it: changing it often gives nothing away.
      tokens = case when l.rate_count is null then excluded.tokens else least(l.tokens, excluded.tokens) end,
      tokens_at = case when l.rate_count is null then clock_timestamp() else l.tokens_at end;
    -- What runs already counts. Found by lease rows: jobs that run have no index of their own.
    update jobs j set limited = true from leases l cross join unnest(l.ids) u(id)
    where v_limits.queue is null and j.id = u.id and j.lease_token = l.token and j.queue = configure_queue.queue and not j.limited;
  else
    delete from queue_limits l where l.queue = configure_queue.queue;
    update jobs j set limited = false where j.limited and j.queue = configure_queue.queue;
  end if;

  insert into audit_events (action, actor, target, reason, before, after)
  values ('configure_queue', configure_queue.actor, configure_queue.queue, configure_queue.reason,
    (to_jsonb(v_queue) - 'created_at') || (to_jsonb(v_limits) - '{queue,tokens,tokens_at,last_key}'::text[]),
    (to_jsonb(v_new_queue) - 'created_at') || (to_jsonb(v_new_limits) - '{queue,tokens,tokens_at,last_key}'::text[]));
  -- More may be allowed now.
  perform send_hint(configure_queue.queue);
  return true;
end $$;
comment on function configure_queue(text, jsonb, text, text) is
  'Sets the policy of a queue, and makes the queue known. What the policy does not name is left as it is; null puts back the default. For jobs that say nothing of their own, copied when they are enqueued: max_attempts (5), timeout_seconds (none), result_ttl_seconds (as long as the record). Read when they fail or are recovered: retry ({"exponential": {"initial_seconds": 1, "max_seconds": 3600, "jitter_percent": 20}} or {"intervals_seconds": [10, 60]}, of which the last repeats), on_worker_loss (retry, fail or hold), max_recoveries (3). Limits, for all workers together: max_running, max_running_per_key, fair (concurrency keys take turns), rate ({"count": 100, "per_seconds": 60}). Returns whether anything changed; only then are there a write and an audit event. Raises 22023 with what to write instead.';

create function configure_store(settings jsonb, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_key text;
  v_value jsonb;
  v_old store_settings;
  v_new store_settings;
begin
  perform check_words(configure_store.actor, configure_store.reason);
  if jsonb_typeof(configure_store.settings) is distinct from 'object' then
    raise exception using errcode = '22023', message = 'settings must be a JSON object';
  end if;
  select * from store_settings for update into v_old;
  v_new := v_old;
  for v_key, v_value in select * from jsonb_each(configure_store.settings) loop
    case v_key
      when 'completed_seconds' then v_new.completed_seconds := coalesce(read_setting(v_value, v_key, 0, 315360000), 604800);
      when 'cancelled_seconds' then v_new.cancelled_seconds := coalesce(read_setting(v_value, v_key, 0, 315360000), 604800);
      when 'dead_seconds' then v_new.dead_seconds := coalesce(read_setting(v_value, v_key, 3600, 315360000), 2592000);
      when 'audit_seconds' then v_new.audit_seconds := coalesce(read_setting(v_value, v_key, 86400, 315360000), 31536000);
      when 'recovery_grace_seconds' then v_new.recovery_grace_seconds := coalesce(read_setting(v_value, v_key, 0, 86400), 0);
      when 'recovery' then
        if v_value not in ('null', '"recover"', '"report"', '"disabled"') then
          raise exception using errcode = '22023', message = format('recovery is %s: write "recover", "report" or "disabled"', left(v_value::text, 80));
        end if;
        v_new.recovery := coalesce(v_value #>> '{}', 'recover');
      else
        raise exception using errcode = '22023', message = format('unknown setting %s of the store', quote_literal(left(v_key, 80))),
          hint = 'settings are completed_seconds, cancelled_seconds, dead_seconds, audit_seconds, recovery, recovery_grace_seconds';
    end case;
  end loop;
  if v_new = v_old then return false; end if;
  update store_settings set completed_seconds = v_new.completed_seconds, cancelled_seconds = v_new.cancelled_seconds,
    dead_seconds = v_new.dead_seconds, audit_seconds = v_new.audit_seconds, recovery = v_new.recovery,
    recovery_grace_seconds = v_new.recovery_grace_seconds;
  insert into audit_events (action, actor, target, reason, before, after)
  values ('configure_store', configure_store.actor, 'store', configure_store.reason, to_jsonb(v_old) - 'only_row', to_jsonb(v_new) - 'only_row');
  return true;
end $$;
comment on function configure_store(jsonb, text, text) is
  'Sets how long the store keeps what is over: completed_seconds (7 days), cancelled_seconds (7 days), dead_seconds (30 days), audit_seconds (365 days). And what sweeps do about stale jobs: recovery (recover; report and disabled leave them to people), recovery_grace_seconds (0: how long after its lease lapsed). What is not named is left as it is; null puts back the default. maintain acts on it. Returns whether anything changed; only then are there a write and an audit event. Raises 22023 with what to write instead.';
