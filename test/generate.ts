/**
 * `make generate` runs every generator; with `--check` (the static level, `make verify`) each one compares instead and
 * fails on the first difference. What is generated is committed: reviewers and users read it without running anything.
 */
import { spawnSync } from "node:child_process";

/** The generators, in the order in which one may read what another wrote. */
const GENERATORS = [
  "crds/scripts/generate.ts",
  "store/scripts/dump-schema.ts",
  "store/scripts/generate-job-states.ts",
  "store/scripts/generate-sql-reference.ts",
  "cli/scripts/generate-reference.ts",
  "operator/scripts/generate-reference.ts",
  "admin/scripts/generate-reference.ts",
  "cli/scripts/generate-metrics.ts",
  "charts/scripts/sync-crds.ts",
  "charts/scripts/sync-telemetry.ts",
  "test/chaos/generate-matrix.ts",
] as const;

let failed = 0;
for (const generator of GENERATORS) {
  const { status } = spawnSync(process.execPath, [generator, ...process.argv.slice(2)], { stdio: "inherit" });
  if (status !== 0) {
    console.error(`${generator} failed`);
    failed += 1;
  }
}
process.exitCode = failed > 0 ? 1 : 0;
