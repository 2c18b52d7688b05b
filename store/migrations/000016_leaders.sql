-- Leaders: the term under which an operator may write.
--
-- Whoever leads takes a term and proves it in every transaction that writes. A leader that was stopped (SIGSTOP, a suspended
-- machine) and goes on after another one has taken over changes nothing: its proof fails, and the transaction with it.
--
-- The proof holds the row until the end of its transaction, and a new term waits for it: once a term is taken, nothing of an
-- earlier one can commit any more. It is the weakest lock that does so, because the canary, which is written all the time,
-- must neither wait for writers nor hold them up.

create table leaders (
  scope text primary key check (char_length(scope) between 1 and 400),
  term bigint not null,
  holder text not null check (char_length(holder) between 1 and 256),
  taken_at timestamptz not null,
  canary_at timestamptz
) with (fillfactor = 50); -- the canary finds room beside itself: no index is touched
comment on table leaders is 'Who may write as the operator, one row for each JobStore that leads to this store.';
comment on column leaders.scope is 'namespace/name of the JobStore, and the first digits of its UID: another cluster may have one of that name.';
comment on column leaders.canary_at is 'Last beat of the leader''s own canary: while it cannot be written nothing is judged.';

create view v_leaders as select scope, term, holder, taken_at, canary_at from leaders;
comment on view v_leaders is 'Who may write as the operator, under which term, and when its canary was written last.';

create function take_term(scope text, holder text) returns bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_now timestamptz := clock_timestamp();
  v_term bigint;
begin
  insert into leaders (scope, term, holder, taken_at) values (take_term.scope, 0, take_term.holder, v_now) on conflict do nothing;
  -- "on conflict do update" would take a lock that those who prove an earlier term do not stand in the way of.
  perform from leaders l where l.scope = take_term.scope for update;
  update leaders l set term = l.term + 1, holder = take_term.holder, taken_at = v_now
  where l.scope = take_term.scope returning l.term into v_term;
  insert into audit_events (action, actor, target, after)
  values ('take_term', take_term.holder, 'leaders/' || take_term.scope, jsonb_build_object('term', v_term));
  return v_term;
end $$;
comment on function take_term(text, text) is
  'Begins a term: larger than every earlier one of this scope. Waits until transactions that have proved an earlier term are over; from then on that one proves nothing. Writes an audit event.';

create function assert_term(scope text, term bigint) returns void
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
begin
  perform from leaders l where l.scope = assert_term.scope and l.term = assert_term.term for key share;
  if not found then
    raise exception using errcode = 'JQ003', message = format('term %s of %s is over: another operator leads', assert_term.term, assert_term.scope);
  end if;
end $$;
comment on function assert_term(text, bigint) is
  'Proves that a term is the current one, until the end of the transaction: call it first in every transaction in which an operator writes. Raises JQ003 when it is not.';

create function beat_canary(scope text, term bigint) returns timestamptz
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
declare
  v_at timestamptz;
begin
  update leaders l set canary_at = clock_timestamp() where l.scope = beat_canary.scope and l.term = beat_canary.term
  returning l.canary_at into v_at;
  if not found then
    raise exception using errcode = 'JQ003', message = format('term %s of %s is over: another operator leads', beat_canary.term, beat_canary.scope);
  end if;
  return v_at;
end $$;
comment on function beat_canary(text, bigint) is
  'The leader''s own write, by which it knows that the store can be written; returns its time by the database''s clock. Raises JQ003 when the term is not the current one.';
