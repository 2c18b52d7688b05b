import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isRunning, processName } from "./process-identity.ts";

describe("the name of a process", () => {
  it("is that of a running process until it ends, and of no later one with its number", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const name = processName(child.pid);
    expect(isRunning(name)).toBe(true);
    expect(isRunning(`${child.pid}-1`)).toBe(false);
    const exited = once(child, "exit");
    child.kill();
    await exited;
    expect(isRunning(name)).toBe(false);
  });

  it("is nobody's when it is no name", () => {
    expect(isRunning("")).toBe(false);
    expect(isRunning("4711")).toBe(false);
  });
});
