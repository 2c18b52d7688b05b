import { hostname, userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { commandOnStore } from "./testing/command-on-store.ts";

const ACTOR = `${userInfo().username}@${hostname()}`;

forEachPostgres(({ adminUrl }) => {
  const { jobqueue, json, enqueue, work } = commandOnStore(adminUrl);

  describe("jobqueue configure", () => {
    it("shows the policy of a queue, defaults marked as such", async () => {
      await enqueue("plain");
      const { code, stdout } = await jobqueue("configure", "plain");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Queue plain:\n {2}max-running +no limit \(default\)\n/);
      expect(stdout).toMatch(/\n {2}retry +exponential:1s\.\.1h~20% \(default\)\n/);
      expect(stdout).toMatch(/\n {2}on-worker-loss +retry \(default\)\n {2}max-recoveries +3 \(default\)\n$/);
    });

    it("changes what is named, leaves the rest, says whether anything changed, and is audited with before and after (G19)", async () => {
      const flags = ["--max-running", "2", "--rate", "10/1m", "--retry", "10s,1m", "--timeout", "90s", "--fair", "on"];
      const more = [
        "--max-attempts",
        "9",
        "--result-ttl",
        "1h",
        "--on-worker-loss",
        "hold",
        "--max-running-per-key",
        "1",
      ];
      const first = await jobqueue("configure", "mailers", ...flags, ...more, "--reason", "relay is slow");
      expect(first).toMatchObject({ code: 0, stderr: "" });
      expect(first.stdout).toContain("Queue mailers, changed:\n");
      expect(first.stdout).toMatch(
        /max-running +2\n +max-running-per-key +1\n +fair +on\n +rate +10\/1m\n +max-attempts +9\n +retry +10s,1m\n +timeout +1m30s\n +result-ttl +1h\n +on-worker-loss +hold\n/,
      );
      expect(await json("configure", "mailers", "--max-running", "2")).toMatchObject({
        queue: "mailers",
        changed: false,
      });
      expect(
        await json("configure", "mailers", "--unset", "rate", "--unset", "fair", "--max-running", "3"),
      ).toMatchObject({
        changed: true,
        policy: { rate: null, maxRunning: 3, maxAttempts: 9 },
      });
      const events = await json("audit", "--action", "configure_queue", "--target", "mailers");
      expect(events).toMatchObject([
        { before: { max_running: 2 }, after: { max_running: 3 }, reason: "by hand" },
        { actor: ACTOR, reason: "relay is slow", after: { max_running: 2, rate_count: 10 } },
      ]);
    });

    it("makes limits count at once (G13)", async () => {
      await json("configure", "narrow", "--max-running", "1");
      await enqueue("narrow", "--count", "3");
      expect((await work("narrow", 3)).jobs).toHaveLength(1);
      expect((await work("narrow", 3)).jobs).toHaveLength(0);
      await json("configure", "narrow", "--max-running", "2");
      expect((await work("narrow", 3)).jobs).toHaveLength(1);
    });

    it("refuses what makes no sense, and a queue that is not there with the one that was meant", async () => {
      expect(await jobqueue("configure", "mailers", "--rate", "often")).toMatchObject({ code: 2, stdout: "" });
      expect(await jobqueue("configure", "mailers", "--unset", "everything")).toMatchObject({ code: 2, stdout: "" });
      const { code, stderr } = await jobqueue("configure", "mailer");
      expect(code).toBe(3);
      expect(stderr).toBe("jobqueue: the store has no queue 'mailer'\nDid you mean mailers?\n");
    });
  });

  describe("jobqueue configure-store", () => {
    it("shows and changes how long things are kept", async () => {
      const before = await jobqueue("configure-store");
      expect(before.code).toBe(0);
      expect(before.stdout).toMatch(
        /keep-completed +7d \(default\)\n +keep-cancelled +7d \(default\)\n +keep-dead +30d \(default\)\n +keep-audit +365d \(default\)\n$/,
      );
      expect(before.stdout).not.toContain("password");
      const after = await jobqueue("configure-store", "--keep-dead", "90d", "--keep-completed", "12h");
      expect(after.stdout).toMatch(
        /, changed:\n +keep-completed +12h\n +keep-cancelled +7d \(default\)\n +keep-dead +90d\n/,
      );
      expect(await json("configure-store", "--unset", "keep-dead")).toMatchObject({
        changed: true,
        settings: { deadSeconds: 2_592_000, completedSeconds: 43_200 },
      });
      expect(await json("configure-store", "--unset", "keep-dead")).toMatchObject({ changed: false });
    });

    it("passes on what the store refuses", async () => {
      const { code, stderr } = await jobqueue("configure-store", "--keep-dead", "1s");
      expect(code).toBe(2);
      expect(stderr).toContain("dead_seconds");
    });
  });
});
