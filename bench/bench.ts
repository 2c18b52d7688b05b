import type { Contender } from "./contenders.ts";
import type { BenchServer } from "./server.ts";

/** How large the clusters of B10 are, and how long it looks at them. */
export interface ScaleSettings {
  /** A run for each number of queues. */
  readonly queues: readonly number[];
  readonly stores: number;
  /** Pods of workers. */
  readonly pods: number;
  /** Pods that are not ours, and as many Secrets. */
  readonly foreign: number;
  /** How long the operator is watched at rest, seconds. */
  readonly restSeconds: number;
  /** Queues that are paused one by one, and then as many at once. */
  readonly pauses: number;
  /** Directory for CPU profiles of the operator; none when absent. */
  readonly profiles: string | undefined;
}

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
  /** Sizes of B10. */
  readonly scale: ScaleSettings;
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
  /** It measures us alone: no contender takes part. */
  readonly alone?: true;
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
