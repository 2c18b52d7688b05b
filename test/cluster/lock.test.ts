import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Another process that takes the lock, says so, and keeps it until its standard input ends. */
const HOLDER = `
  const { withLock } = await import(${JSON.stringify(join(import.meta.dirname, "lock.ts"))});
  await withLock("test", "holding it", async () => {
    console.log("mine");
    for await (const _ of process.stdin);
  });`;

describe("the lock between runs", () => {
  let cache = "";

  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), "jobqueue-lock-"));
  });

  afterAll(() => {
    rmSync(cache, { recursive: true });
  });

  const startHolder = () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return { child, mine: once(child.stdout, "data"), waits: once(child.stderr, "data") };
  };

  it("is held by one process at a time, and tells the others by whom", async () => {
    const first = startHolder();
    await first.mine;
    const second = startHolder();
    const [line] = (await second.waits) as [Buffer];
    expect(line.toString()).toContain(`waiting for another run (process ${first.child.pid}: holding it)`);
    first.child.stdin.end();
    await second.mine;
    second.child.stdin.end();
    await once(second.child, "exit");
  });

  it("is free at once when its holder is killed", async () => {
    const first = startHolder();
    await first.mine;
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = startHolder();
    expect(await Promise.race([second.mine.then(() => "mine"), second.waits.then(() => "waits")])).toBe("mine");
    second.child.stdin.end();
    await once(second.child, "exit");
  });
});
