import { FIRST_STATES, JOB_STATE_NAMES, JOB_STATES, isLegalTransition, type JobState } from "../job-state.ts";

const stored = (state: JobState): number => JOB_STATES[state].stored;

/** Pairs of stored numbers that `job-state.ts` allows. */
const LEGAL = JOB_STATE_NAMES.flatMap((from) =>
  JOB_STATE_NAMES.filter((to) => isLegalTransition(from, to)).map((to) => `(${stored(from)}, ${stored(to)})`),
).join(", ");

const FIRST = FIRST_STATES.map(stored).join(", ");

/**
 * Triggers that refuse every transition which `job-state.ts` does not have, and a second terminal transition of a
 * generation (G6). They watch what the store's own functions write, which is known by their pinned search path: what a
 * test writes by hand is its set-up. A job that moves between the tables is followed by a note that its transaction
 * leaves; a running job that vanishes, and goes nowhere, is found when the transaction commits.
 */
export const TRANSITION_GUARD = `
create schema transition_guard;
create table transition_guard.legal (from_state smallint, to_state smallint, primary key (from_state, to_state));
insert into transition_guard.legal values ${LEGAL};
create table transition_guard.left_table (
  table_name text not null, id bigint not null, generation smallint not null, state smallint not null,
  xid xid8 not null default pg_current_xact_id());
create index on transition_guard.left_table (id);

create function transition_guard.check_step(id bigint, from_state smallint, to_state smallint) returns void
language plpgsql as $$
begin
  if from_state <> to_state and not exists (
      select from transition_guard.legal l where l.from_state = check_step.from_state and l.to_state = check_step.to_state) then
    raise exception 'illegal transition of job % from state % to state %', id, from_state, to_state;
  end if;
end $$;

create function transition_guard.job_changed() returns trigger language plpgsql as $$
declare
  v_from transition_guard.left_table;
begin
  if tg_op = 'UPDATE' then
    -- A retry of a job that failed, or that recovery holds, begins a generation too.
    if new.generation <> old.generation and not (old.state in (3, 4) and new.state = 0 and new.generation = old.generation + 1) then
      raise exception 'the generation of job % was changed', new.id;
    end if;
    perform transition_guard.check_step(new.id, old.state, new.state);
    return null;
  end if;
  if tg_op = 'DELETE' then
    insert into transition_guard.left_table values ('jobs', old.id, old.generation, old.state);
    return null;
  end if;
  delete from transition_guard.left_table l
    where l.id = new.id and l.table_name = 'jobs' and l.xid = pg_current_xact_id() returning * into v_from;
  if found then
    perform transition_guard.check_step(new.id, v_from.state, new.state);
  elsif new.generation > 1 then
    perform transition_guard.check_step(new.id,
      (select h.state from jobqueue.job_history h where h.id = new.id and h.generation = new.generation - 1), new.state);
  elsif new.state not in (${FIRST}) then
    raise exception 'job % begins in state %', new.id, new.state;
  end if;
  return null;
end $$;

create function transition_guard.history_changed() returns trigger language plpgsql as $$
declare
  v_from transition_guard.left_table;
begin
  if tg_op = 'UPDATE' then
    if new.state <> old.state or new.generation <> old.generation then
      raise exception 'the terminal state of job % was changed from % to %', new.id, old.state, new.state;
    end if;
    return null;
  end if;
  if tg_op = 'DELETE' then
    insert into transition_guard.left_table values ('job_history', old.id, old.generation, old.state);
    return null;
  end if;
  if (select count(*) from jobqueue.job_history h where h.id = new.id and h.generation = new.generation) > 1 then
    raise exception 'generation % of job % ended twice', new.generation, new.id;
  end if;
  delete from transition_guard.left_table l
    where l.id = new.id and l.generation = new.generation and l.xid = pg_current_xact_id() returning * into v_from;
  -- Housekeeping moves old records from one partition to another; an end is of this hour.
  if not found and new.finished_at < clock_timestamp() - interval '1 hour' then return null; end if;
  if not found then raise exception 'job % came into the history from nowhere', new.id; end if;
  if v_from.table_name = 'jobs' or v_from.state <> new.state then
    perform transition_guard.check_step(new.id, v_from.state, new.state);
  end if;
  return null;
end $$;

create function transition_guard.left_for_good() returns trigger language plpgsql as $$
begin
  if new.table_name = 'jobs' and new.state = ${stored("running")}
    and exists (select from transition_guard.left_table l where l.id = new.id and l.xid = new.xid) then
    raise exception 'job % was running, and is nowhere now', new.id;
  end if;
  return null;
end $$;

create trigger transition_guard after insert or delete or update of state, generation on jobqueue.jobs for each row
  when (current_setting('search_path') ~ '^"?jobqueue"?,') execute function transition_guard.job_changed();
create trigger transition_guard after insert or delete or update of state, generation on jobqueue.job_history for each row
  when (current_setting('search_path') ~ '^"?jobqueue"?,') execute function transition_guard.history_changed();
create constraint trigger left_for_good after insert on transition_guard.left_table deferrable initially deferred
  for each row execute function transition_guard.left_for_good();
`;
