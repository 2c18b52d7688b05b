import { hostname, userInfo } from "node:os";
import { fail, getJob, hold, progress } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { AUDIT_ACTIONS } from "./table/looking.ts";
import { commandOnStore } from "./testing/command-on-store.ts";

const ACTOR = `${userInfo().username}@${hostname()}`;

forEachPostgres(({ adminUrl }) => {
  const { database, jobqueue, json, enqueue, work, atTerminal } = commandOnStore(adminUrl);

  describe("jobqueue jobs", () => {
    it("filters by tag, labels, worker and unique key, all of which must hold", async () => {
      const first = await enqueue("found", "--tag", "x", "--label", "customer=acme", "--label", "size=1");
      const second = await enqueue("found", "--tag", "x", "--label", "customer=other", "--unique-key", "found/2");
      const { workerId } = await work("found");
      const ids = async (...flags: string[]) =>
        (await jobqueue("jobs", ...flags, "-o", "name")).stdout.trim().split("\n");
      expect(await ids("--tag", "x")).toEqual([second, first]);
      expect(await ids("--label", "customer=acme", "--label", "size=1")).toEqual([first]);
      expect(await ids("--label", "customer=acme", "--label", "size=2")).toEqual([""]);
      expect(await ids("--worker", workerId)).toEqual([first]);
      expect(await ids("--unique-key", "found/2")).toEqual([second]);
      expect(await jobqueue("jobs", "--label", "acme")).toMatchObject({ code: 2, stdout: "" });
      expect(await jobqueue("jobs", "--worker", "pool-1")).toMatchObject({ code: 2, stdout: "" });
    });

    it("shows with --stale only running jobs whose worker is lost", async () => {
      const id = await enqueue("lost");
      const { workerId } = await work("lost");
      expect((await jobqueue("jobs", "--stale")).stdout).toBe("No such jobs.\n");
      await database().query(
        `update ${database().schema}.workers set state = 'gone', gone_at = clock_timestamp() where id = $1`,
        [workerId],
      );
      expect((await jobqueue("jobs", "--stale")).stdout).toMatch(new RegExp(`${id} +lost +k +running \\(stale\\)`));
    });
  });

  describe("jobqueue job", () => {
    it("shows progress, exit code, errors of earlier attempts and generation", async () => {
      const id = await enqueue("deep", "--max-attempts", "2", "--retry", "0s", "--concurrency-key", "acme");
      for (const error of ["no route", "no such mailbox"]) {
        const { jobs } = await work("deep");
        const leaseToken = jobs[0]?.leaseToken ?? "";
        await progress(database(), { id, leaseToken }, { done: 3 });
        await fail(database(), [{ id, leaseToken, error, exitCode: 3 }]);
      }
      const dead = (await jobqueue("job", id)).stdout;
      expect(dead).toMatch(/\nNext: +Nothing by itself\. Its attempts are spent: remove the cause/);
      expect(dead).toMatch(/\nProgress: +\{"done":3\}\n/);
      expect(dead).toMatch(/\nExit code: +3\n/);
      expect(dead).toMatch(/\nConcurrency: +key acme\n/);
      expect(dead).toMatch(/\nLast error: +no such mailbox\n/);
      expect(dead).toMatch(/attempt 1, \S+, exit code 3: no route\n/);
      await jobqueue("retry", id);
      const again = (await jobqueue("job", id)).stdout;
      expect(again).toMatch(/\nGeneration: +2 \(a person retried it/);
      expect(await json("job", id)).toMatchObject({
        generation: 2,
        canRetry: false,
        errors: [{ attempt: 1 }, { attempt: 2 }],
      });
      expect(await getJob(database(), id)).toMatchObject({ state: "pending" });
    });
  });

  describe("jobqueue workers", () => {
    it("shows where a worker is, what is thought of it, and when its lease ends", async () => {
      await enqueue("served");
      const { workerId } = await work("served");
      const { code, stdout } = await jobqueue("workers", "--queue", "served");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ *ID +WHERE +VERDICT +BEAT +LOOP +LEASE +SLOTS +RUNNING +QUEUES\n/);
      expect(stdout).toMatch(
        new RegExp(`${workerId} +pod shop/pool-1 +healthy +\\d+s +- +[12]?\\ds +-/4 +1 +served\\n`),
      );
      expect(await json("workers", "--queue", "served")).toMatchObject([
        { id: workerId, verdict: "healthy", running: 1 },
      ]);
      await database().query(
        `update ${database().schema}.workers set lease_until = clock_timestamp() - interval '90 s' where id = $1`,
        [workerId],
      );
      expect((await jobqueue("workers", "--queue", "served")).stdout).toMatch(/lapsed .*over 9\ds/);
      await database().query(
        `update ${database().schema}.workers set state = 'gone', gone_at = clock_timestamp() where id = $1`,
        [workerId],
      );
      const gone = await jobqueue("workers", "--queue", "served");
      expect(gone.stdout).toBe("There are no workers of queue served; --all also shows those that are gone.\n");
      expect((await jobqueue("workers", "--queue", "served", "--all")).stdout).toMatch(/gone/);
    });
  });

  describe("jobqueue holds", () => {
    it("lists who holds what and why, of the store or of a queue", async () => {
      expect((await jobqueue("holds")).stdout).toBe("Nothing is paused.\n");
      await enqueue("held");
      await json("pause", "held", "--reason", "SMTP relay is down", "--for", "2h", "--name", "smtp");
      await json("pause", "*", "--reason", "moving", "--name", "move");
      const { code, stdout } = await jobqueue("holds");
      expect(code).toBe(0);
      const [head, all, one] = stdout.split("\n");
      expect(head).toMatch(/^QUEUE +NAME +SOURCE +BY +SINCE +ENDS IN +REASON$/);
      expect(all).toMatch(/^\* +move +cli .* - +moving$/);
      expect(one).toMatch(/^held +smtp +cli .* 119m +SMTP relay is down$/);
      expect(one).toContain(ACTOR);
      expect((await jobqueue("holds", "other", "-o", "name")).stdout).toBe("*/move\n");
      await json("resume", "*");
      expect((await jobqueue("holds", "other")).stdout).toBe("Nothing holds queue other.\n");
    });
  });

  describe("jobqueue audit", () => {
    it("lists what was changed, the newest first, by action, actor, target and age", async () => {
      const id = await enqueue("audited");
      await json("cancel", id, "--reason", "not wanted");
      await json("pause", "audited", "--reason", "looking", "--name", "n");
      await json("resume", "audited");
      const { code, stdout } = await jobqueue("audit", "--target", "audited");
      expect(code).toBe(0);
      const [head, newest, before, end] = stdout.split("\n");
      expect(head).toMatch(/^ *AGE +ACTION +TARGET +COUNT +ACTOR +REASON$/);
      expect(newest).toMatch(/^ *\d+s +release +audited +1 +\S+ +resumed by hand$/);
      expect(before).toMatch(/^ *\d+s +hold +audited +1 +\S+ +looking$/);
      expect(end).toBe("");
      expect(await json("audit", "--target", id)).toMatchObject([
        { action: "cancel", reason: "not wanted", actor: ACTOR },
      ]);
      expect(await json("audit", "--actor", hostname(), "--action", "cancel", "--since", "1h")).toHaveLength(1);
      expect((await jobqueue("audit", "--actor", "nobody-else")).stdout).toBe("No such events.\n");
      expect((await jobqueue("audit", "--limit", "1")).stdout).toContain("The newest 1; --limit shows more.\n");
    });

    it("knows every action of the store", async () => {
      const [check] = await database().query<{ text: string }>(
        `select pg_get_constraintdef(c.oid) as text from pg_constraint c
         where c.conrelid = '${database().schema}.audit_events'::regclass and pg_get_constraintdef(c.oid) like '%action%'`,
      );
      const actions = [...(check?.text ?? "").matchAll(/'([a-z_]+)'/g)].map(([, action]) => action ?? "");
      expect(new Set(actions)).toEqual(new Set(AUDIT_ACTIONS));
    });
  });

  describe("tables at a terminal of 80 cells", () => {
    it("fit, whatever the names, by cutting names and reasons", async () => {
      const queue = "a-queue-with-a-name-that-is-rather-long";
      const failing = await enqueue(queue, "--max-attempts", "1");
      const { jobs } = await work(queue);
      const leaseToken = jobs[0]?.leaseToken ?? "";
      await fail(database(), [
        { id: failing, leaseToken, error: "a rather long error about a mailbox that is not there" },
      ]);
      await enqueue(queue);
      const { workerId } = await work(queue);
      await json("pause", queue, "--reason", "a rather long reason why this queue must not run at all today");
      await json(
        "schedule",
        "put",
        queue,
        queue,
        queue,
        "--cron",
        "30 2 * * *",
        "--time-zone",
        "America/Argentina/Ushuaia",
      );
      await database().query(
        `update ${database().schema}.workers set state = 'gone', gone_at = clock_timestamp(), gone_reason = 'pod deleted' where id = $1`,
        [workerId],
      );
      const verbs = [
        ["jobs"],
        ["workers", "--all"],
        ["holds"],
        ["audit"],
        ["schedules"],
        ["recover-stale", "--dry-run"],
      ];
      for (const args of verbs) {
        const { code, stdout } = await atTerminal("", ...args);
        const tooLong = stdout()
          .split("\n")
          .filter((line) => line.length > 80);
        expect({ args, code, tooLong }).toEqual({ args, code: 0, tooLong: [] });
      }
    });
  });

  describe("jobqueue why", () => {
    const why = async (what: string): Promise<string> => {
      const { code, stdout, stderr } = await jobqueue("why", what);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    };

    it("says what keeps a queue from running, the most important first, each with what to do", async () => {
      await enqueue("stands");
      expect(await why("stands")).toMatch(
        /^No worker that serves it has ever registered\..*\n {2}jobqueue workers --queue stands --all/,
      );
      await json("pause", "stands", "--reason", "looking", "--name", "n");
      const text = await why("stands");
      expect(text).toMatch(/^1\. It is held by .*: looking\. .*\n {5}jobqueue resume stands --name n\n2\. No worker/);
      expect(await json("why", "stands")).toMatchObject({
        queue: "stands",
        reasons: [
          { code: "held", remedy: "jobqueue resume stands --name n" },
          { code: "no_worker", remedy: expect.stringContaining("jobqueue worker --queues stands") as string },
        ],
      });
      expect((await jobqueue("why", "stands", "-o", "name")).stdout).toBe("held\nno_worker\n");
      await json("configure", "stands", "--max-running", "0");
      expect(await why("stands")).toContain("jobqueue configure stands --unset max-running");
    });

    it("names the JobQueue that holds a queue, and how to change it", async () => {
      await enqueue("declared");
      const actor = "jobqueue-operator:shop/declared@1f9a2b3c";
      await hold(database(), { queue: "declared", name: "spec", reason: "freeze", actor, source: "spec" });
      expect(await why("declared")).toContain("kubectl -n shop patch jobqueue declared");
    });

    it("says why a job does not run: what it waits for, whose turn it is, or that it is over", async () => {
      const first = await enqueue("chain");
      const second = await enqueue("chain", "--depends-on", first);
      expect(await why(second)).toMatch(
        new RegExp(`^It waits for job ${first}, which is pending\\.\n {2}jobqueue why ${first}\n$`),
      );
      expect(await why(first)).toContain("It is the next of its queue.");
      const later = await enqueue("chain", "--delay", "1h");
      expect(await why(later)).toMatch(/^1\. Its time comes at .*\n2\. And then: No worker/);
      await work("chain");
      expect(await why(first)).toMatch(new RegExp(`\n {2}jobqueue job ${first}\n$`));
      const cancelled = await enqueue("chain");
      await json("cancel", cancelled);
      expect(await why(cancelled)).toMatch(/^It was cancelled at /);
    });

    it("takes a number that is no job for the name of a queue", async () => {
      await enqueue("987654321");
      expect(await json("why", "987654321")).toMatchObject({ queue: "987654321", reasons: [{ code: "no_worker" }] });
    });

    it("ends with 3 for what is not there, and suggests the nearest queue", async () => {
      const queue = await jobqueue("why", "stand");
      expect(queue).toMatchObject({ code: 3, stdout: "" });
      expect(queue.stderr).toContain("Did you mean stands?");
      const job = await jobqueue("why", "999999999");
      expect(job).toMatchObject({ code: 3, stdout: "" });
      expect(job.stderr).toContain("the store has no job 999999999");
    });
  });
});
