import { configureQueue } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];
const ACT = { actor: "alice", reason: "test" };

describe("a worker of a queue with limits", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it.each([
    { what: "fewer than its slots", maxRunning: 2, slots: "10" },
    { what: "more than its slots", maxRunning: 100, slots: "2" },
  ])(
    "G13: fills every place as soon as it is free, $what, and does not wait for its next poll",
    async ({ maxRunning, slots }) => {
      await configureQueue(stage.database, "default", { maxRunning }, ACT);
      const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_SLOTS: slots } });
      const count = 120;
      await stage.enqueue(...Array.from({ length: count }, () => ({ kind: "quick" })));
      await eventually("all to be completed", async () => {
        const [row] = await stage.database.query<{ done: number }>(
          "select count(*)::int as done from jobqueue.job_history",
        );
        return row?.done === count || undefined;
      });
      // At two places a poll, of which there are one to two a second, this would take the better part of a minute.
      const [row] = await stage.database.query<{ seconds: number; together: number }>(
        `select extract(epoch from max(finished_at) - min(claimed_at))::float8 as seconds,
        (select max(running) from (select count(*) as running from jobqueue.job_history a join jobqueue.job_history b
          on b.claimed_at <= a.claimed_at and b.finished_at > a.claimed_at group by a.id) r)::int as together
       from jobqueue.job_history`,
      );
      expect(row?.seconds).toBeLessThan(25);
      expect(row?.together).toBeLessThanOrEqual(maxRunning);
      await eventually("the lease rows of its claims to be forgotten", async () => {
        const [leases] = await stage.database.query<{ count: number }>(
          "select count(*)::int as count from jobqueue.leases",
        );
        return leases?.count === 0 || undefined;
      });
      expect(worker.isRunning).toBe(true);
    },
  );
});
