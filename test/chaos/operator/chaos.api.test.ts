import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PostgresServer } from "../../support/postgres/server.ts";
import { runOperatorRound } from "./operator-round.ts";

/** Of the short form: the same choices every time. */
const SEED = 7;
const LOAD_SECONDS = 15;

describe("chaos with operators, in its short form", () => {
  it("G1 to G19: under random faults O, K, P, W nothing is lost, nobody is restarted without cause, and all comes to rest", async () => {
    const server = await PostgresServer.create(18, { max_connections: "80" });
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-chaos-"));
    try {
      const { report, findings, history, faults, operator } = await runOperatorRound({
        server,
        directory,
        seed: SEED,
        loadSeconds: LOAD_SECONDS,
        quietMs: 3_000,
        repeat: "vitest run --project api test/chaos/operator/chaos.api.test.ts",
      });
      expect(report, `the logs are in ${directory}`).toBe("history: every assertion holds\n");
      expect(faults.length).toBeGreaterThan(1);
      expect(operator?.restarts).toBeGreaterThan(0);
      expect(history.finals.filter(({ state }) => state === "completed").length).toBeGreaterThan(20);
      expect(history.operator.summaries.length).toBeGreaterThan(30);
      if (findings.length === 0) rmSync(directory, { recursive: true });
    } finally {
      await server.destroy();
    }
  }, 600_000);
});
