import type { Session } from "@jobqueue/store";

/** A way to break a store on purpose, after it was migrated. */
export interface Mutation {
  readonly name: string;
  readonly apply: (session: Session) => Promise<void>;
}

/** Replaces text in the body of a function; fails when the text is not there, so that no mutation does nothing unnoticed. */
function patched(name: string, functionName: string, pattern: RegExp, replacement: string): Mutation {
  return {
    name,
    apply: async (session) => {
      const rows = await session.query<{ definition: string }>(
        `select pg_get_functiondef(p.oid) as definition from pg_proc p
         where p.pronamespace = '${session.schema}'::regnamespace and p.proname = $1`,
        [functionName],
      );
      let changed = 0;
      for (const { definition } of rows) {
        const mutant = definition.replace(pattern, replacement);
        if (mutant === definition) continue;
        await session.query(mutant);
        changed++;
      }
      if (changed === 0) throw new Error(`the mutation "${name}" finds nothing to change in ${functionName}`);
    },
  };
}

/** Runs SQL. */
function done(name: string, ...statements: readonly string[]): Mutation {
  return {
    name,
    apply: async (session) => {
      for (const statement of statements) await session.query(statement.replaceAll("{{schema}}", session.schema));
    },
  };
}

/** Two that only make sense together. */
function both(first: Mutation, second: Mutation): Mutation {
  return {
    name: first.name,
    apply: async (session) => {
      await first.apply(session);
      await second.apply(session);
    },
  };
}

/** Makes a trigger that runs before or after every row written to the history. */
function onHistory(name: string, when: "before" | "after", body: string): Mutation {
  return done(
    name,
    `create function {{schema}}.mutant() returns trigger language plpgsql security definer set search_path = {{schema}}, pg_temp as $$ begin ${body} end $$`,
    `create trigger mutant ${when} insert on {{schema}}.job_history for each row execute function {{schema}}.mutant()`,
  );
}

/** The mutants, by what is taken out of the store. */
export const MUTATIONS = {
  historyForgets: onHistory("the history forgets what is completed", "before", "return null;"),
  otherToken: patched(
    "claim says another token than it wrote",
    "claim",
    /c\.lease_token, c\.timeout_ms/,
    "c.lease_token + 1000000, c.timeout_ms",
  ),
  noUniqueIndex: both(
    patched("the unique index is gone", "insert_jobs", /on conflict \(unique_key\)[^;]*? do nothing/, ""),
    done("the unique index is gone", "drop index {{schema}}.jobs_unique"),
  ),
  noLeaseCheck: patched("recovery does not look at leases", "lost_workers", /w\.lease_until <= v_now/g, "true"),
  tokensRepeat: both(
    patched("lease tokens repeat", "prepare_claim", /nextval\('lease_tokens'\)/, "1"),
    done("lease tokens repeat", "alter table {{schema}}.leases drop constraint leases_pkey"),
  ),
  endsTwice: onHistory(
    "the history gets every job twice",
    "after",
    "if pg_trigger_depth() = 1 then insert into job_history select new.*; end if; return null;",
  ),
  noFence: patched("complete goes by the id alone", "move_to_history", /t\.token = j\.lease_token or/, "true or"),
  noFenceInFail: patched("fail goes by the id alone", "fail", /and t\.token = j\.lease_token/g, ""),
  noFenceInReturn: patched("return goes by the id alone", "return_unstarted", /and t\.token = j\.lease_token/g, ""),
  recoverySpends: patched(
    "recovery spends an attempt",
    "recover_stale",
    /attempt = greatest\(0, j\.attempt - 1\)/g,
    "attempt = j.attempt",
  ),
  returnSpends: patched(
    "a return spends an attempt",
    "return_unstarted",
    /attempt = j\.attempt - 1/,
    "attempt = j.attempt",
  ),
  runAtIgnored: patched("claim ignores run_at", "prepare_claim", /d\.run_at <= at/, "true"),
  noRetryWait: patched(
    "failed jobs do not wait",
    "retry_wait",
    /select case when/,
    "select case when true then interval '0' when",
  ),
  noHoldCheck: patched(
    "claim does not look at holds",
    "claimable_queues",
    /h\.until is null or h\.until > clock_timestamp\(\)/g,
    "false",
  ),
  wrongOrder: patched(
    "claim takes the newest first",
    "claim",
    /order by x\.priority, x\.run_at, x\.id limit/,
    "order by x.id desc limit",
  ),
  noQueueLimit: patched(
    "the limit of a queue is not counted",
    "pick_limited",
    /where j\.limited and/,
    "where false and",
  ),
  noKeyLimit: patched("the limit of a key is not counted", "pick_in_turns", /where j\.limited and/, "where false and"),
  budgetForgotten: patched(
    "the budget of restarts is not counted",
    "refuse_restart",
    /\nbegin\n/,
    "\nbegin\n  return null;\n",
  ),
  holdUnaudited: done(
    "holds leave no audit event",
    "create rule mutant as on insert to {{schema}}.audit_events where new.action = 'hold' do instead nothing",
  ),
  countsWrong: patched(
    "what waits is counted as running",
    "queue_stats",
    /where j\.state = 1\) as running/,
    "where j.state < 2) as running",
  ),
  holdsRewritten: patched("a hold that is there is written again", "hold", /if found then return false; end if;/, ""),
  ticksRepeat: both(
    both(
      patched("a tick may fire again", "fire_schedule", /s\.next_at = fire_schedule\.expected and/, ""),
      patched("a tick may fire again", "fire_schedule", /continue when exists [^;]*;/, ""),
    ),
    done("a tick may fire again", "alter table {{schema}}.schedule_ticks drop constraint schedule_ticks_pkey"),
  ),
} as const satisfies Readonly<Record<string, Mutation>>;
