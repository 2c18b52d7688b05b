import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Bench, Line } from "./bench.ts";
import type { Contender } from "./contenders.ts";
import { type BenchServer, SERVER_SETTINGS } from "./server.ts";
import type { BenchSettings } from "./settings.ts";

const GIB = 2 ** 30;

/** Writes everything that was measured, and all that is needed to repeat it. Returns the file. */
export async function keepResults(run: {
  readonly beganAt: Date;
  /** The machine's load when it began: what else ran beside. */
  readonly loadBefore: number;
  readonly server: BenchServer;
  readonly settings: BenchSettings;
  readonly contenders: readonly Contender[];
  readonly benches: readonly Bench[];
  readonly lines: readonly Line[];
}): Promise<string> {
  const { beganAt, loadBefore, server, settings, contenders, benches, lines } = run;
  const machine = {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryGib: Math.round(totalmem() / GIB),
    system: `${type()} ${release()} ${arch()}`,
  };
  const file = join(
    import.meta.dirname,
    "results",
    `${beganAt.toISOString().slice(0, 16).replace(":", "")}-${machine.cores}cores-${machine.memoryGib}gib.json`,
  );
  mkdirSync(join(import.meta.dirname, "results"), { recursive: true });
  const kept = {
    beganAt: beganAt.toISOString(),
    endedAt: new Date().toISOString(),
    command: command(settings),
    commit: git("rev-parse", "HEAD"),
    machine,
    load: { before: loadBefore, after: loadavg()[0] },
    versions: { postgres: await server.version(), node: process.version, peers: peerVersions() },
    server: SERVER_SETTINGS,
    settings,
    contenders: contenders.map(({ name, settings: ways }) => ({ name, settings: ways })),
    benches: benches.map(({ id, title, goal }) => ({ id, title, goal })),
    lines,
  };
  writeFileSync(file, `${JSON.stringify(kept, undefined, 1)}\n`);
  return file;
}

function command({ benches, only, rounds, jobs, keptRows, samples, seconds, postgres, scale }: BenchSettings): string {
  const narrowed = [...(benches ? [`BENCH=${benches.join(",")}`] : []), ...(only ? [`ONLY=${only.join(",")}`] : [])];
  const sizes = `ROUNDS=${rounds} N=${jobs} KEPT=${keptRows} SAMPLES=${samples} SECONDS=${seconds} POSTGRES=${postgres}`;
  const { queues, pods, foreign, restSeconds, pauses } = scale;
  const cluster = `QUEUES=${queues.join(",")} PODS=${pods} FOREIGN=${foreign} REST=${restSeconds} PAUSES=${pauses}`;
  return ["make bench", ...narrowed, sizes, cluster].join(" ");
}

function peerVersions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "peers/package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const river = /river (v[\d.]+)/.exec(readFileSync(join(import.meta.dirname, "river/go.mod"), "utf8"))?.[1];
  return { ...manifest.dependencies, river: river ?? "unknown" };
}

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
