import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CommandError, run, tryRun } from "./command.ts";
import { waitFor } from "./wait-for.ts";

describe("a command", () => {
  it("gives what it printed, and reads what it is given", async () => {
    expect(await run("cat", [], { input: "words" })).toBe("words");
  });

  it("that fails says how, with the end of what it printed", async () => {
    const failure = run("sh", ["-c", "echo why >&2; exit 3"]);
    await expect(failure).rejects.toThrow(CommandError);
    await expect(failure).rejects.toMatchObject({ code: 3, stderr: "why\n" });
  });

  it("that is not there fails like any other", async () => {
    expect(await tryRun("no-such-command", [])).toBeUndefined();
  });

  it("that takes too long is ended, with what it started", async () => {
    await expect(run("sh", ["-c", "sleep 60 & wait"], { timeoutMs: 50 })).rejects.toThrow(/SIGKILL/);
  });

  it.runIf(process.platform === "linux")("ends, with what it started, when this process is killed", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-command-"));
    const file = join(directory, "pid");
    const script = `
      const { run } = await import(${JSON.stringify(join(import.meta.dirname, "command.ts"))});
      await run("sh", ["-c", "sleep 61 & echo $! > ${file}.new; mv ${file}.new ${file}; wait"]);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "ignore" });
    await waitFor("the grandchild to start", () => existsSync(file), { timeoutMs: 30_000 });
    const pid = Number(readFileSync(file, "utf8"));
    rmSync(directory, { recursive: true });
    parent.kill("SIGKILL");
    const isAlive = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await waitFor("the grandchild to end", () => !isAlive(), { timeoutMs: 5000 });
    expect(isAlive()).toBe(false);
  });
});
