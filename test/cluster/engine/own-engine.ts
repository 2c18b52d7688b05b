import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, requireDiskSpace } from "../cache.ts";
import { run, tryRun } from "../command.ts";
import { ensurePackages, isAvailable, unpackPackages } from "../debian.ts";
import { say, step } from "../progress.ts";
import { withScratch } from "../scratch.ts";
import { waitFor } from "../wait-for.ts";
import { missingCapabilities, runcWithout } from "./capabilities.ts";
import { clearEngineLeftovers, engineProcesses, hasEngineLeftovers } from "./leftovers.ts";
import { recordMachineState } from "./machine-state.ts";
import { CGROUP, DOCKER_HOST, ENGINE_DATA, ENGINE_PACKAGES, ENGINE_PATH, RUN, SOCKET } from "./paths.ts";

/** Disk that the engine needs, in GiB: node image, its build, three nodes and our images take four. */
const ENGINE_GIB = 6;

const LOG = () => join(cacheDirectory("logs"), "engine.log");
const ENVIRONMENT = { DOCKER_HOST, PATH: ENGINE_PATH };

/** Version of our own engine when it answers. */
export async function ownEngineVersion(): Promise<string | undefined> {
  if (!existsSync(SOCKET)) return undefined;
  const version = await tryRun("docker", ["version", "--format", "{{.Server.Version}}"], {
    env: ENVIRONMENT,
    timeoutMs: 10_000,
  });
  return version?.trim() || undefined;
}

/** Starts our engine; throws what to do where that is not possible. Clears first what a killed one left. */
export async function startOwnEngine(): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(
      "No Docker daemon answers (docker version). Start Docker, or let this user speak to it; " +
        "on Debian as root one is started for you. CLUSTER=current uses the cluster of your current kubectl context instead.",
    );
  }
  requireDiskSpace(ENGINE_GIB, "the cluster");
  await ensurePackages(["iptables", "iproute2", "libdevmapper1.02.1", "libseccomp2"], "a container engine");
  if (hasEngineLeftovers()) {
    await step("leftovers of a killed engine cleared", clearEngineLeftovers);
  }
  if (!existsSync(ENGINE_PACKAGES)) await unpackEngine();
  mkdirSync(RUN, { recursive: true });
  await recordMachineState();
  const version = await step(
    "container engine",
    launch,
    (found) => `container engine: Debian's docker.io ${found}, started by us`,
  );
  await removeDeadContainers();
  say(
    `use it with: DOCKER_HOST=${DOCKER_HOST} ${join(ENGINE_PACKAGES, "usr/bin/docker")} ps   (engine ${version}, log ${LOG()})`,
  );
}

/** Stops our engine and removes every trace of it but what is on disk in the cache. */
export async function stopOwnEngine(): Promise<void> {
  await removeDeadContainers();
  const pid = Number(await readPid());
  if (engineProcesses().includes(pid)) process.kill(pid, "SIGTERM");
  await waitFor("the engine to end", () => engineProcesses().length === 0, { timeoutMs: 15_000 }).catch(() => {
    // it hangs: the sweep below kills it
  });
  await clearEngineLeftovers();
}

async function readPid(): Promise<string> {
  return (await tryRun("cat", [join(RUN, "dockerd.pid")])) ?? "";
}

/** Unpacks Debian's packages into the cache; by rename, so a killed run leaves no half of it. */
async function unpackEngine(): Promise<void> {
  await step("Debian's docker.io unpacked into the cache", () =>
    withScratch("engine", async (scratch) => {
      const [fresh, downloads] = [join(scratch, "engine"), join(scratch, "packages")];
      mkdirSync(fresh);
      mkdirSync(downloads);
      // From Debian 13 on the client is a package of its own.
      const client = (await isAvailable("docker-cli")) ? ["docker-cli"] : [];
      const unpacked = await unpackPackages(["docker.io", "containerd", "runc", ...client], fresh, downloads);
      writeFileSync(join(fresh, "versions"), `${unpacked.join("\n")}\n`);
      renameSync(fresh, ENGINE_PACKAGES);
    }),
  );
}

async function launch(): Promise<string> {
  const runc = join(ENGINE_PACKAGES, "usr/sbin/runc");
  const missing = missingCapabilities();
  const ourRunc = join(RUN, "runc");
  if (missing.length > 0) writeFileSync(ourRunc, runcWithout(missing, runc), { mode: 0o755 });
  const config = {
    "data-root": ENGINE_DATA,
    "exec-root": join(RUN, "docker"),
    pidfile: join(RUN, "dockerd.pid"),
    hosts: [DOCKER_HOST],
    "cgroup-parent": `/${CGROUP}`,
    "exec-opts": ["native.cgroupdriver=cgroupfs"], // there may be no systemd to ask
    "userland-proxy-path": join(ENGINE_PACKAGES, "usr/sbin/docker-proxy"),
    ...(missing.length > 0 ? { runtimes: { less: { path: ourRunc } }, "default-runtime": "less" } : {}),
  };
  writeFileSync(join(RUN, "daemon.json"), JSON.stringify(config, null, 1));
  const log = openSync(LOG(), "w");
  const child = spawn(join(ENGINE_PACKAGES, "usr/sbin/dockerd"), ["--config-file", join(RUN, "daemon.json")], {
    env: { ...process.env, PATH: ENGINE_PATH },
    stdio: ["ignore", log, log],
    detached: true, // it outlives this command, until `down`
  });
  closeSync(log);
  let ended = false;
  child.once("exit", () => (ended = true));
  child.once("error", () => (ended = true));
  child.unref();
  return waitFor(
    "the container engine to answer",
    async () => {
      if (ended) throw new Error(`the container engine ended at once:\n${readFileSync(LOG(), "utf8").slice(-3000)}`);
      return ownEngineVersion();
    },
    { timeoutMs: 60_000, explain: () => readFileSync(LOG(), "utf8").slice(-3000) },
  );
}

/** All containers of a freshly started engine are dead, and those of one about to stop are wanted by nobody. */
async function removeDeadContainers(): Promise<void> {
  const ids = (await tryRun("docker", ["ps", "-aq"], { env: ENVIRONMENT, timeoutMs: 30_000 }))?.trim();
  if (ids) await run("docker", ["rm", "--force", "--volumes", ...ids.split("\n")], { env: ENVIRONMENT });
}
