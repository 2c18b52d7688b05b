import type { Contender } from "./contenders.ts";
import type { BenchServer } from "./server.ts";

/** What a bench measures with. */
export interface Setup {
  readonly server: BenchServer;
  readonly contenders: readonly Contender[];
  /** Jobs of a full drain. */
  readonly jobs: number;
  /** Finished rows kept beside B2. */
  readonly keptRows: number;
  readonly rounds: number;
  /** Jobs timed one by one in each round of B3. */
  readonly samples: number;
  /** Seconds that each measurement of a rate lasts. */
  readonly seconds: number;
  /** Numbers of idle workers in B7. */
  readonly idleWorkers: readonly number[];
  /** One case of each kind is enough. */
  readonly smoke: boolean;
  readonly report: (line: string) => void;
}

/** A line of the table: what was run, and what it showed, in words. All numbers behind it are in `raw`. */
export interface Line {
  readonly bench: string;
  readonly contender: string;
  readonly settings: string;
  readonly variant: string;
  readonly shown: string;
  readonly raw: unknown;
}

/** A bench. */
export interface Bench {
  readonly id: string;
  readonly title: string;
  readonly goal: string;
  readonly run: (setup: Setup) => Promise<Line[]>;
}

/** One thing that is measured in every round. */
export interface Entry<Result> {
  readonly name: string;
  readonly measure: () => Promise<Result>;
}

/** Measures all entries once per round, interleaved, so that the drift of the machine falls on everybody alike. */
export async function interleaved<Result>(
  { rounds, report }: Setup,
  bench: string,
  entries: readonly Entry<Result>[],
  show: (result: Result) => string,
): Promise<Map<string, Result[]>> {
  const results = new Map<string, Result[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const { name, measure } of entries) {
      const result = await measure();
      results.set(name, [...(results.get(name) ?? []), result]);
      report(`${bench} round ${round} of ${rounds}: ${name}: ${show(result)}`);
    }
  }
  return results;
}
