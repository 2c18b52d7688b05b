-- The hot path. Measured in research with every check on: two thirds of the ceiling of a plain SQL loop.
--
-- Settings on the functions: a plan made while a table is empty would scan it, or sort what an index has in order, for ever
-- after, hence enable_seqscan and enable_bitmapscan off; a plan per call would cost half a millisecond, hence generic plans.
-- Claims take rows by ctid = any(array(...)) and finishing joins on (id, lease_token) alone: other forms of the same were
-- up to thirty times slower.

create function hold_lock(queue text) returns bigint
language sql stable as $$
  select hashtextextended(current_schema() || ' hold ' || queue, 7001)
$$;
comment on function hold_lock(text) is
  'Internal. Key of the advisory lock that claims share and hold takes alone; * has one too. Only called with the search_path pinned.';

create function drain_lock(worker bigint) returns bigint
language sql stable as $$
  select hashtextextended(current_schema() || ' drain ' || worker, 7001)
$$;
comment on function drain_lock(bigint) is
  'Internal. Key of the advisory lock that the claims of a worker share and whoever drains it takes alone. Only called with the search_path pinned.';

create function claimable_queues(worker bigint, queues text[]) returns text[]
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_live boolean;
  v_draining boolean;
  v_queues text[];
begin
  -- Each statement below must see what was committed before it began; other levels freeze the view at the first one.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'JQ002', message = 'claim works only in READ COMMITTED transactions, this one is '
      || current_setting('transaction_isolation');
  end if;
  -- Statement one takes the shared locks, of * and of every queue. Never waits: a queue whose holds are being changed
  -- counts as held. What a claim does wait for, other claims of its limited queues, comes after, in the order of the names.
  -- Nor for somebody who is about to drain the worker: then it is about to be drained.
  if not pg_try_advisory_xact_lock_shared(hold_lock('*')) or not pg_try_advisory_xact_lock_shared(drain_lock(claimable_queues.worker))
    then return '{}'; end if;
  select array(select q.name from (select n.name, min(n.at) as at from unnest(claimable_queues.queues) with ordinality n(name, at)
        group by n.name) q
      where pg_try_advisory_xact_lock_shared(hold_lock(q.name)) order by q.at),
    (select w.lease_until > v_now and w.state in ('active', 'draining') from workers w where w.id = claimable_queues.worker),
    (select w.state = 'draining' or w.drain_since is not null from workers w where w.id = claimable_queues.worker)
  into v_queues, v_live, v_draining;
  if v_live is not true then
    raise exception using errcode = 'JQ001', message = format('the lease of worker %s has lapsed', claimable_queues.worker),
      hint = 'register again; what it held is handed on';
  end if;
  if v_draining then return '{}'; end if;

  -- Statement two reads the holds: its view is newer than the locks, so a hold that committed is seen, and one that has
  -- not committed waits until this claim is over.
  return array(select q.name from unnest(v_queues) with ordinality q(name, at)
    where not exists (select from holds h where h.queue = '*' and (h.until is null or h.until > clock_timestamp()))
      and not exists (select from holds h where h.queue = q.name and (h.until is null or h.until > clock_timestamp()))
    order by q.at);
end $$;
comment on function claimable_queues(bigint, text[]) is
  'Internal. Locks the queues against holds until the transaction ends, and returns those that are not held, in their order.';

create function clear_leases(worker bigint, held_tokens bigint[], done_tokens bigint[]) returns void
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_ids bigint[];
  v_tokens bigint[];
  v_claims bigint[];
begin
  if clear_leases.done_tokens is not null then
    delete from leases l where l.token = any(clear_leases.done_tokens) and l.worker_id = clear_leases.worker;
  end if;
  if clear_leases.held_tokens is null then return; end if;
  -- A claim whose reply was lost: it has the jobs, and does not know.
  select array_agg(l.token) from leases l where l.worker_id = clear_leases.worker and l.token <> all(clear_leases.held_tokens)
    into v_claims;
  if v_claims is null then return; end if;
  select array_agg(j.id), array_agg(j.lease_token) from leases l cross join unnest(l.ids) i(id)
      join jobs j on j.id = i.id and j.lease_token = l.token
    where l.token = any(v_claims) into v_ids, v_tokens;
  if v_ids is not null then perform return_unstarted(v_ids, v_tokens); end if;
  delete from leases l where l.token = any(v_claims);
