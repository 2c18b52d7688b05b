import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { configureQueue, Database, deleteSchedule, parseStoreUrl, putSchedule } from "@jobqueue/store";
import { checkHistory, type Finding } from "../support/history/check.ts";
import { defaultRetryWaitMs, type History } from "../support/history/history.ts";
import { keepLedger } from "../support/history/ledger.ts";
import { loggedSession } from "../support/history/logged-session.ts";
import { readHistory } from "../support/history/merge.ts";
import { appendLine, nowMs, ProcessLog } from "../support/history/process-log.ts";
import { reportOf } from "../support/history/report.ts";
import { createTestDatabase } from "../support/postgres/database.ts";
import { PgBouncer } from "../support/postgres/pgbouncer.ts";
import { PostgresProxy } from "../support/postgres/proxy.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { FAMILIES } from "./faults/all-faults.ts";
import type { ChaosFault, Targets } from "./faults/fault.ts";
import { Fleet } from "./fleet.ts";
import { Person } from "./person.ts";
import { Producer, QUEUES } from "./producer.ts";
import { Random } from "./random.ts";

/** One round of a run: a store of its own, load, pairs of faults, a drain, the checker. */
export interface RoundOptions {
  readonly server: PostgresServer;
  readonly seed: number;
  readonly loadSeconds: number;
  /** Where logs and, when it fails, the report are. */
  readonly directory: string;
  /** The command that repeats this round. */
  readonly repeat: string;
  /** Done to the store before anything starts: a mutation, in tests of the checker. */
  readonly prepare?: (database: Database) => Promise<void>;
  /** Only these faults; all when absent. */
  readonly only?: (fault: ChaosFault) => boolean;
  readonly say?: (line: string) => void;
}

/** How a round went. */
export interface RoundOutcome {
  readonly findings: readonly Finding[];
  readonly report: string;
  readonly history: History;
  readonly faults: readonly string[];
  readonly workerExits: readonly string[];
}

/** Limits of two of the queues. */
const LIMITS = [
  { queue: QUEUES.limited, maxRunning: 4 },
  { queue: QUEUES.keyed, maxRunningPerKey: 2 },
] as const;

const WORDS = { actor: "chaos", reason: "a run" } as const;

/** What fires all the while. */
const SCHEDULE_MS = 2_000;
const SCHEDULE = {
  name: "tick",
  cron: "*/2 * * * * *",
  missedTicks: "all",
  queue: QUEUES.plain,
  kind: "work",
  payload: { ms: 5 },
} as const;

/** How long a drain may take: the longest waits of failed jobs, leases, poison limits, and a slow machine. */
const DRAIN_SECONDS = 90;

/** Runs one round. */
export async function runRound(options: RoundOptions): Promise<RoundOutcome> {
  const { server, directory, loadSeconds } = options;
  const random = new Random(options.seed);
  mkdirSync(directory, { recursive: true });
  const store = await createTestDatabase(server.url());
  const direct = new Database({
    connection: parseStoreUrl(store.url),
    applicationName: "chaos",
    poolSize: 12,
    connectTimeoutMs: 3_000,
    statementTimeoutMs: 10_000,
  });
  const proxy = await PostgresProxy.create(store.url);
  const bouncer = random.chance(0.5) && PgBouncer.isInstalled ? await PgBouncer.create(store.url) : undefined;
  const fleet = new Fleet({
    directory,
    queues: Object.values(QUEUES),
    size: 3,
    urlOf: (n) => (bouncer !== undefined && n % 3 === 0 ? bouncer.url() : proxy.url),
  });
  const clients = new Database({
    connection: parseStoreUrl(proxy.url),
    applicationName: "producers",
    poolSize: 6,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
  });
  const logs: ProcessLog[] = [];
  const loggedAs = (name: string) => {
    const log = new ProcessLog(directory, name);
    logs.push(log);
    return loggedSession(clients, log);
  };
  try {
    await keepLedger(direct);
    for (const { queue, ...limits } of LIMITS) {
      await configureQueue(direct, queue, limits, WORDS);
    }
    await putSchedule(direct, SCHEDULE, WORDS);
    const [first] = await direct.query<{ from: number }>(
      "select extract(epoch from next_at)::float8 * 1000 as from from jobqueue.schedules",
    );
    await options.prepare?.(direct);
    const producers = ["producer-1", "producer-2"].map((name) => new Producer(loggedAs(name), name, random.fork()));
    const person = new Person(loggedAs("person"), random.fork());
    await fleet.start();
    for (const actor of [...producers, person]) actor.start();
    const targets: Targets = { server, proxy, bouncer, fleet, direct, random: random.fork() };
    const faults = await applyFaults(targets, options, nowMs() + loadSeconds * 1_000);
    await Promise.all([...producers, person].map(async (actor) => actor.stop()));
    await deleteSchedule(direct, SCHEDULE.name, WORDS);
    const scheduled = { from: first?.from ?? 0, to: nowMs() };
    await drained(direct);
    await fleet.stop();
    for (const log of logs) log.close();
    const history = await readHistory(direct, directory, {
      expectations: { drained: true, inversions: null, startsAfterHoldMs: 2_000, retryWaitMs: defaultRetryWaitMs },
      limits: LIMITS,
      schedules: [{ name: SCHEDULE.name, everyMs: SCHEDULE_MS, latenessMs: 60_000, ...scheduled }],
    });
    const findings = checkHistory(history);
    const report = reportOf(history, findings, options.repeat);
    if (findings.length > 0) {
      writeFileSync(join(directory, "report.txt"), report);
      writeFileSync(join(directory, "history.json"), JSON.stringify(history));
    }
    return { findings, report, history, faults, workerExits: fleet.exits };
  } finally {
    await fleet.kill();
    await clients.close();
    await proxy.close();
    await bouncer?.destroy();
    await direct.close();
    await store.drop();
  }
}

/** Pairs of faults of two families, one after the other, until the time is over. */
async function applyFaults(targets: Targets, options: RoundOptions, until: number): Promise<string[]> {
  const { random } = targets;
  const families = FAMILIES.map((family) =>
    family.filter((fault) => (fault.possible?.(targets) ?? true) && (options.only?.(fault) ?? true)),
  ).filter((family) => family.length > 0);
  const applied: string[] = [];
  await sleep(2_000);
  while (nowMs() < until && families.length > 0) {
    const first = random.pick(families.flat());
    const others = families.filter((family) => !family.includes(first)).flat();
    const pair = [first, ...(others.length > 0 ? [random.pick(others)] : [])];
    options.say?.(`  ${pair.map(({ id, name }) => `${id} ${name}`).join(" + ")}`);
    await Promise.all(
      pair.map(async (fault) => {
        await sleep(random.between(0, 1_500));
        const from = nowMs();
        const target = await fault.apply(targets);
        appendLine(options.directory, "faults", { e: "fault", t: from, id: fault.id, target, to: nowMs() });
        applied.push(fault.id);
      }),
    );
    await sleep(random.between(500, 2_500));
  }
  return applied;
}

/** Waits until no job is live. What does not end is left to the checker to name. */
async function drained(database: Database): Promise<void> {
  const deadline = nowMs() + DRAIN_SECONDS * 1_000;
  while (nowMs() < deadline) {
    try {
      const [row] = await database.query<{ live: boolean }>(
        `select exists (select from ${database.schema}.jobs) as live`,
      );
      if (row?.live === false) return;
    } catch {
      // The server may still be coming back.
    }
    await sleep(250);
  }
}
