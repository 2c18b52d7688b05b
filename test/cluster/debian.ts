import { onPath } from "./binaries/binaries.ts";
import { run, tryRun } from "./command.ts";
import { step } from "./progress.ts";

/** dpkg must not be stopped half way, and another apt-get may be at work: the one of a killed run, or a person's. */
const APT = { env: { DEBIAN_FRONTEND: "noninteractive" }, outlivesUs: true };
const WAIT = ["-o", "DPkg::Lock::Timeout=300"];

/** Installs those of the Debian packages that are missing, after saying so; throws what to do where it may not. */
export async function ensurePackages(packages: readonly string[], why: string): Promise<void> {
  const missing: string[] = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  if (onPath("apt-get") === undefined || process.getuid?.() !== 0) {
    throw new Error(
      `${why} needs these Debian packages: ${missing.join(" ")}. Install them, or run this as root on Debian.`,
    );
  }
  await step(`Debian packages installed with apt-get: ${missing.join(" ")} (${why})`, async () => {
    const install = [...WAIT, "install", "-y", "--no-install-recommends", ...missing];
    // Package lists may be old or, on a fresh machine, not there at all: refresh them only when it matters.
    if ((await tryRun("apt-get", install, APT)) !== undefined) return;
    await run("apt-get", [...WAIT, "update"], APT);
    await run("apt-get", install, APT);
  });
}

async function isInstalled(name: string): Promise<boolean> {
  return (await tryRun("dpkg-query", ["-W", "-f", "${db:Status-Status}", name])) === "installed";
}

/** Unpacks Debian packages into a directory without installing them; returns what was unpacked, as `name version`. */
export async function unpackPackages(
  packages: readonly string[],
  directory: string,
  scratch: string,
): Promise<string[]> {
  const download = ["download", ...packages];
  if ((await tryRun("apt-get", download, { cwd: scratch })) === undefined) {
    await run("apt-get", [...WAIT, "update"], APT);
    await run("apt-get", download, { cwd: scratch });
  }
  const files = (await run("find", [scratch, "-name", "*.deb"])).trim().split("\n").toSorted();
  const unpacked: string[] = [];
  for (const file of files) {
    await run("dpkg-deb", ["-x", file, directory]);
    unpacked.push((await run("dpkg-deb", ["--show", "--showformat=${Package} ${Version}", file])).trim());
  }
  return unpacked;
}

/** Whether the package lists know a package of that name. */
export async function isAvailable(name: string): Promise<boolean> {
  return ((await tryRun("apt-cache", ["show", "--no-all-versions", name])) ?? "") !== "";
}