end $$;
comment on function clear_leases(bigint, bigint[], bigint[]) is
  'Internal. Forgets the claims of a worker that are over, and returns the jobs of those it never heard of.';

create function is_last_chance(queue text, recoveries int) returns boolean
language sql stable as $$
  select is_last_chance.recoveries + 1 >= coalesce((select q.max_recoveries from queues q where q.name = is_last_chance.queue), 3)
$$;
comment on function is_last_chance(text, int) is
  'Internal. Whether one more lost worker makes a job dead as poison. Asked only of jobs that have lost one: most never do, and pay nothing. Only called with the search_path pinned.';

create function prepare_claim(worker bigint, queues text[], max int, slots int, held_tokens bigint[], done_tokens bigint[], last_chances boolean,
  out at timestamptz, out open_queues text[], out limited text[], out rows tid[], out token bigint)
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
begin
  if prepare_claim.max is null or prepare_claim.max not between 1 and 10000 then
    raise exception using errcode = '22023', message = format('max is %s: write 1 to 10000', coalesce(prepare_claim.max::text, 'null'));
  end if;
  at := clock_timestamp();
  open_queues := claimable_queues(prepare_claim.worker, prepare_claim.queues);
  if prepare_claim.done_tokens is not null or prepare_claim.held_tokens is not null then
    perform clear_leases(prepare_claim.worker, prepare_claim.held_tokens, prepare_claim.done_tokens);
  end if;
  if cardinality(open_queues) = 0 then return; end if;
  -- Jobs whose time has come join the pending ones, whoever's queue it is. Probing an empty index costs 10 microseconds.
  update jobs j set state = 0 where j.ctid = any(array(
    select d.ctid from jobs d where d.state in (2, 3) and d.run_at <= at order by d.run_at limit 1000 for update skip locked));
  select array_agg(l.queue order by l.queue) from queue_limits l where l.queue = any(open_queues) into limited;
  if limited is not null then
    rows := pick_jobs(open_queues, limited, prepare_claim.max, coalesce(prepare_claim.slots, prepare_claim.max), prepare_claim.last_chances);
  end if;
  token := nextval('lease_tokens');
end $$;
comment on function prepare_claim(bigint, text[], int, int, bigint[], bigint[], boolean) is
  'Internal. What claims do before they take anything: the queues that are open to them, those with limits, the rows to take when there are any, and a new lease token. No token: there is nothing to take.';

create function claim(worker bigint, queues text[], max int, slots int default null, floor_queue text default null,
  floor_priority int default null, floor_run_at timestamptz default null, floor_id bigint default null,
  held_tokens bigint[] default null, done_tokens bigint[] default null, last_chances boolean default true,
  traceparent text default null)
returns table (id bigint, queue text, kind text, payload json, attempt int, lease_token bigint, timeout_ms int, priority int,
  run_at timestamptz, max_attempts int, tag text, labels jsonb, generation int, options jsonb, concurrency_key text, last_chance boolean)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_c record;
