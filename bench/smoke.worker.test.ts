import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

/** All but B10, which needs an API server: `smoke.api.test.ts`. */
const BENCHES = ["B1", "B2", "B3", "B7", "B8", "B9", "B11"];

it(
  "every bench of queues runs with every contender, however little it measures, so that none can rot",
  { timeout: 600_000 },
  () => {
    const run = spawnSync(process.execPath, [join(import.meta.dirname, "main.ts")], {
      encoding: "utf8",
      env: { ...process.env, SMOKE: "1", BENCH: BENCHES.join(",") },
    });
    expect(run.stderr).not.toContain("Error");
    expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 0 });
    const left = /river is left out/.test(run.stderr) ? [] : ["river"];
    for (const word of [...BENCHES, "raw SQL", "jobqueue", "graphile-worker", "pg-boss", "bullmq", ...left]) {
      expect(run.stdout).toContain(word);
    }
  },
);
