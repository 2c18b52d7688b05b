import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { BINARY, runJobqueue } from "./testing/run-jobqueue.ts";

/** Each test starts processes, which takes seconds where many others do the same. */
const PATIENT = { timeout: 60_000 };

describe("the command", PATIENT, () => {
  it("says its version, with --version too", async () => {
    const { code, stdout, stderr } = await runJobqueue(["version"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      new RegExp(`^jobqueue ${manifest.version}, schema version \\d+, Node\\.js \\d+\\.\\d+\\.\\d+\\n$`),
    );
    expect((await runJobqueue(["--version"])).stdout).toBe(stdout);
    expect(JSON.parse((await runJobqueue(["version", "-o", "json"])).stdout)).toMatchObject({
      version: manifest.version,
    });
  });

  it("without arguments shows its verbs", async () => {
    const { code, stdout, stderr } = await runJobqueue([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Usage:\n  jobqueue VERB");
    expect((await runJobqueue(["help"])).stdout).toBe(stdout);
  });

  it("shows the help of a verb in either way, and suggests the nearest verb", async () => {
    const { stdout } = await runJobqueue(["pause", "--help"]);
    expect(stdout).toContain("jobqueue pause QUEUE --reason TEXT");
    expect((await runJobqueue(["help", "pause"])).stdout).toBe(stdout);
    expect(await runJobqueue(["help", "puase"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("jobqueue help pause"),
    });
  });

  it("ends with 2 and one sentence when it is used wrongly", async () => {
    expect(await runJobqueue(["staus"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "jobqueue: there is no verb 'staus'\nDid you mean `jobqueue status`?\n",
    });
  });

  it("ends with 6 and says the ways to name a store when neither store nor cluster is known", async () => {
    const { code, stdout, stderr } = await runJobqueue(["status"]);
    expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
    expect(stderr).toContain("--store-url or DATABASE_URL");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("shows where a failure comes from only with DEBUG", async () => {
    const { stderr } = await runJobqueue(["status"], { env: { DEBUG: "1" } });
    expect(stderr).toMatch(/\n\s+at /);
  });

  it("ends quietly when its reader does, as in `jobqueue help | head -1`", async () => {
    const child = spawn(BINARY, ["help", "enqueue"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] },
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise((resolve) => child.once("close", resolve));
    expect(stderr).toBe("");
  });
});

describe("the launcher", PATIENT, () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue launcher "));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("runs the sources on the Node that npm pinned, whatever `node` is on the path", () => {
    // A `node` that must not be asked: what a machine with an old one has.
    const old = join(directory, "old");
    mkdirSync(old);
    writeFileSync(join(old, "node"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { status, stdout } = spawnSync(BINARY, ["version"], {
      encoding: "utf8",
      env: { PATH: `${old}:/usr/bin:/bin` },
    });
    expect(status).toBe(0);
    expect(Number(/Node\.js (\d+)\./.exec(stdout)?.[1])).toBeGreaterThanOrEqual(24);
  });

  it("finds its sources through symbolic links, relative ones and those of npm included, from any folder", () => {
    mkdirSync(join(directory, "bin"));
    symlinkSync(BINARY, join(directory, "absolute"));
    symlinkSync("../absolute", join(directory, "bin/jobqueue"));
    const { status, stdout } = spawnSync(join(directory, "bin/jobqueue"), ["version"], {
      encoding: "utf8",
      cwd: directory,
    });
    expect(status).toBe(0);
    expect(stdout).toContain(`jobqueue ${manifest.version}`);
  });
});
