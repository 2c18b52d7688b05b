import { type Bench, interleaved, type Line, type Setup } from "../bench.ts";
import { type Contender, GRAPHILE, OURS, RAW, type Settings } from "../contenders.ts";
import { type Drain, drain } from "../drain.ts";
import { rate, rates } from "../figures.ts";
import { median } from "../statistics.ts";

/** So many jobs are drained at least, whatever the share. */
const FEWEST_JOBS = 5;

interface Case {
  readonly name: string;
  readonly contender: Contender;
  readonly settings: Settings;
  readonly processes: number;
}

/** Drain: the rate of trivial jobs, each run once, by 1, 2 and 4 processes. */
export const B1: Bench = {
  id: "B1",
  title: "drain trivial jobs",
  goal: "at least 2 x graphile-worker's best, at least 60 % of the ceiling",
  run: async (setup) => {
    const cases = casesOf(setup);
    const results = await interleaved(
      setup,
      "B1",
      cases.map(({ name, contender, settings, processes }) => ({
        name,
        measure: async () =>
          drain(setup.server, {
            contender,
            settings,
            processes,
            jobs: Math.max(FEWEST_JOBS, Math.floor(setup.jobs * settings.share)),
          }),
      })),
      ({ jobsPerSecond }) => `${rate(jobsPerSecond)} jobs/s`,
    );
    return cases.map((one) => lineOf(one, results));
  },
};

function casesOf({ contenders, smoke }: Setup): Case[] {
  return contenders.flatMap((contender) =>
    contender.settings.slice(0, smoke ? 1 : undefined).flatMap((settings) =>
      settings.processes.slice(0, smoke ? 1 : undefined).map((processes) => ({
        name: nameOf(contender, settings.name, processes),
        contender,
        settings,
        processes,
      })),
    ),
  );
}

function nameOf(contender: Contender, settings: string, processes: number): string {
  return `${contender.name} ${settings} x ${processes}`;
}

function lineOf({ name, contender, settings, processes }: Case, results: ReadonlyMap<string, Drain[]>): Line {
  const own = results.get(name) ?? [];
  const ratesOf = (key: string): number[] => (results.get(key) ?? []).map(({ jobsPerSecond }) => jobsPerSecond);
  const per = (value: (one: Drain) => number | undefined): string => {
    const known = own.map(value).filter((one) => one !== undefined);
    return known.length === 0 ? "?" : median(known).toFixed(1);
  };
  const ceiling = ratesOf(nameOf(RAW, "ceiling", 1));
  const shown = [
    `${rates(ratesOf(name))} jobs/s`,
    ...(contender === RAW || ceiling.length === 0
      ? []
      : [`${(100 * median(ratios(ratesOf(name), ceiling))).toFixed(0)} % of the ceiling`]),
    ...(contender === OURS ? against(ratesOf(name), results, processes) : []),
    `CPU ${per((one) => one.serverUsPerJob)} + ${per((one) => one.workerUsPerJob)} us/job`,
    `WAL ${per((one) => one.walBytesPerJob).replace(/\..*/, "")} B/job`,
  ];
  return {
    bench: "B1",
    contender: contender.name,
    settings: `${settings.name} (${settings.says})`,
    variant: `${processes} ${processes === 1 ? "process" : "processes"}, ${own[0]?.jobs} jobs`,
    shown: shown.join(", "),
    raw: own,
  };
}

/** Against the better of Graphile's two throughput settings, round by round, at the same number of processes. */
function against(ours: readonly number[], results: ReadonlyMap<string, Drain[]>, processes: number): string[] {
  const best = ["best", "prefetch"]
    .map((settings) => results.get(nameOf(GRAPHILE, settings, processes)) ?? [])
    .filter((drains) => drains.length > 0);
  if (best.length === 0) return [];
  const perRound = ours.map((_, round) => Math.max(...best.map((drains) => drains[round]?.jobsPerSecond ?? 0)));
  const all = ratios(ours, perRound);
  return [
    `${median(all).toFixed(2)} x (${Math.min(...all).toFixed(2)}-${Math.max(...all).toFixed(2)}) graphile-worker`,
  ];
}

function ratios(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, round) => value / (others[round] ?? Number.NaN));
}
