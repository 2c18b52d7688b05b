import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PostgresServer } from "../support/postgres/server.ts";
import { MUTATIONS } from "./mutations.ts";
import { runRound } from "./round.ts";

/** Of the short form: the same choices every time. */
const SEED = 20_260;
const LOAD_SECONDS = 25;

describe("chaos, in its short form", () => {
  it("G1 to G13: under random pairs of faults W, T, P, B no job is lost, ended twice, or changed by who lost it", async () => {
    const server = await PostgresServer.create(18, { max_connections: "80" });
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-chaos-"));
    try {
      const { report, findings, history, faults } = await runRound({
        server,
        directory,
        seed: SEED,
        loadSeconds: LOAD_SECONDS,
        repeat: "vitest run --project worker test/chaos/chaos.worker.test.ts",
      });
      expect(report, `the logs are in ${directory}`).toBe("history: every assertion holds\n");
      expect(faults.length).toBeGreaterThan(4);
      expect(history.finals.filter(({ state }) => state === "completed").length).toBeGreaterThan(100);
      if (findings.length === 0) rmSync(directory, { recursive: true });
    } finally {
      await server.destroy();
    }
  }, 240_000);

  it("finds out, with real workers, a store that forgets to look at holds (H9)", async () => {
    const server = await PostgresServer.create(18, { max_connections: "80" });
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-chaos-"));
    try {
      const { findings } = await runRound({
        server,
        directory,
        seed: SEED,
        loadSeconds: 18,
        repeat: "",
        prepare: MUTATIONS.noHoldCheck.apply,
        only: (candidate) => candidate.id === "W3",
      });
      expect(new Set(findings.map(({ assertion }) => assertion.id))).toContain("H9");
    } finally {
      rmSync(directory, { recursive: true });
      await server.destroy();
    }
  }, 240_000);
});