begin
  select * from prepare_claim(claim.worker, claim.queues, claim.max, claim.slots, claim.held_tokens, claim.done_tokens,
    claim.last_chances) into v_c;
  if v_c.token is null then return; end if;
  return query
  with claimed as (
    update jobs j set state = 1, attempt = j.attempt + 1, lease_token = v_c.token, worker_id = claim.worker,
      -- The clock of this row, not of the call: a job that was enqueued meanwhile is not claimed before it was there.
      claimed_at = clock_timestamp(),
      -- The backstop: the worker aborts at the timeout; when it does not, recovery takes the job a minute later.
      deadline = v_c.at + make_interval(secs => j.timeout_ms / 1000.0 + 60),
      limited = coalesce(j.queue = any(v_c.limited), false)
    where j.ctid = any(coalesce(v_c.rows, array(
      select c.ctid from unnest(v_c.open_queues) q(name) cross join lateral (
        select x.ctid from jobs x where x.queue = q.name and x.state = 0
          and (x.priority, x.run_at, x.id) > (coalesce(case when q.name = claim.floor_queue then claim.floor_priority::smallint end, '-32768'::smallint),
            coalesce(case when q.name = claim.floor_queue then claim.floor_run_at end, '-infinity'::timestamptz),
            coalesce(case when q.name = claim.floor_queue then claim.floor_id end, 0::bigint))
          and (x.recoveries = 0 or claim.last_chances or not is_last_chance(x.queue, x.recoveries))
        order by x.priority, x.run_at, x.id limit claim.max for update skip locked) c
      limit claim.max)))
    returning j.id, j.queue, j.kind, j.payload, j.attempt, j.lease_token, j.timeout_ms, j.priority, j.run_at,
      j.max_attempts, j.tag, j.labels, j.generation, j.options, j.concurrency_key,
      case when j.recoveries = 0 then false else is_last_chance(j.queue, j.recoveries) end as last_chance),
  lease as (
    insert into leases (token, worker_id, claimed_at, ids, traceparent)
    select v_c.token, claim.worker, v_c.at, array_agg(c.id), left(claim.traceparent, 200) from claimed c having count(*) > 0)
  -- Rows come back in the order of the heap; a worker wants the order of the claim.
  select c.id, c.queue, c.kind, c.payload, c.attempt::int, c.lease_token, c.timeout_ms, c.priority::int, c.run_at,
    c.max_attempts::int, c.tag, c.labels, c.generation::int, c.options, nullif(c.concurrency_key, ''), c.last_chance
  from claimed c order by array_position(v_c.open_queues, c.queue), c.priority, c.run_at, c.id;
end $$;
comment on function claim(bigint, text[], int, int, text, int, timestamptz, bigint, bigint[], bigint[], boolean, text) is
  'Claims up to max jobs for a worker, queue by queue in the order given, within a queue by priority, run_at, id. Skips queues that are held; unknown queues give nothing; a worker that drains, or is drained, gets nothing. Of a queue with limits at most slots jobs: what it can start at once. floor_*: the last row of an earlier claim that was full; rows of floor_queue up to it are not looked at, so repeat without a floor now and then, and whenever fewer than max come back. done_tokens: claims of which every job is over. held_tokens, now and then and after a claim whose reply was lost, but never while another claim of this worker is under way: the tokens of all jobs on hand; jobs that it holds under others are returned. last_chance: one more lost worker makes this job dead as poison. A job that kills its worker takes along what runs beside it and what waits there, so run such a job alone: with nothing else of yours claimed, until its end is acknowledged. last_chances false: leave such jobs for now, because you have others on hand. A worker that claims and runs one job at a time has nothing to do. Never true of a job that lost no worker, whatever max_recoveries is. traceparent: the span of this claim in a trace, kept for the jobs'' next attempts should you be lost (last_recovery of a job then has it). Raises JQ001 when the worker''s lease has lapsed (register again), JQ002 outside READ COMMITTED.';

create function claim_batch(worker bigint, queues text[], max int, slots int default null, floor_queue text default null,
  floor_priority int default null, floor_run_at timestamptz default null, floor_id bigint default null,
  held_tokens bigint[] default null, done_tokens bigint[] default null, last_chances boolean default true,
  traceparent text default null)
returns table (lease_token bigint, ids text, in_queues text, kinds text, last_run_at bigint, payloads text, extras text)
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  -- Variables and no record: a field of a record is looked up for every row.
  v_at timestamptz;
  v_queues text[];
  v_limited text[];
  v_rows tid[];
  v_token bigint;
