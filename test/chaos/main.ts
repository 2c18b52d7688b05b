/**
 * `make chaos MINUTES=n SEED=s`: rounds of load under random pairs of faults, each judged by the history checker. What is
 * random comes from the seed; what the machine makes of it does not. `ROUND=k` repeats one round of a seed; `FAULTS=W2,P4`
 * applies only these. With `FAULTS=operator` the rounds have an API server, operators and pods; `FAULTS=operator,O2,K1`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { POSTGRES_MAJORS, PostgresServer } from "../support/postgres/server.ts";
import { runOperatorRound } from "./operator/operator-round.ts";
import { Random } from "./random.ts";
import { type RoundOptions, runRound } from "./round.ts";
import { addRound, emptyTally, summaryOf } from "./summary.ts";

const LOAD_SECONDS = 60;

/** Of a round with operators: a worker is hung for a quarter of a minute before anybody does anything about it. */
const OPERATOR_LOAD_SECONDS = 90;
const QUIET_MS = 10_000;

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
const asked = process.env["FAULTS"]?.split(",").filter((text) => text !== "") ?? [];
const withOperators = asked.includes("operator");
const wanted = asked.filter((id) => id !== "operator");
const evidence = mkdtempSync(join(tmpdir(), `jobqueue-chaos-${seed}-`));
const tally = emptyTally();
const until = performance.now() + minutes * 60_000;
console.log(`chaos: seed ${seed}, ${only > 0 ? `round ${only}` : `${minutes} minutes`}`);

for (let round = only > 0 ? only : 1; only > 0 ? round === only : performance.now() < until || round === 1; round++) {
  const major = POSTGRES_MAJORS[round % POSTGRES_MAJORS.length] ?? POSTGRES_MAJORS[0];
  const server = await PostgresServer.create(major, { max_connections: withOperators ? "150" : "80" });
  const directory = join(evidence, `round-${round}`);
  try {
    console.log(`round ${round} on PostgreSQL ${major}`);
    const options: RoundOptions = {
      server,
      directory,
      seed: new Random(seed * 1_000 + round).whole(0, 4_294_967_295),
      loadSeconds: withOperators ? OPERATOR_LOAD_SECONDS : LOAD_SECONDS,
      repeat: `make chaos SEED=${seed} ROUND=${round}${asked.length > 0 ? ` FAULTS=${asked.join(",")}` : ""}`,
      only: ({ id }) => wanted.length === 0 || wanted.includes(id),
      say: (line) => console.log(line),
    };
    const outcome = withOperators ? await runOperatorRound({ ...options, quietMs: QUIET_MS }) : await runRound(options);
    addRound(tally, outcome);
    for (const exit of outcome.workerExits) console.log(`  ${exit}`);
    if (outcome.findings.length > 0) {
      console.log(outcome.report);
      console.log(`evidence: ${directory}`);
    } else rmSync(directory, { recursive: true });
  } catch (error) {
    tally.broken++;
    console.error(`round ${round} could not be carried out; what there is of it is in ${directory}`, error);
  } finally {
    await server.destroy();
  }
}
console.log(`\nseed ${seed}\n${summaryOf(tally)}`);
const isGood = tally.violations + tally.broken === 0;
if (isGood) rmSync(evidence, { recursive: true });
// Said explicitly: left to itself, Node 24.21 was seen to spin in its own cleanup (Environment::CleanupHandles) after such a run.
process.exit(isGood ? 0 : 1);
