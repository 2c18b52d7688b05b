import { hostname, userInfo } from "node:os";
import { complete, fail, getJob } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { commandOnStore } from "./testing/command-on-store.ts";

const ACTOR = `${userInfo().username}@${hostname()}`;

forEachPostgres(({ adminUrl }) => {
  const { database, jobqueue, json, enqueue, work, atTerminal } = commandOnStore(adminUrl);

  /** A dead job of a queue. */
  const dead = async (queue: string, ...flags: string[]): Promise<string> => {
    const id = await enqueue(queue, "--max-attempts", "1", ...flags);
    const { jobs } = await work(queue);
    await fail(database(), [{ id, leaseToken: jobs[0]?.leaseToken ?? "", error: "no such mailbox" }]);
    return id;
  };
  const state = async (id: string): Promise<string | undefined> => (await getJob(database(), id))?.state;
  const audit = async (action: string): Promise<unknown> => json("audit", "--action", action);

  describe("jobqueue retry", () => {
    it("runs a dead job again in a new generation, with its errors kept, and says who and why in the audit (G6, G19)", async () => {
      const id = await dead("again");
      const { code, stdout } = await jobqueue("retry", id, "--reason", "mailbox is back");
      expect({ code, stdout }).toEqual({ code: 0, stdout: `Job ${id} is pending again.\n` });
      expect(await getJob(database(), id)).toMatchObject({
        state: "pending",
        generation: 2,
        attempt: 0,
        lastError: "no such mailbox",
      });
      expect(await audit("retry")).toMatchObject([
        { target: `jobs/${id}`, actor: ACTOR, reason: "mailbox is back", count: 1 },
      ]);
    });

    it("says of each job what became of it, and ends with 8 when some were refused", async () => {
      const [first, second, third] = [await dead("some"), await enqueue("some"), await dead("some2")];
      const { code, stdout, stderr } = await jobqueue("retry", first, second, third, "999999999");
      expect(code).toBe(8);
      expect(stdout.split("\n")).toEqual([
        `Job ${first} is pending again.`,
        `Job ${second} is pending already: \`jobqueue why ${second}\` says what it waits for.`,
        `Job ${third} is pending again.`,
        "There is no job 999999999: it never was, or its history is kept no longer.",
        "",
      ]);
      expect(stderr).toBe("2 of 4 jobs were refused.\n");
    });

    it("ends with 3 when none of the jobs is there, and with 2 for what is no id", async () => {
      expect(await jobqueue("retry", "999999998", "999999999")).toMatchObject({ code: 3 });
      expect(await jobqueue("retry", "seven")).toMatchObject({ code: 2, stdout: "" });
    });

    it("with --dry-run says what it would do and does nothing", async () => {
      const [gone, waiting] = [await dead("dry"), await enqueue("dry")];
      const { code, stdout } = await jobqueue("retry", gone, waiting, "--dry-run");
      expect(code).toBe(8);
      expect(stdout).toContain(`Job ${gone} would be: retried.\nJob ${waiting} is pending already`);
      expect(await state(gone)).toBe("dead");
    });

    it("refuses to take all jobs, and ids beside flags that choose", async () => {
      const nothing = await jobqueue("retry");
      expect(nothing).toMatchObject({ code: 2, stdout: "" });
      expect(nothing.stderr).toContain("retry needs to be told which jobs");
      expect(nothing.stderr).toContain("--dry-run");
      const both = await jobqueue("retry", "7", "--queue", "q");
      expect(both).toMatchObject({ code: 2, stdout: "" });
      expect(both.stderr).toContain("--queue chooses jobs, and ids name them");
    });

    it("by flags refuses to act unasked where no terminal can be asked, and says what to give", async () => {
      const id = await dead("unasked");
      const { code, stdout, stderr } = await jobqueue("retry", "--queue", "unasked");
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("Look with --dry-run, then give --yes.");
      expect(await state(id)).toBe("dead");
    });

    it("by flags shows with --dry-run how many and which, and with --yes does it", async () => {
      const ids = [
        await dead("bulk", "--tag", "x"),
        await dead("bulk", "--tag", "x"),
        await dead("bulk", "--tag", "y"),
      ];
      const dry = await jobqueue("retry", "--queue", "bulk", "--state", "dead", "--tag", "x", "--dry-run");
      expect(dry.code).toBe(0);
      expect(dry.stdout).toMatch(/^retry would act on 2 jobs \(queue bulk, state dead, tag x\):\n *ID +QUEUE/);
      expect(dry.stdout).toContain("no such mailbox");
      expect(await state(ids[0] ?? "")).toBe("dead");
      const done = await jobqueue("retry", "--queue", "bulk", "--tag", "x", "--yes");
      expect(done).toMatchObject({ code: 0, stdout: "Retried 2 jobs.\n", stderr: "" });
      expect(await Promise.all(ids.map(state))).toEqual(["pending", "pending", "dead"]);
      const none = await jobqueue("retry", "--queue", "bulk", "--tag", "x", "--yes");
      expect(none.code).toBe(0);
      expect(none.stdout).toContain("There is nothing to retry (queue bulk, tag x). Only dead, failed and held jobs");
    });

    it("by flags stops at --max, says that more match, and ends with 10", async () => {
      for (let count = 0; count < 3; count += 1) await dead("capped");
      const first = await jobqueue("retry", "--queue", "capped", "--max", "2", "--yes");
      expect(first).toMatchObject({ code: 10, stdout: "Retried 2 jobs.\n" });
      expect(first.stderr).toBe("1 more matches: run it again, or raise --max.\n");
      expect((await jobqueue("retry", "--queue", "capped", "--max", "2", "--yes")).code).toBe(0);
    });

    it("by flags asks at a terminal, with the count, and changes nothing unless the answer is yes", async () => {
      const id = await dead("asked");
      const no = await atTerminal("n\n", "retry", "--queue", "asked");
      expect(no.code).toBe(9);
      expect(no.stderr()).toContain("retry would act on 1 job (queue asked):");
      expect(no.stderr()).toContain("Go on and retry 1 job? [y/N] ");
      expect(await state(id)).toBe("dead");
      const yes = await atTerminal("y\n", "retry", "--queue", "asked");
      expect(yes.code).toBe(0);
      expect(yes.stdout()).toBe("Retried 1 job.\n");
      expect(await state(id)).toBe("pending");
    });
  });

  describe("jobqueue cancel", () => {
    it("ends a waiting job at once, and asks the worker of a running one", async () => {
      const running = await enqueue("stop");
      const { jobs } = await work("stop");
      const waiting = await enqueue("stop");
      const { code, stdout } = await jobqueue("cancel", running, waiting, "--reason", "customer left");
      expect(code).toBe(0);
      expect(stdout).toContain(`Job ${running} runs: its worker is asked to stop it`);
      expect(stdout).toContain(`Job ${waiting} is cancelled.`);
      expect(await state(waiting)).toBe("cancelled");
      expect((await jobqueue("jobs", "--queue", "stop")).stdout).toMatch(/ cancelling +1\/5/);
      const told = (await jobqueue("job", running)).stdout;
      expect(told).toMatch(/State: +running for \d+s, 1st of 5 attempts; asked to stop\n/);
      await complete(database(), [{ id: running, leaseToken: jobs[0]?.leaseToken ?? "" }]);
      const late = await jobqueue("cancel", running);
      expect(late).toMatchObject({
        code: 8,
        stdout: `Job ${running} is completed: there is nothing left to cancel.\n`,
      });
    });

    it("by flags does so to all, labels included", async () => {
      const mine = await enqueue("labelled", "--label", "customer=acme", "--label", "size=1");
      const other = await enqueue("labelled", "--label", "customer=other");
      const done = await jobqueue("cancel", "--label", "customer=acme", "--yes", "-o", "json");
      expect(done.code).toBe(0);
      expect(JSON.parse(done.stdout)).toEqual({ matched: 1, changed: 1, ids: [mine], dryRun: false });
      expect([await state(mine), await state(other)]).toEqual(["cancelled", "pending"]);
    });
  });

  describe("jobqueue delete", () => {
    it("leaves nothing of a job that has not started, but the audit event", async () => {
      const id = await enqueue("gone");
      expect(await jobqueue("delete", id)).toMatchObject({ code: 0, stdout: `Job ${id} is deleted.\n` });
      expect(await state(id)).toBeUndefined();
      expect(await audit("delete")).toMatchObject([{ target: `jobs/${id}`, reason: "by hand" }]);
    });

    it("refuses a running job and says what to do instead, and one that is over", async () => {
      const id = await enqueue("busy");
      await work("busy");
      const { code, stdout } = await jobqueue("delete", id);
      expect(code).toBe(8);
      expect(stdout).toBe(
        `Job ${id} runs, and its worker would finish what is not there. Stop it instead: jobqueue cancel ${id}\n`,
      );
      const over = await dead("over");
      expect((await jobqueue("delete", over)).stdout).toContain("goes when its history does");
      const none = await jobqueue("delete", "--queue", "busy", "--yes");
      expect(none.stdout).toContain("Jobs that run, and those that are over, cannot be deleted.");
    });

    it("by flags chooses by age", async () => {
      const id = await enqueue("aged");
      expect((await jobqueue("delete", "--queue", "aged", "--older-than", "1h", "--yes")).stdout).toContain(
        "nothing to delete",
      );
      expect(await jobqueue("delete", "--queue", "aged", "--older-than", "0s", "--yes", "-o", "name")).toMatchObject({
        code: 0,
        stdout: `${id}\n`,
      });
    });
  });

  describe("jobqueue recover-stale", () => {
    /** Jobs that run on a worker that is gone. */
    const lose = async (queue: string, count: number): Promise<{ ids: string[]; workerId: string }> => {
      const ids: string[] = [];
      for (let number = 0; number < count; number += 1) ids.push(await enqueue(queue));
      const { workerId } = await work(queue, count);
      await database().query(
        `update ${database().schema}.workers set state = 'gone', gone_at = clock_timestamp(), gone_reason = 'pod is gone' where id = $1`,
        [workerId],
      );
      return { ids, workerId };
    };

    it("says that nothing is stale when nothing is", async () => {
      expect(await jobqueue("recover-stale", "--dry-run")).toMatchObject({ code: 0, stdout: "No stale jobs.\n" });
    });

    it("shows with --dry-run what would move and why, and changes nothing", async () => {
      const { ids, workerId } = await lose("lost", 2);
      expect((await jobqueue("jobs", "--stale")).stdout).toContain("running (stale)");
      const { code, stdout } = await jobqueue("recover-stale", "--queue", "lost", "--dry-run");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^2 stale jobs would move:\n *ID +QUEUE +WORKER +BECOMES +BECAUSE\n/);
      expect(stdout).toMatch(new RegExp(`lost +${workerId} +pending again +its worker is gone for \\d+s: pod is gone`));
      expect(await state(ids[0] ?? "")).toBe("running");
      expect(await jobqueue("recover-stale", "--queue", "lost")).toMatchObject({ code: 2, stdout: "" });
    });

    it("moves them, no more than --max, by the policy that is given, and says that more are stale", async () => {
      const done = await jobqueue("recover-stale", "--queue", "lost", "--max", "1", "--policy", "hold", "--yes");
      expect(done.code).toBe(10);
      expect(done.stdout).toContain("1 stale job moved:");
      expect(done.stdout).toContain("held, until somebody retries or cancels it");
      expect(done.stderr).toBe("More are stale: run it again, or raise --max.\n");
      const [held] = (await json("jobs", "--queue", "lost", "--state", "deferred")) as { id: string }[];
      expect((await jobqueue("job", held?.id ?? "")).stdout).toContain(`jobqueue retry ${held?.id} runs it again`);
      expect(await jobqueue("retry", held?.id ?? "")).toMatchObject({ code: 0 });
      const rest = await atTerminal("yes\n", "recover-stale", "--queue", "lost");
      expect(rest.code).toBe(0);
      expect(rest.stderr()).toContain("Go on and recover 1 stale job? [y/N] ");
      expect(rest.stdout()).toContain("1 stale job moved:");
      expect(await audit("recover_stale")).toMatchObject([{ actor: ACTOR }, { actor: ACTOR, count: 1 }]);
    });

    it("takes only the jobs of a worker, and refuses what is no id of one", async () => {
      const [one, other] = [await lose("lost-one", 1), await lose("lost-other", 1)];
      expect(await json("recover-stale", "--worker", one.workerId, "--yes")).toMatchObject([
        { id: one.ids[0], outcome: "retried", queue: "lost-one", workerId: one.workerId },
      ]);
      expect(await state(other.ids[0] ?? "")).toBe("running");
      expect(await jobqueue("recover-stale", "--worker", "pool-1", "--yes")).toMatchObject({ code: 2 });
    });
  });
});