begin
  select * from prepare_claim(claim_batch.worker, claim_batch.queues, claim_batch.max, claim_batch.slots, claim_batch.held_tokens,
    claim_batch.done_tokens, claim_batch.last_chances) into v_at, v_queues, v_limited, v_rows, v_token;
  if v_token is null then return; end if;
  return query
  with claimed as (
    update jobs j set state = 1, attempt = j.attempt + 1, lease_token = v_token, worker_id = claim_batch.worker, claimed_at = clock_timestamp(),
      -- The backstop: the worker aborts at the timeout; when it does not, recovery takes the job a minute later.
      deadline = v_at + make_interval(secs => j.timeout_ms / 1000.0 + 60),
      limited = v_limited is not null and j.queue = any(v_limited)
    where j.ctid = any(coalesce(v_rows, array(
      select c.ctid from unnest(v_queues) q(name) cross join lateral (
        select x.ctid from jobs x where x.queue = q.name and x.state = 0
          and (x.priority, x.run_at, x.id) > (coalesce(case when q.name = claim_batch.floor_queue then claim_batch.floor_priority::smallint end, '-32768'::smallint),
            coalesce(case when q.name = claim_batch.floor_queue then claim_batch.floor_run_at end, '-infinity'::timestamptz),
            coalesce(case when q.name = claim_batch.floor_queue then claim_batch.floor_id end, 0::bigint))
          and (x.recoveries = 0 or claim_batch.last_chances or not is_last_chance(x.queue, x.recoveries))
        order by x.priority, x.run_at, x.id limit claim_batch.max for update skip locked) c
      limit claim_batch.max)))
    returning j.id, j.queue, j.kind, j.payload, j.priority, j.run_at,
      case when j.attempt = 1 and j.max_attempts = 5 and j.priority = 0 and j.generation = 1 and j.recoveries = 0
          and num_nonnulls(j.timeout_ms, j.tag, j.labels, j.options, j.concurrency_key) = 0 then null
        else jsonb_strip_nulls(jsonb_build_object('attempt', j.attempt, 'max_attempts', j.max_attempts, 'timeout_ms', j.timeout_ms,
          'priority', j.priority, 'tag', j.tag, 'labels', j.labels, 'options', j.options, 'generation', j.generation,
          'concurrency_key', nullif(j.concurrency_key, ''),
          'last_chance', case when j.recoveries > 0 then nullif(is_last_chance(j.queue, j.recoveries), false) end,
          'lost_traceparent', case when j.recoveries > 0 then j.last_recovery ->> 'traceparent' end,
          'age_ms', case when j.options ? 'traceparent' then greatest(0, (extract(epoch from v_at - j.created_at) * 1000)::bigint) end))::text end as extra),
  lease as (
    insert into leases (token, worker_id, claimed_at, ids, traceparent)
    select v_token, claim_batch.worker, v_at, array_agg(c.id), left(claim_batch.traceparent, 200) from claimed c having count(*) > 0)
  select v_token, string_agg(o.id::text, ','), string_agg(o.queue, ','), string_agg(o.kind, ','),
    (date_part('epoch', (array_agg(o.run_at))[count(*)]) * 1000000)::bigint, '[' || string_agg(o.payload::text, ',') || ']',
    '[' || string_agg(coalesce(o.extra, 'null'), ',') || ']'
  from (select * from claimed c order by array_position(v_queues, c.queue), c.priority, c.run_at, c.id) o
  having count(*) > 0;
end $$;
comment on function claim_batch(bigint, text[], int, int, text, int, timestamptz, bigint, bigint[], bigint[], boolean, text) is
  'What claim does, for a client that wants it fast: one row, or none. ids, queues (in_queues) and kinds are lists with commas between; last_run_at is the run_at of the last one, for a floor, in microseconds since 1970; payloads is a JSON array; extras is a JSON array with null for a job that lost no worker and is in its first attempt of 5, without timeout, with priority 0 and nothing else, and an object of what claim would return for others; last_chance stands there only where it is true. Of a job with a traceparent it also has age_ms, for how long it has been there, and of one that lost a worker lost_traceparent, the span of the claim whose attempt was lost, where one is known.';

create function pick_jobs(queues text[], limited text[], max int, slots int, last_chances boolean) returns tid[]
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_queue text;
  v_left int := pick_jobs.max;
  v_locked boolean := false;
  v_rows tid[] := '{}';
  v_more tid[];
