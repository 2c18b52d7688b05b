import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configureQueue, Database, deleteSchedule, parseStoreUrl, putSchedule } from "@jobqueue/store";
import { checkHistory, type Finding } from "../support/history/check.ts";
import { defaultRetryWaitMs, type Expectations, type History, type OperatorFacts } from "../support/history/history.ts";
import { keepLedger } from "../support/history/ledger.ts";
import { loggedSession } from "../support/history/logged-session.ts";
import { readHistory } from "../support/history/merge.ts";
import { nowMs, ProcessLog } from "../support/history/process-log.ts";
import { reportOf } from "../support/history/report.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres/database.ts";
import { PostgresProxy } from "../support/postgres/proxy.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { Person } from "./person.ts";
import { Producer, QUEUES } from "./producer.ts";
import type { Random } from "./random.ts";

/** Limits of two of the queues. */
export const LIMITS = [
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

/** What was judged. */
export interface Judgement {
  readonly findings: readonly Finding[];
  readonly report: string;
  readonly history: History;
}

/** What a judgement needs to be told. */
interface JudgeOptions {
  /** The command that repeats this round. */
  readonly repeat: string;
  readonly operator?: OperatorFacts;
  readonly expectations?: Partial<Expectations>;
}

/**
 * What every round has: a store of its own behind a proxy, producers and a person who use it, a schedule, limits, the ledger, and
 * in the end the history that is judged.
 */
export class Scene {
  readonly directory: string;
  /** A way to the store that no fault but the server's own is in the way of. */
  readonly direct: Database;
  readonly proxy: PostgresProxy;
  readonly #store: TestDatabase;
  readonly #clients: Database;
  readonly #logs: ProcessLog[] = [];
  #actors: readonly (Producer | Person)[] = [];
  #ticksFrom = 0;
  #ticksTo = 0;

  private constructor(directory: string, store: TestDatabase, proxy: PostgresProxy) {
    this.directory = directory;
    this.proxy = proxy;
    this.#store = store;
    this.direct = new Database({
      connection: parseStoreUrl(store.url),
      applicationName: "chaos",
      poolSize: 12,
      connectTimeoutMs: 3_000,
      statementTimeoutMs: 10_000,
    });
    this.#clients = new Database({
      connection: parseStoreUrl(proxy.url),
      applicationName: "producers",
      poolSize: 6,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 5_000,
    });
  }

  /** Makes the store; `directory` is where logs and, when it fails, the report are. */
  static async create(server: PostgresServer, directory: string): Promise<Scene> {
    mkdirSync(directory, { recursive: true });
    const store = await createTestDatabase(server.url());
    const scene = new Scene(directory, store, await PostgresProxy.create(store.url));
    await keepLedger(scene.direct);
    for (const { queue, ...limits } of LIMITS) {
      await configureQueue(scene.direct, queue, limits, WORDS);
    }
    return scene;
  }

  /** URL of the store without the proxy. */
  get url(): string {
    return this.#store.url;
  }

  /** Begins the load. */
  async begin(random: Random, producers: readonly string[]): Promise<void> {
    this.#actors = [
      ...producers.map((name) => new Producer(this.#loggedAs(name), name, random.fork())),
      new Person(this.#loggedAs("person"), random.fork()),
    ];
    await putSchedule(this.direct, SCHEDULE, WORDS);
    const [first] = await this.direct.query<{ from: number }>(
      "select extract(epoch from next_at)::float8 * 1000 as from from jobqueue.schedules",
    );
    this.#ticksFrom = first?.from ?? 0;
    for (const actor of this.#actors) actor.start();
  }

  /** Ends the load; what is there is still to be worked off. */
  async end(): Promise<void> {
    await Promise.all(this.#actors.map(async (actor) => actor.stop()));
    await deleteSchedule(this.direct, SCHEDULE.name, WORDS);
    this.#ticksTo = nowMs();
  }

  /** Judges what happened; everything has ended. Where something is violated the evidence is kept. */
  async judge({ repeat, operator, expectations }: JudgeOptions): Promise<Judgement> {
    for (const log of this.#logs) log.close();
    const ticks = { from: this.#ticksFrom, to: this.#ticksTo };
    const history = await readHistory(this.direct, this.directory, {
      expectations: {
        drained: true,
        inversions: null,
        startsAfterHoldMs: 2_000,
        retryWaitMs: defaultRetryWaitMs,
        ...expectations,
      },
      limits: LIMITS,
      schedules: [{ name: SCHEDULE.name, everyMs: SCHEDULE_MS, latenessMs: 60_000, ...ticks }],
      ...(operator && { operator }),
    });
    const findings = checkHistory(history);
    const report = reportOf(history, findings, repeat);
    if (findings.length > 0) {
      writeFileSync(join(this.directory, "report.txt"), report);
      writeFileSync(join(this.directory, "history.json"), JSON.stringify(history));
    }
    return { findings, report, history };
  }

  async close(): Promise<void> {
    await this.#clients.close();
    await this.proxy.close();
    await this.direct.close();
    await this.#store.drop();
  }

  #loggedAs(name: string): ReturnType<typeof loggedSession> {
    const log = new ProcessLog(this.directory, name);
    this.#logs.push(log);
    return loggedSession(this.#clients, log);
  }
}
