import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, interleaved } from "../bench.ts";
import { Cast } from "../cast.ts";
import { OURS } from "../contenders.ts";
import { measureDrain } from "../drain.ts";
import { rate, rates } from "../figures.ts";
import { median } from "../statistics.ts";

/** A worker of the default lease of 30 s beats every third of it. */
const HEARTBEAT_SECONDS = 10;

/** A worker that has started, or had work, asks more often for a while, and proves twice that it hears hints. */
const START_IS_OVER_MS = 35_000;

/** The producer enqueues so many at a time, each time with a hint that every listener hears. */
const BATCH = 100;

interface Measured {
  readonly statementsPerHeartbeat: number;
  readonly jobsPerSecond: number;
}

/** Idle workers: what each asks of the database, and what they take from one that works while jobs are enqueued. */
export const B7: Bench = {
  id: "B7",
  title: "idle workers beside a busy one",
  goal: "at most 1 statement per idle worker and heartbeat; with 100 of them at most 10 % less throughput",
  run: async (setup) => {
    const { server, jobs, smoke } = setup;
    const measure = async (idle: number): Promise<Measured> => {
      const cast = await Cast.open(server, { contender: OURS, settings: OURS.settings[0] });
      try {
        for (let started = 0; started < idle; started += 4) {
          const some = Array.from({ length: Math.min(4, idle - started) }, async () =>
            cast.addExtra({ JOBQUEUE_QUEUES: "idle" }),
          );
          await Promise.all(some);
        }
        await cast.settle();
        await sleep(idle === 0 || smoke ? 0 : START_IS_OVER_MS);
        const before = await server.statements(cast.databaseName);
        const window = idle === 0 ? 0 : smoke ? 1 : 2 * HEARTBEAT_SECONDS;
        await sleep(window * 1000);
        const statements = (await server.statements(cast.databaseName)) - before;
        await cast.addWorkers(1);
        await cast.go();
        const drained = await measureDrain(server, cast, OURS, jobs, async () => {
          await cast.control.ask("insert", { from: 1, count: jobs, batch: BATCH });
        });
        return {
          statementsPerHeartbeat: idle === 0 ? 0 : statements / idle / (window / HEARTBEAT_SECONDS),
          jobsPerSecond: drained.jobsPerSecond,
        };
      } finally {
        await cast.end();
      }
    };
    const counts = [0, ...setup.idleWorkers];
    const results = await interleaved(
      setup,
      "B7",
      counts.map((idle) => ({ name: String(idle), measure: async () => measure(idle) })),
      (one) => `${one.statementsPerHeartbeat.toFixed(1)} statements, ${rate(one.jobsPerSecond)} jobs/s`,
    );
    const rateOf = (idle: number): number[] => (results.get(String(idle)) ?? []).map((one) => one.jobsPerSecond);
    return counts.map((idle) => ({
      bench: "B7",
      contender: OURS.name,
      settings: OURS.settings[0].name,
      variant: `${idle} idle workers`,
      shown:
        idle === 0
          ? `${rates(rateOf(0))} jobs/s while enqueueing`
          : `${median((results.get(String(idle)) ?? []).map((one) => one.statementsPerHeartbeat)).toFixed(1)} statements per worker and heartbeat, ` +
            `${rates(rateOf(idle))} jobs/s while enqueueing, ${median(rateOf(idle).map((value, round) => value / (rateOf(0)[round] ?? Number.NaN))).toFixed(2)} of the rate without`,
      raw: results.get(String(idle)),
    }));
  },
};
