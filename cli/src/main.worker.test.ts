import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { createTestDatabase, type TestDatabase } from "../../test/support/postgres/database.ts";
import { runJobqueue, startJobqueue } from "./testing/run-jobqueue.ts";

describe("the command, from enqueue to the result", () => {
  const [adminUrl = ""] = Object.values(inject("postgres")).slice(-1);
  let directory: string;
  let database: TestDatabase;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-cli-"));
    writeFileSync(
      join(directory, "handlers.mjs"),
      "export default { double: async (payload) => ({ twice: payload.n * 2 }) };\n",
    );
    database = await createTestDatabase(adminUrl);
  });

  afterAll(async () => {
    await database.drop();
    rmSync(directory, { recursive: true });
  });

  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await runJobqueue([...args, "-o", "json"], {
      env: { DATABASE_URL: database.url },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const state = async (id: unknown): Promise<unknown> => (await json("job", String(id)))["state"];

  it("runs what was enqueued, leaves a paused queue alone until it is resumed (G11), and drains", async () => {
    const { id } = await json("enqueue", "numbers", "double", "--payload", '{"n": 21}');
    const flags = ["--queues", "numbers", "--handlers", join(directory, "handlers.mjs"), "--http-port", "0"];
    const worker = startJobqueue(["worker", ...flags, "--store-url", database.url], {});
    try {
      await eventually("the job to be completed", async () => ((await state(id)) === "completed" ? true : undefined));
      expect(await json("job", String(id))).toMatchObject({ result: { twice: 42 }, attempt: 1 });

      await json("pause", "numbers", "--reason", "looking at something");
      const held = await json("enqueue", "numbers", "double", "--payload", '{"n": 1}');
      expect(await json("job", String(held["id"]))).toMatchObject({
        state: "pending",
        next: expect.stringContaining("It starts when queue numbers is resumed. Paused by") as string,
      });
      expect(await json("resume", "numbers")).toMatchObject({ paused: false });
      await eventually("the held job to be completed", async () =>
        (await state(held["id"])) === "completed" ? true : undefined,
      );
      expect(await worker.stop()).toBe(0);
      expect(worker.output()).toContain("drained");
    } finally {
      await worker.stop();
    }
  });

  it("worker and operator end with codes of their own when their settings are wrong, all problems at once", async () => {
    const worker = await runJobqueue(["worker", "--slots", "many"]);
    expect(worker).toMatchObject({ code: 64, stdout: "" });
    expect(worker.stderr).toContain("DATABASE_URL (or --store-url) is missing");
    expect(worker.stderr).toContain("--slots");
    const operator = await runJobqueue(["operator", "--log-level", "loud"]);
    expect(operator).toMatchObject({ code: 2, stdout: "" });
    expect(operator.stderr).toContain("JOBQUEUE_OPERATOR_NAMESPACE (or --namespace) is missing");
  });

  it("worker and operator show their settings with --help", async () => {
    const worker = await runJobqueue(["worker", "--help"]);
    expect(worker.code).toBe(0);
    expect(worker.stdout).toContain("--queues, JOBQUEUE_QUEUES");
    const operator = await runJobqueue(["help", "operator"]);
    expect(operator.code).toBe(0);
    expect(operator.stdout).toContain("--watch-namespaces, WATCH_NAMESPACES");
  });
});
