import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it(
  "the bench of the operator at scale runs with 20 queues, so that it cannot rot, and finds it quiet at rest (G17)",
  { timeout: 600_000 }, // the first time kwok is built
  async () => {
    const env = { ...process.env, SMOKE: "1", BENCH: "B10" };
    // Rejects with all that was printed when it fails.
    const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "main.ts")], { env });
    for (const words of ["all Ready after", "0 writes to the API server, 0 tables written", "one by one", "at once"]) {
      expect(stdout).toContain(words);
    }
  },
);
