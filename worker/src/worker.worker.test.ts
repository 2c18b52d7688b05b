import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { createLog, defineHandler, handlersFrom, readConfig, Worker } from "./index.ts";
import { Stage } from "./testing/stage.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];

describe("a worker as a library", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  function workerOf(): Worker {
    const config = readConfig(
      {
        DATABASE_URL: stage.databaseUrl,
        JOBQUEUE_QUEUES: "default",
        JOBQUEUE_HANDLERS: "none.ts",
        JOBQUEUE_HTTP_PORT: "0",
      },
      [],
    );
    const greet = defineHandler<{ name: string }>("greet", ({ name }) => `hello ${name}`);
    const notExpected = (code: number): never => {
      throw new Error(`the worker wanted to exit with ${code}`);
    };
    return new Worker({ config, handlers: handlersFrom([greet]), log: createLog("silent"), exit: notExpected });
  }

  it("starts once, stops once, however often it is asked, and leaves no connection behind", async () => {
    const worker = workerOf();
    await Promise.all([worker.start(), worker.start()]);
    const { httpPort } = worker;
    const [id] = await stage.enqueue({ kind: "greet", payload: { name: "world" } });
    expect(await stage.jobIn("completed", id)).toMatchObject({ result: "hello world" });
    await Promise.all([worker.stop(), worker.stop()]);
    await worker.stop();
    await expect(fetch(`http://127.0.0.1:${httpPort}/livez`)).rejects.toThrow("fetch failed");
    await eventually("its connections to be gone", async () => {
      const rows = await stage.database.query(
        "select from pg_stat_activity where datname = current_database() and application_name like 'jobqueue worker%'",
      );
      return rows.length === 0 ? true : undefined;
    });
  });

  it("can be stopped without having been started", async () => {
    await expect(workerOf().stop()).resolves.toBeUndefined();
  });
});
