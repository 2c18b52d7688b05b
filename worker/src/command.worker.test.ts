import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { listWorkers } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { WorkerProcess } from "./testing/worker-process.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];

describe("jobqueue worker", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("refuses a configuration it cannot use with all its problems and exit code 64", async () => {
    const worker = new WorkerProcess({
      databaseUrl: "postgres://user:hunter2@h",
      queues: "Bad",
      env: { JOBQUEUE_SLOTS: "many" },
    });
    expect(await worker.exited).toEqual({ code: 64, signal: null });
    expect(worker.stderr).toMatch(/^jobqueue worker cannot start:\n/);
    for (const name of ["DATABASE_URL", "JOBQUEUE_QUEUES", "JOBQUEUE_SLOTS"])
      expect(worker.stderr).toContain(`  ${name}`);
    expect(worker.stderr).not.toContain("hunter2");
  });

  it("refuses handlers it cannot use with exit code 64", async () => {
    const worker = new WorkerProcess({ databaseUrl: stage.databaseUrl, handlers: stage.path("none.yaml") });
    expect((await worker.exited).code).toBe(64);
    expect(worker.stderr).toContain("none.yaml: cannot be read");
  });

  it("says that its port is taken", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, resolve));
    try {
      const { port } = squatter.address() as { port: number };
      const worker = new WorkerProcess({ databaseUrl: stage.databaseUrl, env: { JOBQUEUE_HTTP_PORT: String(port) } });
      expect((await worker.exited).code).toBe(64);
      expect(worker.stderr).toContain("JOBQUEUE_HTTP_PORT is taken");
    } finally {
      squatter.close();
    }
  });

  it("starts without its store, says what is wrong, is live but not ready, and drains", async () => {
    const worker = await WorkerProcess.start({ databaseUrl: "postgres://nobody@127.0.0.1:1/none?sslmode=disable" });
    expect(await worker.logged("the store cannot be used; trying on")).toMatchObject({
      operation: "register",
      code: "connection_lost",
    });
    expect((await worker.probe("/livez")).status).toBe(200);
    expect((await worker.probe("/readyz")).status).toBe(503);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  });

  it("waits for a store that is not migrated yet and says what to do", async () => {
    await stage.database.query("drop schema jobqueue cascade");
    const worker = await stage.worker();
    expect(await worker.logged("the store cannot be used; trying on")).toMatchObject({
      code: "not_installed",
      error: expect.stringContaining("jobqueue migrate") as string,
    });
    expect(worker.isRunning).toBe(true);
  });

  it("writes neither payloads nor secrets into its log", async () => {
    const url = new URL(stage.databaseUrl);
    url.password = "hunter2";
    const worker = new WorkerProcess({ databaseUrl: url.href, env: { LOG_LEVEL: "trace" } });
    try {
      const [done, failed] = await stage.enqueue(
        { kind: "quick", payload: { card: "4111-1111" } },
        { kind: "throw", payload: { card: "4111-1111" } },
      );
      await stage.jobIn("completed", done);
      await stage.jobIn("failed", failed);
      await worker.logged("an attempt failed");
      expect(worker.transcript()).not.toContain("4111");
      expect(worker.transcript()).not.toContain("hunter2");
    } finally {
      await worker.kill();
    }
  });

  it("works as two bundles, the watchdog's beside the other", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-bundle-test-"));
    try {
      const source = (path: string): string => new URL(path, import.meta.url).pathname;
      await build({
        entryPoints: { jobqueue: source("testing/main.ts"), "watchdog-thread": source("watchdog/thread.ts") },
        outdir: directory,
        outExtension: { ".js": ".mjs" },
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node24",
        logLevel: "silent",
        external: ["pg-native"],
        // Packages that are CommonJS ask for `require`, which a module does not have.
        banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` },
      });
      // The store looks for its migrations beside the bundle.
      cpSync(source("../../store/migrations"), join(directory, "migrations"), { recursive: true });
      const worker = await stage.worker({
        main: join(directory, "jobqueue.mjs"),
        env: { JOBQUEUE_LEASE_SECONDS: "3" },
      });
      const [id] = await stage.enqueue({ kind: "quick" });
      await stage.jobIn("completed", id);
      await eventually("the watchdog to renew the lease", async () => {
        const [row] = await listWorkers(stage.database);
        return row !== undefined && row.heartbeatAt > row.startedAt ? true : undefined;
      });
      worker.signal("SIGTERM");
      expect((await worker.exited).code).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
