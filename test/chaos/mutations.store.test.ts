import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  claim,
  type ClaimedJob,
  complete,
  Database,
  enqueue,
  enqueueMany,
  fail,
  hold,
  openRestart,
  parseStoreUrl,
  putSchedule,
  recoverStale,
  registerWorker,
  returnUnstarted,
  type Session,
} from "@jobqueue/store";
import { afterAll, describe, expect, it } from "vitest";
import { checkHistory } from "../support/history/check.ts";
import {
  defaultRetryWaitMs,
  type Deed,
  type Expectations,
  type Limits,
  type OperatorFacts,
} from "../support/history/history.ts";
import { keepLedger } from "../support/history/ledger.ts";
import { loggedSession } from "../support/history/logged-session.ts";
import { readHistory } from "../support/history/merge.ts";
import { nowMs, ProcessLog } from "../support/history/process-log.ts";
import type { EvenSchedule } from "../support/history/schedules.ts";
import { createTestDatabase, forEachPostgres } from "../support/postgres/database.ts";
import { type Mutation, MUTATIONS } from "./mutations.ts";

/** A worker that does as it is told: its calls are those of a real one, in the order a scenario needs. */
class Actor {
  readonly session: Session;
  readonly #log: ProcessLog;
  id = "";

  constructor(session: Session, log: ProcessLog) {
    this.session = session;
    this.#log = log;
  }

  async claim(max = 1, queue = "q"): Promise<ClaimedJob[]> {
    const jobs = await claim(this.session, { workerId: this.id, queues: [queue], max });
    for (const job of jobs) this.say("started", job);
    return jobs;
  }

  async complete(jobs: readonly ClaimedJob[]): Promise<void> {
    for (const job of jobs) this.say("returned", job);
    await complete(this.session, jobs);
  }

  async fail(jobs: readonly ClaimedJob[]): Promise<void> {
    for (const job of jobs) this.say("threw", job);
    await fail(
      this.session,
      jobs.map((job) => ({ ...job, error: "x" })),
    );
  }

  say(what: Deed["what"], { id, leaseToken, queue }: ClaimedJob): void {
    this.#log.write({ e: "deed", t: nowMs(), what, job: id, token: Number(leaseToken), queue });
  }
}

/** What a scenario plays on. */
interface Play {
  readonly database: Database;
  readonly first: Actor;
  readonly second: Actor;
  /** Makes the lease of a worker lapse. */
  readonly lapse: (worker: Actor) => Promise<void>;
}

interface Scenario {
  readonly play: (play: Play) => Promise<void>;
  readonly expectations?: Partial<Expectations>;
  readonly limits?: readonly Limits[];
  /** What its schedules had to do, asked when it is over. */
  readonly schedules?: (play: Pick<Play, "database">) => Promise<readonly EvenSchedule[]>;
  /** What an operator would know, asked when it is over. */
  readonly operator?: (play: Pick<Play, "database">) => Promise<Partial<OperatorFacts>>;
}

/** A worker loses its job to another and tries to end it all the same. */
function stale(write: (actor: Actor, jobs: readonly ClaimedJob[]) => Promise<unknown>): Scenario {
  return {
    expectations: { drained: false },
    play: async ({ database, first, second, lapse }) => {
      await enqueue(database, { queue: "q", kind: "k" });
      const lost = await first.claim();
      await lapse(first);
      await recoverStale(second.session);
      await second.claim();
      await write(first, lost);
    },
  };
}

const simple: Scenario = {
  play: async ({ first }) => {
    await enqueueMany(first.session, [
      { queue: "q", kind: "k" },
      { queue: "q", kind: "k" },
    ]);
    await first.complete(await first.claim(2));
  },
};

const undrained: Scenario = { ...simple, expectations: { drained: false } };

const returned: Scenario = {
  play: async ({ database, first }) => {
    await enqueue(database, { queue: "q", kind: "k" });
    await returnUnstarted(first.session, await first.claim());
    await first.complete(await first.claim());
  },
};

const repeated: Scenario = {
  expectations: { drained: false },
  play: async ({ first, second }) => {
    const job = { queue: "q", kind: "k", uniqueKey: "once", tag: "mark" };
    await enqueue(first.session, job);
    await enqueue(second.session, job);
  },
};

const waiting: Scenario = {
  expectations: { drained: false },
  play: async ({ database, first }) => {
    await enqueue(database, { queue: "q", kind: "k", delaySeconds: 60 });
    await enqueue(database, { queue: "q", kind: "k" });
    await first.fail(await first.claim());
    await first.claim();
  },
};

