import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLUSTER_NAME, ROOT } from "../checkout.ts";
import { type CommandOptions, run, tryRun } from "../command.ts";
import { withLock } from "../lock.ts";
import { say, step } from "../progress.ts";
import { ownEngineVersion, startOwnEngine, stopOwnEngine } from "./own-engine.ts";
import { DOCKER_HOST, ENGINE_PATH, RUN } from "./paths.ts";

/** A container engine that answers. */
export interface Engine {
  /** Whether we started it (and stop it with the last cluster). */
  readonly ours: boolean;
  /** For people: `Docker 28.2.2`. */
  readonly description: string;
  /** Environment in which `docker` and `kind` speak to it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Checkouts that use our engine, one file each, holding the checkout's path. */
const USERS = join(RUN, "users");

const ownEngine = (version: string): Engine => ({
  ours: true,
  description: `Debian's docker.io ${version}, started by us`,
  env: { DOCKER_HOST, PATH: ENGINE_PATH },
});

/** The engine this checkout would use, if one answers: ours where we already use it, else the machine's, else ours. */
export async function runningEngine(): Promise<Engine | undefined> {
  const own = await ownEngineVersion();
  if (own !== undefined && existsSync(join(USERS, CLUSTER_NAME))) return ownEngine(own);
  const version = (
    await tryRun("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutMs: 15_000 })
  )?.trim();
  if (version) return { ours: false, description: `the Docker daemon of this machine, ${version}`, env: {} };
  return own === undefined ? undefined : ownEngine(own);
}

/** An engine that answers, ours started when there is none; our own is kept running for this checkout until released. */
export async function ensureEngine(): Promise<Engine> {
  const running = await runningEngine();
  if (running && !running.ours) return running;
  return withLock("engine", "starting the container engine", async () => {
    if ((await ownEngineVersion()) === undefined) await startOwnEngine();
    mkdirSync(USERS, { recursive: true });
    writeFileSync(join(USERS, CLUSTER_NAME), ROOT);
    return ownEngine((await ownEngineVersion()) ?? "");
  });
}

/** Says that this checkout no longer uses our engine, and stops it when no other does. Does nothing without it. */
export async function releaseEngine(): Promise<void> {
  if (!existsSync(RUN)) return;
  await withLock("engine", "stopping the container engine", async () => {
    rmSync(join(USERS, CLUSTER_NAME), { force: true });
    const others = existsSync(USERS)
      ? readdirSync(USERS)
          .map((name) => readFileSync(join(USERS, name), "utf8"))
          .filter((checkout) => existsSync(checkout))
      : [];
    if (others.length > 0) {
      say(`the container engine stays for ${others.join(", ")}`);
      return;
    }
    await step("container engine stopped, its networks, rules, mounts and control groups removed", stopOwnEngine);
  });
}

/** Runs `docker` against an engine. */
export async function docker(engine: Engine, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return run("docker", args, { ...options, env: { ...engine.env, ...options.env } });
}
