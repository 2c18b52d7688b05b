import { claim, type ClaimedJob, Database, parseStoreUrl, registerWorker } from "@jobqueue/store";
import { afterAll, beforeAll, expect } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { atTerminal, type EndedAtTerminal } from "./at-terminal.ts";
import { type Ended, runJobqueue } from "./run-jobqueue.ts";

/** The command on a store of its own, and the store itself. Call it inside `describe`; usable from the first test on. */
export interface CommandOnStore {
  readonly database: () => Database;
  readonly url: () => string;
  /** Runs the real command. */
  readonly jobqueue: (...args: string[]) => Promise<Ended>;
  /** Runs it, expects success, and returns what it printed as JSON. */
  readonly json: (...args: string[]) => Promise<unknown>;
  /** Enqueues one job through the command and returns its id. */
  readonly enqueue: (queue: string, ...flags: string[]) => Promise<string>;
  /** A worker of the store that claims jobs of a queue. */
  readonly work: (queue: string, max?: number) => Promise<{ workerId: string; jobs: ClaimedJob[] }>;
  /** Runs a verb at a terminal where a person types this. */
  readonly atTerminal: (answers: string, ...args: string[]) => Promise<EndedAtTerminal>;
}

/** Makes a store before the tests of a `describe`, and drops it after them. */
export function commandOnStore(adminUrl: string): CommandOnStore {
  let testDatabase: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    testDatabase = await createTestDatabase(adminUrl);
    database = new Database({ connection: parseStoreUrl(testDatabase.url), applicationName: "cli test", poolSize: 2 });
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });
  const jobqueue = async (...args: string[]): Promise<Ended> =>
    runJobqueue(args, { env: { DATABASE_URL: testDatabase.url } });
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await jobqueue(...args, "-o", "json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as unknown;
  };
  return {
    database: () => database,
    url: () => testDatabase.url,
    jobqueue,
    json,
    enqueue: async (queue, ...flags) => ((await json("enqueue", queue, "k", ...flags)) as { id: string }).id,
    work: async (queue, max = 1) => {
      const workerId = await registerWorker(database, {
        bootId: crypto.randomUUID(),
        pod: "pool-1",
        namespace: "shop",
        node: "n1",
        queues: [queue],
        concurrency: 4,
      });
      return { workerId, jobs: await claim(database, { workerId, queues: [queue], max }) };
    },
    atTerminal: async (answers, ...args) => atTerminal(args, { DATABASE_URL: testDatabase.url }, answers),
  };
}
