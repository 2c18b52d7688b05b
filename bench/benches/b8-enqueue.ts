import { type Bench, interleaved } from "../bench.ts";
import { Cast } from "../cast.ts";
import { rate, rates } from "../figures.ts";

/** Jobs in one transaction. */
const ROWS = [1, 100, 5_000] as const;

interface Measured {
  readonly transactions: number;
  readonly seconds: number;
}

/** Enqueue inside the caller's transaction, together with one row of his own. */
export const B8: Bench = {
  id: "B8",
  title: "enqueue in the caller's transaction, one session",
  goal: "at least 100,000 rows/s in batches; not less than any peer",
  run: async (setup) => {
    const able = setup.contenders.filter((contender) => contender.can.callersTransaction);
    const entries = ROWS.flatMap((rows) =>
      able.map((contender) => ({
        contender,
        rows,
        name: `${contender.name}, ${rows} rows`,
        measure: async (): Promise<Measured> => {
          const cast = await Cast.open(setup.server, { contender, settings: contender.settings[0], listen: false });
          try {
            return await cast.control.ask<Measured>("transactions", { rows, seconds: setup.seconds });
          } finally {
            await cast.end();
          }
        },
      })),
    );
    const rateOf = (rows: number, { transactions, seconds }: Measured): number => (transactions * rows) / seconds;
    const results = await interleaved(
      setup,
      "B8",
      entries,
      ({ transactions, seconds }) => `${rate(transactions / seconds)} transactions/s`,
    );
    return entries.map(({ contender, rows, name }) => ({
      bench: "B8",
      contender: contender.name,
      settings: "",
      variant: `${rows} ${rows === 1 ? "row" : "rows"} per transaction`,
      shown: `${rates((results.get(name) ?? []).map((one) => rateOf(rows, one)))} rows/s`,
      raw: results.get(name),
    }));
  },
};
