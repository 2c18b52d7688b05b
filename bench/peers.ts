import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../test/cluster/command.ts";

const DIRECTORY = join(import.meta.dirname, "peers");

/** Installs the Node peers where they are missing or not of the locked versions: users of the product never get them. */
export async function installPeers(report: (line: string) => void): Promise<void> {
  const wanted = readPackages("package-lock.json");
  const installed = readPackages("node_modules/.package-lock.json");
  if (wanted === installed) return;
  report("installing the peers with npm ci in bench/peers");
  await run("npm", ["ci", "--loglevel=error"], { cwd: DIRECTORY });
}

/** Names and versions in a lock file, without the root's own entry. */
function readPackages(file: string): string | undefined {
  const path = join(DIRECTORY, file);
  if (!existsSync(path)) return undefined;
  const { packages } = JSON.parse(readFileSync(path, "utf8")) as {
    packages: Record<string, { version?: string; optional?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([name, { optional }]) => name !== "" && optional !== true)
    .map(([name, { version }]) => `${name}@${version}`)
    .join("\n");
}