const held: Scenario = {
  expectations: { drained: false },
  play: async ({ database, first }) => {
    await enqueue(database, { queue: "q", kind: "k" });
    await hold(first.session, { queue: "q", name: "h", reason: "r", actor: "a", source: "cli" });
    await first.claim();
  },
};

const ordered: Scenario = {
  expectations: { drained: false, inversions: 0 },
  play: async ({ database, first }) => {
    for (let n = 0; n < 3; n++) await enqueue(database, { queue: "q", kind: "k", priority: n });
    await first.claim();
  },
};

/** Takes a job from a worker that lives. */
const live: Scenario = {
  play: async ({ database, first, second }) => {
    await enqueue(database, { queue: "q", kind: "k" });
    const jobs = await first.claim();
    await recoverStale(second.session);
    await first.complete(jobs);
    await second.complete(await second.claim());
  },
};

const again: Scenario = {
  play: async ({ database, first, second, lapse }) => {
    await enqueue(database, { queue: "q", kind: "k" });
    await first.claim();
    await lapse(first);
    await recoverStale(second.session);
    await second.complete(await second.claim());
  },
};

function limited(columns: string, limits: Omit<Limits, "queue">): Scenario {
  return {
    expectations: { drained: false },
    limits: [{ queue: "q", ...limits }],
    play: async ({ database, first, second }) => {
      await database.query(`insert into ${database.schema}.queue_limits (queue, ${columns}) values ('q', 1)`);
      await enqueueMany(
        database,
        Array.from({ length: 4 }, () => ({ queue: "q", kind: "k" })),
      );
      await database.query(`update ${database.schema}.jobs set concurrency_key = 'c'`);
      await first.claim(1);
      await second.claim(1);
    },
  };
}

/** Two that fire the same tick, the second when the first one's job is done. */
const scheduled: Scenario = {
  schedules: async ({ database }) => {
    const [first] = await database.query<{ at: number }>(
      `select extract(epoch from next_at)::float8 * 1000 as at from ${database.schema}.schedules`,
    );
    const from = first?.at ?? 0;
    return [{ name: "s", everyMs: 60_000, from: from - 60_000, to: from, latenessMs: 120_000 }];
  },
  play: async ({ database, first, second }) => {
    await putSchedule(database, { name: "s", cron: "* * * * *", queue: "q", kind: "k" }, { actor: "a", reason: "r" });
    // Its tick is due now instead of at the next full minute.
    await database.query(`update ${database.schema}.schedules set next_at = next_at - interval '1 minute'`);
    const fire = async ({ session }: Actor, tick: string): Promise<void> => {
      await session.query(
        `select ${database.schema}.fire_schedule('s', $1, array[$1::timestamptz], '{}', $1::timestamptz + interval '1 minute')`,
        [tick],
      );
    };
    const [due] = await database.query<{ tick: string }>(
      `select next_at::text as tick from ${database.schema}.schedules`,
    );
    await fire(first, due?.tick ?? "");
    await first.complete(await first.claim());
    await fire(second, due?.tick ?? "");
    await second.complete(await second.claim());
  },
};

/** Two workers of a pool hang, and only one restart is allowed. */
const hung: Scenario = {
  operator: async () => ({ budgets: [{ pool: "shop/q", concurrent: 1, windowMs: 600_000, most: 1 }] }),
  play: async ({ database }) => {
    for (const podUid of ["p1", "p2"]) {
      const worker = await registerWorker(database, { bootId: crypto.randomUUID(), podUid, pool: "shop/q" });
      const lapsed = `update ${database.schema}.workers set lease_until = clock_timestamp() - interval '1 minute',
        heartbeat_at = clock_timestamp() - interval '5 minutes' where id = $1`;
      await database.query(lapsed, [worker]);
      await openRestart(
        database,
        {
          pool: "shop/q",
          queue: "q",
          templateHash: "t",
          namespace: "shop",
          pod: podUid,
          podUid,
          reason: "lapsed",
          evidence: {},
          hung: { worker, verdict: "lapsed", silentMs: 60_000 },
        },
        { concurrent: 1, spacingMs: 0, windowMs: 600_000, windowMost: 1 },
        { actor: "operator", reason: "it hangs" },
      );
    }
  },
};

/** Somebody asks how many jobs run. */
const counted: Scenario = {
  expectations: { drained: false },
  play: async ({ database }) => {
    await enqueue(database, { queue: "q", kind: "k" });
  },
  operator: async ({ database }) => {
    const [row] = await database.query<{ shown: number; truth: number; at: number }>(
      `select running::int as shown, (select count(*)::int from ${database.schema}.jobs where state = 1) as truth,
         extract(epoch from clock_timestamp())::float8 * 1000 as at from ${database.schema}.queue_stats()`,
    );
    return { summaries: row ? [{ what: "running jobs of q", ...row }] : [] };
  },
};

