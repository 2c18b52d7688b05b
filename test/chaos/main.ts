/**
 * `make chaos MINUTES=n SEED=s`: rounds of load under random pairs of faults, each judged by the history checker. What is
 * random comes from the seed; what the machine makes of it does not. `ROUND=k` repeats one round of a seed; `FAULTS=W2,P4`
 * applies only these.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { POSTGRES_MAJORS, PostgresServer } from "../support/postgres/server.ts";
import { Random } from "./random.ts";
import { runRound } from "./round.ts";
import { addRound, emptyTally, summaryOf } from "./summary.ts";

const LOAD_SECONDS = 60;

function numberFrom(name: string, otherwise: number): number {
  const value = process.env[name];
  if (value === undefined || value === "") return otherwise;
  if (!/^\d+(\.\d+)?$/.test(value)) {
    console.error(`${name} is ${value}: write a number`);
    process.exit(2);
  }
  return Number(value);
}

const seed = numberFrom("SEED", Math.floor(Math.random() * 1_000_000));
const minutes = numberFrom("MINUTES", 5);
const only = numberFrom("ROUND", 0);
const wanted = process.env["FAULTS"]?.split(",") ?? [];
const evidence = mkdtempSync(join(tmpdir(), `jobqueue-chaos-${seed}-`));
const tally = emptyTally();
const until = performance.now() + minutes * 60_000;
console.log(`chaos: seed ${seed}, ${only > 0 ? `round ${only}` : `${minutes} minutes`}`);

for (let round = only > 0 ? only : 1; only > 0 ? round === only : performance.now() < until || round === 1; round++) {
  const major = POSTGRES_MAJORS[round % POSTGRES_MAJORS.length] ?? POSTGRES_MAJORS[0];
  const server = await PostgresServer.create(major, { max_connections: "80" });
  const directory = join(evidence, `round-${round}`);
  try {
    console.log(`round ${round} on PostgreSQL ${major}`);
    const outcome = await runRound({
      server,
      directory,
      seed: new Random(seed * 1_000 + round).whole(0, 4_294_967_295),
      loadSeconds: LOAD_SECONDS,
      repeat: `make chaos SEED=${seed} ROUND=${round}${wanted.length > 0 ? ` FAULTS=${wanted.join(",")}` : ""}`,
      only: ({ id }) => wanted.length === 0 || wanted.includes(id),
      say: (line) => console.log(line),
    });
    addRound(tally, outcome);
    for (const exit of outcome.workerExits) console.log(`  ${exit}`);
    if (outcome.findings.length > 0) {
      console.log(outcome.report);
      console.log(`evidence: ${directory}`);
    } else rmSync(directory, { recursive: true });
  } finally {
    await server.destroy();
  }
}
console.log(`\nseed ${seed}\n${summaryOf(tally)}`);
if (tally.violations === 0) rmSync(evidence, { recursive: true });
else process.exitCode = 1;
