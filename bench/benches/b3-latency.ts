import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, interleaved, type Line, type Setup } from "../bench.ts";
import { Cast } from "../cast.ts";
import type { Contender, Settings } from "../contenders.ts";
import { drain } from "../drain.ts";
import { ms } from "../figures.ts";
import { FIRST_PROBE } from "../run-counter.ts";
import { median, quantile } from "../statistics.ts";

/** Between two probes, milliseconds: the queue is idle again. */
const PAUSE_MS = 5;

/** A poll may last two seconds, so fewer probes are sent where nothing is heard. */
const POLLED_SHARE = 0.1;

/** A round ends after this time, even with fewer probes, milliseconds. */
const LONGEST_ROUND_MS = 30_000;

interface Case {
  readonly name: string;
  readonly contender: Contender;
  readonly settings: Settings;
  readonly listen: boolean;
  /** Share of its own peak rate that runs beside. */
  readonly load: number;
}

interface Latencies {
  readonly milliseconds: readonly number[];
  readonly loadPerSecond: number;
}

/** Latency: from the call of enqueue to the start of the handler, one job at a time. */
export const B3: Bench = {
  id: "B3",
  title: "enqueue to handler start",
  goal: "idle with LISTEN: p50 at most 1 ms, p99 at most 5 ms; below every peer",
  run: async (setup) => {
    const cases = casesOf(setup);
    const peaks = new Map<string, number>();
    for (const { contender, settings } of cases) {
      const key = `${contender.name} ${settings.name}`;
      if (peaks.has(key)) continue;
      if (setup.smoke) continue;
      const jobs = Math.max(5, Math.floor((setup.jobs * settings.share) / 4));
      const { jobsPerSecond } = await drain(setup.server, { contender, settings, processes: 1, jobs });
      peaks.set(key, jobsPerSecond);
    }
    const results = await interleaved(
      setup,
      "B3",
      cases.map((one) => ({
        name: one.name,
        measure: async () => measure(setup, one, peaks.get(`${one.contender.name} ${one.settings.name}`) ?? 0),
      })),
      ({ milliseconds }) => `p50 ${ms(median(milliseconds))} ms`,
    );
    return cases.map((one) => lineOf(one, results.get(one.name) ?? []));
  },
};

function casesOf({ contenders, smoke }: Setup): Case[] {
  return contenders.flatMap((contender) =>
    contender.settings
      .filter((settings) => settings.latency)
      .slice(0, smoke ? 1 : undefined)
      .flatMap((settings) =>
        [true, false]
          .filter((listen) => listen || !smoke)
          .filter((listen) => (listen ? contender.can.listen : contender.can.pollOnly))
          .flatMap((listen) =>
            (smoke ? [0] : [0, 0.5]).map((load) => ({
              name: `${contender.name} ${settings.name}, ${listen ? "LISTEN" : "poll only"}, ${load === 0 ? "idle" : "50 % load"}`,
              contender,
              settings,
              listen,
              load,
            })),
          ),
      ),
  );
}

async function measure(setup: Setup, { contender, settings, listen, load }: Case, peak: number): Promise<Latencies> {
  const cast = await Cast.open(setup.server, { contender, settings, listen });
  try {
    await cast.settle();
    await cast.addWorkers(1);
    await cast.go();
    const [worker] = cast.workers;
    if (worker === undefined) throw new Error("no worker");
    const loadPerSecond = Math.floor(peak * load);
    if (loadPerSecond > 0) await cast.control.ask("load", { perSecond: loadPerSecond, from: 1 });
    const samples = Math.max(3, Math.floor(setup.samples * (listen || load > 0 ? 1 : POLLED_SHARE)));
    const milliseconds: number[] = [];
    const beganMs = Date.now();
    // The first few make plans and connections, and are not counted.
    for (let probe = -3; probe < samples && Date.now() - beganMs < LONGEST_ROUND_MS; probe++) {
      const id = FIRST_PROBE + 3 + probe;
      const started = worker.ask<number>("probe", { id });
      const calledMs = await cast.control.ask<number>("enqueue", { id, listen });
      const latency = (await started) - calledMs;
      if (probe >= 0) milliseconds.push(latency);
      await sleep(PAUSE_MS);
    }
    if (loadPerSecond > 0) await cast.control.ask("stopLoad");
    return { milliseconds, loadPerSecond };
  } finally {
    await cast.end();
  }
}

function lineOf({ contender, settings, listen, load }: Case, rounds: readonly Latencies[]): Line {
  const all = rounds.flatMap(({ milliseconds }) => milliseconds);
  const p50s = rounds.map(({ milliseconds }) => median(milliseconds));
  return {
    bench: "B3",
    contender: contender.name,
    settings: `${settings.name} (${settings.says})`,
    variant: `${listen ? "LISTEN" : "poll only"}, ${load === 0 ? "idle" : `${rounds[0]?.loadPerSecond} jobs/s beside`}`,
    shown: `p50 ${ms(median(p50s))} ms (${ms(Math.min(...p50s))}-${ms(Math.max(...p50s))}), p95 ${ms(quantile(all, 0.95))}, p99 ${ms(quantile(all, 0.99))}, ${all.length} samples`,
    raw: rounds,
  };
}