/** An operator asserts on every pass what is there already. */
const asserted: Scenario = {
  play: async ({ database }) => {
    const request = { queue: "q", name: "spec", reason: "night", actor: "operator", source: "spec" };
    for (let pass = 0; pass < 3; pass += 1) await hold(database, request);
  },
  operator: async ({ database }) => {
    const rows = await database.query<{ what: string; at: number }>(
      `select source as what, extract(epoch from written_at)::float8 * 1000 as at from ledger.changes
       where source = 'holds' order by seq offset 1`,
    );
    return { lateWrites: rows };
  },
};

const CASES: readonly (readonly [string, Mutation, Scenario])[] = [
  ["H1", MUTATIONS.historyForgets, simple],
  ["H2", MUTATIONS.otherToken, undrained],
  ["H3", MUTATIONS.noUniqueIndex, repeated],
  ["H4", MUTATIONS.noLeaseCheck, live],
  ["H4", MUTATIONS.tokensRepeat, again],
  ["H5", MUTATIONS.endsTwice, simple],
  ["H6", MUTATIONS.noFence, stale((actor, jobs) => actor.complete(jobs))],
  ["H6", MUTATIONS.noFenceInFail, stale((actor, jobs) => actor.fail(jobs))],
  ["H6", MUTATIONS.noFenceInReturn, stale((actor, jobs) => returnUnstarted(actor.session, jobs))],
  ["H7", MUTATIONS.recoverySpends, again],
  ["H7", MUTATIONS.returnSpends, returned],
  ["H8", MUTATIONS.runAtIgnored, waiting],
  ["H8", MUTATIONS.noRetryWait, waiting],
  ["H9", MUTATIONS.noHoldCheck, held],
  ["H10", MUTATIONS.wrongOrder, ordered],
  ["H11", MUTATIONS.noUniqueIndex, repeated],
  ["H12", MUTATIONS.noQueueLimit, limited("max_running", { maxRunning: 1 })],
  ["H13", MUTATIONS.ticksRepeat, scheduled],
  ["H14", MUTATIONS.budgetForgotten, hung],
  ["H15", MUTATIONS.holdUnaudited, held],
  ["H16", MUTATIONS.countsWrong, counted],
  ["H17", MUTATIONS.holdsRewritten, asserted],
  ["H12", MUTATIONS.noKeyLimit, limited("max_running_per_key", { maxRunningPerKey: 1 })],
];

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

/** Plays a scenario on a store, broken or not, and returns what the checker finds. */
async function findings(adminUrl: string, scenario: Scenario, mutation?: Mutation): Promise<string[]> {
  const store = await createTestDatabase(adminUrl);
  const database = new Database({ connection: parseStoreUrl(store.url), applicationName: "mutations", poolSize: 3 });
  const directory = mkdtempSync(join(tmpdir(), "jobqueue-mutation-"));
  directories.push(directory);
  try {
    await keepLedger(database);
    await mutation?.apply(database);
    const actor = async (name: string): Promise<Actor> => {
      const log = new ProcessLog(directory, name);
      const made = new Actor(loggedSession(database, log), log);
      made.id = await registerWorker(database, { bootId: crypto.randomUUID() });
      return made;
    };
    await scenario.play({
      database,
      first: await actor("first"),
      second: await actor("second"),
      lapse: async ({ id }) => {
        await database.query(
          `update ${database.schema}.workers set lease_until = clock_timestamp() - interval '1 millisecond' where id = $1`,
          [id],
        );
      },
    });
    const history = await readHistory(database, directory, {
      expectations: {
        drained: true,
        inversions: null,
        startsAfterHoldMs: 2_000,
        retryWaitMs: defaultRetryWaitMs,
        ...scenario.expectations,
      },
      limits: scenario.limits ?? [],
      schedules: (await scenario.schedules?.({ database })) ?? [],
      operator: (await scenario.operator?.({ database })) ?? {},
    });
    return [...new Set(checkHistory(history).map(({ assertion }) => assertion.id))];
  } finally {
    await database.close();
    await store.drop();
  }
}

forEachPostgres(({ adminUrl }) => {
  describe("the checker, on a store that is broken on purpose", () => {
    it.each(CASES.map(([id, mutation, scenario]) => ({ id, name: mutation.name, mutation, scenario })))(
      "$id finds that $name, and nothing when it is whole",
      async ({ id, mutation, scenario }) => {
        expect(await findings(adminUrl, scenario)).toEqual([]);
        expect(await findings(adminUrl, scenario, mutation)).toContain(id);
      },
    );
  });
});
