/** River's pausing of queues: its promises and its caveats, through the API. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { getJob, hold, listHolds } from "@jobqueue/store";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { ContractStage } from "./contract-stage.ts";

forNewestPostgres(({ adminUrl }) => {
  let stage: ContractStage;
  let key: string;
  beforeAll(async () => {
    stage = await ContractStage.start(adminUrl);
    key = await stage.admin.key("queues:pause,queues:read", "on-call");
  });
  afterAll(async () => stage.close());
  beforeEach(async () => stage.clear());

  const pause = async (queue: string) => stage.admin.ask("PUT", `/api/queues/${queue}/pause`, { key });
  const resume = async (queue: string) => stage.admin.ask("PUT", `/api/queues/${queue}/resume`, { key });
  const stateOf = async (id: string) => (await getJob(stage.admin.store.database, id))?.state;
  const add = async (queue: string) => stage.enqueue({ queue, kind: "quick" });
  /** A job of another queue went through the worker, so it had its chance to take a paused one. */
  const workerHadItsChance = async (queue: string): Promise<void> => {
    for (let n = 0; n < 3; n++) await stage.jobIn("completed", await add(queue));
  };

  describe("pause and resume as River has them", () => {
    it("one queue, before any worker exists: workers that start later leave it alone, and others go on", async () => {
      expect((await pause("paused")).json).toMatchObject({ name: "paused", paused: true });
      const id = await add("paused");
      await stage.worker("paused,open");
      await workerHadItsChance("open");
      expect(await stateOf(id)).toBe("pending");
      expect((await resume("paused")).json).toMatchObject({ paused: false, paused_at: null, holds: [] });
      await stage.jobIn("completed", id);
    });

    it("with live workers: what runs finishes, nothing else starts, and resuming goes on at once (G11)", async () => {
      const gate = stage.file("running");
      const running = await stage.enqueue({ queue: "live", kind: "wait", payload: { file: gate.path } });
      await stage.worker("live,free");
      await stage.jobIn("running", running);
      const { json } = await pause("live");
      expect((json as { paused_at: string }).paused_at).toMatch(/Z$/);
      const next = await add("live");
      await workerHadItsChance("free");
      expect(await stateOf(next)).toBe("pending");
      gate.write();
      await stage.jobIn("completed", running);
      expect(await stateOf(next)).toBe("pending");
      await resume("live");
      await stage.jobIn("completed", next);
    });

    it("across a restart of every worker", async () => {
      const first = await stage.worker("kept,kept-free");
      await pause("kept");
      first.signal("SIGTERM");
      await first.exited;
      const id = await add("kept");
      await stage.worker("kept,kept-free");
      await workerHadItsChance("kept-free");
      expect(await stateOf(id)).toBe("pending");
      await resume("kept");
      await stage.jobIn("completed", id);
    });

    it("* pauses every queue, also those made later, and a pause of one queue survives resuming *", async () => {
      await stage.worker("one,two");
      await pause("*");
      await pause("two");
      const [one, two] = [await add("one"), await add("two")];
      // Nothing can go through that worker now, so only time can show that it takes nothing.
      await sleep(1500);
      expect([await stateOf(one), await stateOf(two)]).toEqual(["pending", "pending"]);
      expect((await resume("*")).json).toMatchObject({ name: "*", paused: false });
      await stage.jobIn("completed", one);
      expect(await stateOf(two)).toBe("pending");
      await resume("two");
      await stage.jobIn("completed", two);
    });

    it("pausing twice is pausing once; resuming what is not paused is no error", async () => {
      await pause("twice");
      await pause("twice");
      expect(await listHolds(stage.admin.store.database)).toMatchObject([
        { queue: "twice", name: "river", actor: "key:on-call" },
      ]);
      expect((await resume("twice")).status).toBe(200);
      expect((await resume("twice")).json).toMatchObject({ paused: false });
    });

    it("does not take away the hold that belongs to Git, and says that it is left", async () => {
      await hold(stage.admin.store.database, {
        queue: "git",
        name: "spec",
        reason: "in Git",
        actor: "jobqueue-operator",
        source: "spec",
      });
      await pause("git");
      expect((await resume("git")).json).toMatchObject({ paused: true, holds: [{ name: "spec", source: "spec" }] });
    });
  });
});
