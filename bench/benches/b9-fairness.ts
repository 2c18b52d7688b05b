import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, interleaved, type Setup } from "../bench.ts";
import { Cast } from "../cast.ts";
import { type Contender, GRAPHILE, OURS, type Settings } from "../contenders.ts";
import { ms } from "../figures.ts";
import { FIRST_PROBE, monotonicMs } from "../run-counter.ts";
import { median, quantile } from "../statistics.ts";

/** How long a job of the noisy tenant takes, milliseconds: the backlog must outlast the measurement. */
const NOISY_MS = 20;

/** How long the nine enqueue, in units of `seconds`. */
const STRETCH = 5;

interface Case {
  readonly name: string;
  readonly contender: Contender;
  readonly settings: Settings;
  readonly fair: boolean;
}

/** Fairness: what nine tenants with ten jobs a second each wait while a tenth has left a large backlog. */
export const B9: Bench = {
  id: "B9",
  title: "one tenant with a backlog, nine with 10 jobs/s each",
  goal: "p95 wait of the nine at most 1 s",
  run: async (setup) => {
    const quick = GRAPHILE.settings.find(({ name }) => name === "quick") ?? GRAPHILE.settings[0];
    const cases: readonly Case[] = [
      { name: "fair", contender: OURS, settings: OURS.settings[1] ?? OURS.settings[0], fair: true },
      { name: "not fair", contender: OURS, settings: OURS.settings[1] ?? OURS.settings[0], fair: false },
      { name: "no such setting", contender: GRAPHILE, settings: quick, fair: false },
    ].filter(({ contender }) => setup.contenders.includes(contender));
    const results = await interleaved(
      setup,
      "B9",
      cases.map((one) => ({ name: `${one.contender.name}, ${one.name}`, measure: async () => waits(setup, one) })),
      (values) => `p95 ${ms(quantile(values, 0.95))} ms`,
    );
    return cases.map(({ name, contender, settings }) => {
      const rounds = results.get(`${contender.name}, ${name}`) ?? [];
      const all = rounds.flat();
      return {
        bench: "B9",
        contender: contender.name,
        settings: settings.name,
        variant: name,
        shown: `wait of the nine: p50 ${ms(median(all))} ms, p95 ${ms(quantile(all, 0.95))} ms, worst ${ms(Math.max(...all))} ms, ${all.length} jobs`,
        raw: rounds,
      };
    });
  },
};

/** Waits of the nine, milliseconds. A job that has not started by the end has waited at least until then. */
async function waits({ server, jobs, seconds }: Setup, { contender, settings, fair }: Case): Promise<number[]> {
  const cast = await Cast.open(server, { contender, settings });
  try {
    await cast.control.ask("backlog", { count: Math.ceil(jobs / 2), ms: NOISY_MS, fair });
    await cast.settle();
    await cast.addWorkers(1);
    await cast.go();
    const called = await cast.control.ask<[number, number][]>("arrivals", {
      from: FIRST_PROBE,
      seconds: seconds * STRETCH,
    });
    await sleep(seconds * 1000);
    const nowMs = monotonicMs();
    const started = new Map(await cast.workers[0]?.ask<[number, number][]>("probes"));
    return called.map(([id, calledMs]) => (started.get(id) ?? nowMs) - calledMs);
  } finally {
    await cast.end();
  }
}
