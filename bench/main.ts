/**
 * `make bench`: runs the benches side by side on one Postgres, prints one table, keeps everything under results/.
 *
 *   BENCH=B1,B3     only these; all when absent
 *   ROUNDS=3        rounds, 5 when absent
 *   N=20000         jobs of a full drain, 200,000 when absent; others follow from it
 *   KEPT=1000000    finished rows beside B2, 10,000,000 when absent
 *   ONLY=jobqueue,graphile-worker  only these contenders
 *   QUEUES=1000,10000 PODS=5000 FOREIGN=20000 REST=60 PAUSES=200  sizes of B10: queues (a run each), pods of workers, other pods
 *                   and as many Secrets, seconds at rest, queues that are paused
 *   PROFILES=dir    CPU profiles of the operator in B10
 *   POSTGRES=18     major of the server, 15 when absent
 *   SMOKE=1         one round of very little, all contenders: that everything still works; keeps no results
 */
import { loadavg } from "node:os";
import { BENCHES } from "./benches.ts";
import type { Line } from "./bench.ts";
import { contenders } from "./contenders.ts";
import { installPeers } from "./peers.ts";
import { keepResults } from "./results.ts";
import { BenchServer } from "./server.ts";
import { readSettings } from "./settings.ts";
import { printTable } from "./table.ts";

const report = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const settings = readSettings(process.env);
const benches = BENCHES.filter(({ id }) => settings.benches === undefined || settings.benches.includes(id));
const compared = benches.some(({ alone }) => !alone);
if (compared) await installPeers(report);
const all = compared ? await contenders(report) : [];
const chosen = all.filter(({ name }) => settings.only === undefined || settings.only.includes(name));
const server = await BenchServer.start(settings.postgres);
// Whoever ends a bench ends what it started too; programs go with "exit", which a signal alone does not bring about.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => void server.stop().finally(() => process.exit(code)));
}
const lines: Line[] = [];
const beganAt = new Date();
const loadBefore = loadavg()[0] ?? 0;
try {
  for (const bench of benches) {
    report(`${bench.id}: ${bench.title} (goal: ${bench.goal})`);
    lines.push(...(await bench.run({ ...settings, server, contenders: chosen, report })));
  }
  printTable(benches, lines);
  if (!settings.smoke)
    report(
      `kept in ${await keepResults({ beganAt, loadBefore, server, settings, contenders: chosen, benches, lines })}`,
    );
} finally {
  await server.stop();
}
