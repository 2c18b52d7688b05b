-- Holds. A claim shares an advisory lock per queue and one for *; a hold takes the same lock alone, to the end of its
-- transaction. So a hold commits either before a claim reads the holds, or after that claim has committed.

create function check_words(actor text, reason text) returns void
language plpgsql immutable as $$
begin
  if char_length(actor) between 1 and 256 is not true then
    raise exception using errcode = '22023', message = 'actor must have 1 to 256 characters: say who does it';
  end if;
  if char_length(reason) between 1 and 1024 is not true then
    raise exception using errcode = '22023', message = 'reason must have 1 to 1024 characters: say why';
  end if;
end $$;
comment on function check_words(text, text) is 'Internal. Raises 22023 unless an act says who and why.';

create function hold(queue text, name text, reason text, actor text, source text, until timestamptz default null)
returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_old holds;
  v_new holds;
begin
  if hold.queue is distinct from '*' then perform check_queue_name(hold.queue); end if;
  perform check_words(hold.actor, hold.reason);
  if char_length(hold.name) between 1 and 128 is not true then
    raise exception using errcode = '22023', message = 'the name of a hold must have 1 to 128 characters';
  end if;
  if hold.source ~ '^[a-z][a-z0-9-]{0,31}$' is not true then
    raise exception using errcode = '22023', message = format('source is %s', coalesce(quote_literal(left(hold.source, 80)), 'null')),
      hint = 'write where the hold comes from in one word: spec, cli, api, schedule';
  end if;
  if hold.until <= clock_timestamp() or not isfinite(hold.until) then
    raise exception using errcode = '22023', message = format('until is %s', hold.until),
      hint = 'write an instant that is still to come, or null for a hold that does not end by itself';
  end if;
  -- As asked already: no lock, no write, no audit event. This is what an operator meets on every pass.
  perform from holds h where h.queue = hold.queue and h.name = hold.name and h.reason = hold.reason and h.actor = hold.actor
    and h.source = hold.source and h.until is not distinct from hold.until;
  if found then return false; end if;

  perform pg_advisory_xact_lock(hold_lock(hold.queue));
  select * from holds h where h.queue = hold.queue and h.name = hold.name for update into v_old;
  insert into holds as h (queue, name, source, actor, reason, since, until)
  values (hold.queue, hold.name, hold.source, hold.actor, hold.reason, clock_timestamp(), hold.until)
  on conflict (queue, name) do update set source = excluded.source, actor = excluded.actor, reason = excluded.reason,
    until = excluded.until,
    -- A hold that was in force all the time is older than its latest change; one that had ended begins anew.
    since = case when h.until <= clock_timestamp() then excluded.since else h.since end
  returning h.* into v_new;
  if hold.queue <> '*' then perform add_queues(array[hold.queue]); end if;
  insert into audit_events (action, actor, source, target, reason, before, after)
  values ('hold', hold.actor, hold.source, hold.queue, hold.reason,
    case when v_old.name is not null then to_jsonb(v_old) end, to_jsonb(v_new));
  -- Who waits for work wants to know at once; rare enough for what NOTIFY costs.
  perform send_hint(hold.queue);
  return true;
end $$;
comment on function hold(text, text, text, text, text, timestamptz) is
  'Holds a queue, or * for every queue of the store, also those made later. Once it has committed no claim of these jobs commits. Waits for claims that are under way. Placing a hold of the same name again changes it. Returns whether anything changed; only then is an audit event written.';

create function release(queue text, name text, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_old holds;
begin
  perform check_words(release.actor, release.reason);
  delete from holds h where h.queue = release.queue and h.name = release.name returning h.* into v_old;
  if not found then return false; end if;
  insert into audit_events (action, actor, target, reason, before)
  values ('release', release.actor, release.queue, release.reason, to_jsonb(v_old));
  perform send_hint(release.queue);
  return v_old.until is null or v_old.until > clock_timestamp();
end $$;
comment on function release(text, text, text, text) is
  'Takes one hold away; others keep the queue held. Returns whether it was in force.';

create view v_holds as
  select h.queue, h.name, h.source, h.actor, h.reason, h.since, h.until from holds h
  where h.until is null or h.until > (select clock_timestamp());
comment on view v_holds is 'Holds that are in force.';
