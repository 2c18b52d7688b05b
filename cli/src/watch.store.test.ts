import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { forNewestPostgres } from "../../test/support/postgres/database.ts";
import { commandOnStore } from "./testing/command-on-store.ts";
import { BINARY, startJobqueue } from "./testing/run-jobqueue.ts";

forNewestPostgres(({ adminUrl }) => {
  const { url, jobqueue, enqueue } = commandOnStore(adminUrl);

  describe("--watch", () => {
    it("prints again what has changed where it is not a terminal, and ends with 130 on Ctrl-C", async () => {
      await enqueue("first");
      const running = startJobqueue(["status", "--watch", "-o", "name"], { DATABASE_URL: url() });
      try {
        await eventually("the first look", async () => (running.output() === "first\n" ? true : undefined));
        await enqueue("second");
        await eventually("the change", async () => (running.output() === "first\nfirst\nsecond\n" ? true : undefined));
      } finally {
        expect(await running.stop("SIGINT")).toBe(130);
      }
    });

    it("is drawn over itself on a terminal, with the headings once per look", async () => {
      // util-linux's script gives the command a terminal of its own.
      const child = spawn("script", ["-qefc", `${BINARY} jobs --queue drawn --watch`, "/dev/null"], {
        env: { ...process.env, DATABASE_URL: url(), TERM: "xterm", COLUMNS: "100" },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const exited = once(child, "exit");
      let seen = "";
      child.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
      try {
        await eventually("the first look", async () => (seen.includes("No such jobs.") ? true : undefined));
        const id = await enqueue("drawn");
        await eventually("the job", async () => (new RegExp(`${id} +drawn`).test(seen) ? true : undefined));
        expect(seen.split("\u001b[2J")).toHaveLength(2); // cleared once
        expect(seen.split("\u001b[H").length).toBeGreaterThanOrEqual(3); // and drawn over since
      } finally {
        child.stdin.write("\u0003");
        await exited;
      }
    });

    it("fails at once where the command would, and is refused by verbs that change something", async () => {
      expect(await jobqueue("status", "nothing", "--watch")).toMatchObject({ code: 3, stdout: "" });
      const refused = await jobqueue("pause", "first", "--reason", "x", "--watch");
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toContain("pause has no flag --watch");
    });
  });
});
