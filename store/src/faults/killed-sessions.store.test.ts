import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { StoreError } from "../errors.ts";
import { claim, type ClaimedJob } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueueMany } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";

const JOBS = 400;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("P5: while sessions are terminated five times a second all jobs are done, each once, and errors say to connect again", async () => {
    await enqueueMany(
      store.database,
      Array.from({ length: JOBS }, () => ({ queue: "q", kind: "k" })),
    );
    const victim = store.connect({ applicationName: "victim", poolSize: 3 });
    const worker = await store.worker();
    const errors: unknown[] = [];
    /** Repeats what failed, as a worker does. */
    const stubbornly = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          errors.push(error);
        }
      }
    };
    const killer = setInterval(() => {
      void store.database.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim' and datname = current_database()",
      );
    }, 200);
    const deadline = performance.now() + 45_000;
    const lost: string[] = [];
    let done = 0;
    // On a fast machine all may be done while every session that was ended was idle: then a few claims more.
    while ((done < JOBS || errors.length === 0) && performance.now() < deadline) {
      // What a lost reply may have left with the worker comes back: it holds nothing else between two claims.
      const jobs: ClaimedJob[] = await stubbornly(() =>
        claim(victim, { workerId: worker, queues: ["q"], max: 4, heldTokens: [] }),
      );
      await sleep(5);
      lost.push(...(await stubbornly(() => complete(victim, jobs))));
      done += jobs.length;
    }
    clearInterval(killer);
    expect([done, lost]).toEqual([JOBS, []]);
    expect(await store.database.query("select count(*)::int as n from jobqueue.job_history where state = 10")).toEqual([
      { n: JOBS },
    ]);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.filter((error) => !(error instanceof StoreError && error.retry === "reconnect"))).toEqual([]);
  });
});
