import { type Bench, interleaved, type Setup } from "../bench.ts";
import { Cast } from "../cast.ts";
import { OURS } from "../contenders.ts";
import { type Drain, drain, measureDrain } from "../drain.ts";
import { rate, rates } from "../figures.ts";
import { median } from "../statistics.ts";

/** B1 beside a history of many finished rows, and without one in turn. */
export const B2: Bench = {
  id: "B2",
  title: "drain beside kept rows",
  goal: "at least 0.8 of the rate without them",
  run: async (setup) => {
    const { server, jobs, keptRows, report } = setup;
    const settings = OURS.settings[0];
    const plan = { contender: OURS, settings };
    const filled = await Cast.open(server, plan);
    try {
      report(`B2: filling the history with ${keptRows} rows`);
      await filled.control.ask("keep", { rows: keptRows });
      let kept = keptRows;
      const beside = async (): Promise<Drain> => {
        await filled.control.ask("insert", { from: 1, count: jobs });
        await filled.settle();
        await filled.addWorkers(1);
        const measured = await measureDrain(server, filled, OURS, jobs, async () => filled.go(), kept);
        kept += jobs;
        await filled.endWorkers();
        return measured;
      };
      const results = await interleaved(
        setup,
        "B2",
        [
          { name: "empty", measure: async () => drain(server, { ...plan, processes: 1, jobs }) },
          { name: "beside", measure: beside },
        ],
        ({ jobsPerSecond }) => `${rate(jobsPerSecond)} jobs/s`,
      );
      return lines(setup, results);
    } finally {
      await filled.end();
    }
  },
};

function lines({ keptRows }: Setup, results: ReadonlyMap<string, Drain[]>) {
  const rateOf = (name: string): number[] => (results.get(name) ?? []).map(({ jobsPerSecond }) => jobsPerSecond);
  const ratio = median(rateOf("beside").map((value, round) => value / (rateOf("empty")[round] ?? Number.NaN)));
  return ["empty", "beside"].map((name) => ({
    bench: "B2",
    contender: OURS.name,
    settings: OURS.settings[0].name,
    variant: name === "empty" ? "no history" : `beside ${keptRows} finished rows`,
    shown: `${rates(rateOf(name))} jobs/s${name === "empty" ? "" : `, ${ratio.toFixed(2)} of the rate without`}`,
    raw: results.get(name),
  }));
}