begin
  foreach v_queue in array pick_jobs.queues loop
    exit when v_left <= 0;
    if v_queue = any(pick_jobs.limited) then
      -- Claims of a limited queue take turns until they commit; in the order of the names, so that they cannot deadlock.
      if not v_locked then
        perform from (select from queue_limits l where l.queue = any(pick_jobs.limited) order by l.queue for update) l;
        v_locked := true;
      end if;
      v_more := pick_limited(v_queue, least(v_left, pick_jobs.slots), pick_jobs.last_chances);
    else
      v_more := array(select x.ctid from jobs x where x.queue = v_queue and x.state = 0
          and (x.recoveries = 0 or pick_jobs.last_chances or not is_last_chance(x.queue, x.recoveries))
        order by x.priority, x.run_at, x.id limit v_left for update skip locked);
    end if;
    v_rows := v_rows || v_more;
    v_left := v_left - cardinality(v_more);
  end loop;
  return v_rows;
end $$;
comment on function pick_jobs(text[], text[], int, int, boolean) is
  'Internal. The rows a claim takes when some of its queues have limits, locked.';

create function pick_limited(queue text, max int, last_chances boolean) returns tid[]
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_limit queue_limits;
  v_now timestamptz := clock_timestamp();
  v_room int := pick_limited.max;
  v_tokens float8;
  v_rows tid[];
  v_last_key text;
begin
  select * from queue_limits l where l.queue = pick_limited.queue into v_limit;
  v_last_key := v_limit.last_key;
  if v_limit.max_running is not null then
    v_room := least(v_room, v_limit.max_running
      - (select count(*) from jobs j where j.limited and j.queue = pick_limited.queue));
  end if;
  if v_limit.rate_count is not null then
    v_tokens := least(v_limit.rate_count, v_limit.tokens
      + greatest(0, extract(epoch from v_now - v_limit.tokens_at)::float8) * 1000 * v_limit.rate_count / v_limit.rate_period_ms);
    v_room := least(v_room, floor(v_tokens)::int);
  end if;
  if v_room <= 0 then return '{}'; end if;

  if v_limit.fair or v_limit.max_running_per_key is not null then
    select p.rows, p.last_key from pick_in_turns(pick_limited.queue, v_room, v_limit.max_running_per_key, v_limit.last_key,
        pick_limited.last_chances) p
      into v_rows, v_last_key;
  else
    v_rows := array(select x.ctid from jobs x where x.queue = pick_limited.queue and x.state = 0
        and (x.recoveries = 0 or pick_limited.last_chances or not is_last_chance(x.queue, x.recoveries))
      order by x.priority, x.run_at, x.id limit v_room for update skip locked);
  end if;
  if (v_limit.rate_count is not null and v_rows <> '{}') or v_last_key is distinct from v_limit.last_key then
    update queue_limits l set last_key = v_last_key,
      tokens = case when v_limit.rate_count is null then l.tokens else v_tokens - cardinality(v_rows) end, tokens_at = v_now
    where l.queue = pick_limited.queue;
  end if;
  return v_rows;
end $$;
comment on function pick_limited(text, int, boolean) is
  'Internal. The rows a claim takes of one queue with limits; the caller has locked its row of queue_limits.';

create function pick_in_turns(queue text, room int, per_key int, from_key text, last_chances boolean)
returns table (rows tid[], last_key text)
language plpgsql volatile set search_path = {{schema}}, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_running jsonb := '{}';
  v_walk int;
  v_keys text[];
  v_rooms int[];
  v_quota int;
  v_ids bigint[];
