import type { ScaleSettings } from "./bench.ts";
import { POSTGRES_MAJORS, type PostgresMajor } from "../test/support/postgres/server.ts";

/** What the environment asks for; see `main.ts`. */
export interface BenchSettings {
  readonly benches: readonly string[] | undefined;
  readonly only: readonly string[] | undefined;
  readonly smoke: boolean;
  readonly postgres: PostgresMajor;
  readonly jobs: number;
  readonly keptRows: number;
  readonly rounds: number;
  readonly samples: number;
  readonly seconds: number;
  readonly idleWorkers: readonly number[];
  readonly scale: ScaleSettings;
}

/** Reads them. Throws an `Error` that says what to write. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): BenchSettings {
  const smoke = env["SMOKE"] === "1";
  const major = number(env, "POSTGRES", 15);
  const postgres = POSTGRES_MAJORS.find((known) => known === major);
  if (postgres === undefined) throw new Error(`POSTGRES must be one of ${POSTGRES_MAJORS.join(", ")}`);
  const jobs = number(env, "N", smoke ? 300 : 200_000);
  return {
    benches: list(env["BENCH"]),
    only: list(env["ONLY"]),
    smoke,
    postgres,
    jobs,
    keptRows: number(env, "KEPT", smoke ? 1_000 : 10_000_000),
    rounds: number(env, "ROUNDS", smoke ? 1 : 5),
    samples: number(env, "SAMPLES", smoke ? 5 : 400),
    seconds: number(env, "SECONDS", smoke ? 0.1 : 2),
    idleWorkers: smoke ? [1] : [1, 20, 100],
    scale: {
      queues: numbers(env, "QUEUES", smoke ? [20] : [1_000, 10_000]),
      stores: smoke ? 2 : 10,
      pods: number(env, "PODS", smoke ? 10 : 5_000),
      foreign: number(env, "FOREIGN", smoke ? 20 : 20_000),
      restSeconds: number(env, "REST", smoke ? 3 : 60),
      pauses: number(env, "PAUSES", smoke ? 5 : 200),
      profiles: env["PROFILES"] || undefined,
    },
  };
}

function numbers(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: readonly number[],
): readonly number[] {
  return list(env[name])?.map((value) => number({ [name]: value }, name, 0)) ?? otherwise;
}

function list(value: string | undefined): readonly string[] | undefined {
  return value === undefined || value === "" ? undefined : value.split(",").map((item) => item.trim());
}

function number(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const value = env[name];
  if (value === undefined || value === "") return otherwise;
  const read = Number(value);
  if (!(read > 0)) throw new Error(`${name} must be a number above 0`);
  return read;
}
