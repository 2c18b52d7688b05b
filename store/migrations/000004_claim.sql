-- The hot path. Measured in research with every check on: two thirds of the ceiling of a plain SQL loop.
--
-- Settings on the functions: a plan made while a table is empty would scan it, or sort what an index has in order, for ever
-- after, hence enable_seqscan and enable_bitmapscan off; a plan per call would cost half a millisecond, hence generic plans. Claims take rows by ctid = any(array(...)) and
-- finishing joins on (id, lease_token) alone: other forms of the same were up to thirty times slower.

create function hold_lock(queue text) returns bigint
language sql stable as $$
  select hashtextextended(current_schema() || ' hold ' || queue, 7001)
$$;
comment on function hold_lock(text) is
  'Internal. Key of the advisory lock that claims share and hold takes alone; * has one too. Only called with the search_path pinned.';

create function claim(worker bigint, queues text[], max int)
returns table (id bigint, queue text, kind text, payload json, attempt int, lease_token bigint, timeout_ms int, priority int,
  run_at timestamptz, max_attempts int, tag text, labels jsonb)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_live boolean;
  v_draining boolean;
  v_queues text[];
  v_token bigint;
begin
  -- Each statement below must see what was committed before it began; other levels freeze the view at the first one.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'JQ002', message = 'claim works only in READ COMMITTED transactions, this one is '
      || current_setting('transaction_isolation');
  end if;
  if claim.max is null or claim.max not between 1 and 10000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 10000', coalesce(claim.max::text, 'null'));
  end if;

  -- Statement one takes the shared locks, of * and of every queue. Never waits: a queue whose holds are being changed
  -- counts as held, and a claim that waits for nothing cannot deadlock.
  if not pg_try_advisory_xact_lock_shared(hold_lock('*')) then return; end if;
  select array(select q.name from (select n.name, min(n.at) as at from unnest(claim.queues) with ordinality n(name, at) group by n.name) q
      where pg_try_advisory_xact_lock_shared(hold_lock(q.name)) order by q.at),
    (select w.lease_until > v_now and w.state in ('active', 'draining') from workers w where w.id = claim.worker),
    (select w.state = 'draining' from workers w where w.id = claim.worker)
  into v_queues, v_live, v_draining;
  if v_live is not true then
    raise exception using errcode = 'JQ001', message = format('the lease of worker %s has lapsed', claim.worker),
      hint = 'register again; what it held is handed on';
  end if;
  if v_draining then return; end if;

  -- Statement two reads the holds: its view is newer than the locks, so a hold that committed is seen, and one that has
  -- not committed waits until this claim is over.
  v_queues := array(select q.name from unnest(v_queues) with ordinality q(name, at)
    where not exists (select from holds h where h.queue = '*' and (h.until is null or h.until > clock_timestamp()))
      and not exists (select from holds h where h.queue = q.name and (h.until is null or h.until > clock_timestamp()))
    order by q.at);
  if cardinality(v_queues) = 0 then return; end if;

  -- Jobs whose time has come join the pending ones, whoever's queue it is. Probing an empty index costs 10 microseconds.
  update jobs j set state = 0 where j.ctid = any(array(
    select d.ctid from jobs d where d.state in (2, 3) and d.run_at <= v_now order by d.run_at limit 1000 for update skip locked));

  v_token := nextval('lease_tokens');
  return query
  with claimed as (
    update jobs j set state = 1, attempt = j.attempt + 1, lease_token = v_token, worker_id = claim.worker, claimed_at = v_now
    where j.ctid = any(array(
      select c.ctid from unnest(v_queues) q(name) cross join lateral (
        select x.ctid from jobs x where x.queue = q.name and x.state = 0
        order by x.priority, x.run_at, x.id limit claim.max for update skip locked) c
      limit claim.max))
    returning j.id, j.queue, j.kind, j.payload, j.attempt, j.lease_token, j.timeout_ms, j.priority, j.run_at,
      j.max_attempts, j.tag, j.labels)
  -- Rows come back in the order of the heap; a worker wants the order of the claim.
  select c.id, c.queue, c.kind, c.payload, c.attempt::int, c.lease_token, c.timeout_ms, c.priority::int, c.run_at,
    c.max_attempts::int, c.tag, c.labels
  from claimed c order by array_position(v_queues, c.queue), c.priority, c.run_at, c.id;
end $$;
comment on function claim(bigint, text[], int) is
  'Claims up to max jobs for a worker, queue by queue in the order given, within a queue by priority, run_at, id. Skips queues that are held; unknown queues give nothing; a draining worker gets nothing. Raises JQ001 when the worker''s lease has lapsed (register again), JQ002 outside READ COMMITTED.';