begin
  -- Jobs without a key were enqueued before the keys began to take turns: they become one more key.
  update jobs j set concurrency_key = '' where j.ctid = any(array(
    select h.ctid from jobs h where h.concurrency_key is null and h.state = 0 and h.id = any(array(
      select f.id from jobs f where f.queue = pick_in_turns.queue and f.state = 0 order by f.priority, f.run_at, f.id limit 200))
    for update skip locked));
  if pick_in_turns.per_key is not null then
    select coalesce(jsonb_object_agg(r.key, r.running), '{}') from (
      select j.concurrency_key as key, count(*) as running from jobs j
      where j.limited and j.queue = pick_in_turns.queue and j.concurrency_key <> '' group by 1) r into v_running;
  end if;

  -- The keys that have jobs, one probe of the index each, from the last one on and round again: as many as there is room,
  -- and as there are full ones among them.
  v_walk := least(1000, pick_in_turns.room + (select count(*) from jsonb_each(v_running) r where r.value::int >= pick_in_turns.per_key));
  with recursive later(key, n) as (
    select (select x.concurrency_key from jobs x where x.queue = pick_in_turns.queue and x.state = 0 and x.concurrency_key is not null
      and x.concurrency_key > coalesce(pick_in_turns.from_key, '') order by x.concurrency_key limit 1), 1
    union all
    select (select x.concurrency_key from jobs x where x.queue = pick_in_turns.queue and x.state = 0 and x.concurrency_key is not null
      and x.concurrency_key > l.key order by x.concurrency_key limit 1), l.n + 1
    from later l where l.key is not null and l.n < v_walk),
  earlier(key, n) as (
    select (select x.concurrency_key from jobs x where x.queue = pick_in_turns.queue and x.state = 0 and x.concurrency_key is not null
      and x.concurrency_key <= coalesce(pick_in_turns.from_key, '') order by x.concurrency_key limit 1), 1
    union all
    select (select x.concurrency_key from jobs x where x.queue = pick_in_turns.queue and x.state = 0 and x.concurrency_key is not null
      and x.concurrency_key > e.key and x.concurrency_key <= coalesce(pick_in_turns.from_key, '') order by x.concurrency_key limit 1), e.n + 1
    from earlier e where e.key is not null and e.n < v_walk)
  select array_agg(k.key order by k.part, k.n) from (
    select l.key, l.n, 1 as part from later l where l.key is not null
    union all select e.key, e.n, 2 from earlier e where e.key is not null
    limit v_walk) k into v_keys;
  if v_keys is null then
    rows := '{}'; last_key := pick_in_turns.from_key;
    return next; return;
  end if;
  -- When every key that was looked at is full, the next claim looks at others.
  last_key := v_keys[cardinality(v_keys)];
  v_rooms := array(select case when k.key = '' or pick_in_turns.per_key is null then pick_in_turns.room
      else greatest(0, least(pick_in_turns.room, pick_in_turns.per_key - coalesce((v_running ->> k.key)::int, 0))) end
    from unnest(v_keys) with ordinality k(key, at) order by k.at);

  -- One job of each key, then a second of each … A first guess of how many rounds that takes, and more when it was too low.
  v_quota := greatest(1, (pick_in_turns.room + cardinality(v_keys) - 1) / cardinality(v_keys));
  loop
    with candidate as (
      select c.id, k.key, k.at, row_number() over (partition by k.at order by c.priority, c.run_at, c.id) as round
      from unnest(v_keys, v_rooms) with ordinality k(key, room, at) cross join lateral (
        select x.id, x.priority, x.run_at from jobs x
        where x.queue = pick_in_turns.queue and x.state = 0 and x.concurrency_key = k.key
          and (x.recoveries = 0 or pick_in_turns.last_chances or not is_last_chance(x.queue, x.recoveries))
        order by x.priority, x.run_at, x.id limit least(k.room, v_quota)) c
      order by round, k.at limit pick_in_turns.room)
    select array_agg(c.id), coalesce((array_agg(c.key order by c.round desc, c.at desc))[1], last_key) from candidate c into v_ids, last_key;
    exit when cardinality(v_ids) >= pick_in_turns.room or v_quota >= pick_in_turns.room;
    v_quota := least(pick_in_turns.room, v_quota * 4);
  end loop;
  rows := array(select x.ctid from jobs x where x.id = any(v_ids) and x.state = 0 for update skip locked);
  return next;
end $$;
comment on function pick_in_turns(text, int, int, text, boolean) is
  'Internal. Up to room jobs of a queue whose concurrency keys take turns, at most per_key of one key running, and the key that was served last.';

create function return_rate(queues text[]) returns void
language sql volatile set search_path = {{schema}}, pg_temp as $$
  update queue_limits l set tokens = least(l.rate_count, l.tokens + r.starts)
  from (select q.name, count(*) as starts from unnest(return_rate.queues) q(name) group by q.name) r
  where l.queue = r.name and l.rate_count is not null
$$;
comment on function return_rate(text[]) is 'Internal. Starts that did not happen are given back to the rate of their queues; the caller has locked their rows.';
