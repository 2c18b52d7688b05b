import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CACHE, cacheDirectory, requireDiskSpace } from "../cache.ts";
import { run, tryRun } from "../command.ts";
import { withLock } from "../lock.ts";
import { step } from "../progress.ts";
import { withScratch } from "../scratch.ts";
import { compareVersions, GO_PROGRAMS, type GoProgram, type ProgramName } from "./versions.ts";

/** The Go module of what is built from sources of this repository. */
const OUR_MODULE = join(import.meta.dirname, "..", "kube");

/** Disk that a cold build needs, in GiB: 3 for the modules, 2 for Go's build cache, the rest for the results. */
const BUILD_GIB = 6;

/** How everything is compiled, benchmarks too: what two programs have in common, the standard library first, is compiled once. */
export const COMPILED = {
  flags: ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"],
  // The compiler collects garbage at five times what it needs instead of twice: its largest packages take about a GiB.
  env: { CGO_ENABLED: "0", GOGC: process.env["GOGC"] ?? "400" },
} as const;

/** Our sources are part of the key: a change in them makes another program of the same version. */
function sourceKey(program: GoProgram): string {
  if ("published" in program.source) return "";
  const hash = createHash("sha256").update(JSON.stringify(program));
  for (const file of ["go.mod", "go.sum", "main.go", "pause/main.go", "coredns/main.go"])
    hash.update(readFileSync(join(OUR_MODULE, file)));
  return `-${hash.digest("hex").slice(0, 8)}`;
}

/** The directory where the build of a program lies once it is made; a platform's cache may be shared by mount. */
function buildDirectory(name: ProgramName): string {
  const program: GoProgram = GO_PROGRAMS[name];
  return join(CACHE, "bin", `${name}-${program.version}${sourceKey(program)}-${process.platform}-${process.arch}`);
}

/** Path of a program that was built before, or undefined. */
export function builtProgram(name: ProgramName): string | undefined {
  const path = join(buildDirectory(name), name);
  return existsSync(path) ? path : undefined;
}

/** Path of a program, built now when it was not before. The links of its entry lie beside it. */
export async function buildProgram(name: ProgramName): Promise<string> {
  return (
    builtProgram(name) ?? (await withLock("build", `building ${name}`, async () => builtProgram(name) ?? build(name)))
  );
}

async function build(name: ProgramName): Promise<string> {
  const program: GoProgram = GO_PROGRAMS[name];
  await requireGo(name, program);
  requireDiskSpace(BUILD_GIB, `building ${name}`);
  const directory = buildDirectory(name);
  cacheDirectory("bin");
  const flags = ["-s", "-w", ...Object.entries(program.set).flatMap(([key, value]) => ["-X", `${key}=${value}`])].join(
    " ",
  );
  const log = join(cacheDirectory("logs"), `build-${name}.log`);
  await withScratch(`build-${name}`, async (scratch) => {
    const fresh = join(scratch, "bin");
    mkdirSync(fresh);
    await step(
      `${name} ${program.version} built with Go (cold: about ${program.minutes} min; log ${log})`,
      async () => {
        const how = [...COMPILED.flags, "-ldflags", flags];
        const env = { ...COMPILED.env, TMPDIR: scratch };
        if ("ours" in program.source) {
          const args = ["build", ...how, "-o", join(fresh, name), program.source.ours];
          await run("go", args, { cwd: OUR_MODULE, env, log });
        } else {
          const args = ["install", ...how, program.source.published];
          await run("go", args, { cwd: scratch, env: { ...env, GOBIN: fresh }, log });
        }
      },
    );
    for (const link of program.links ?? []) symlinkSync(name, join(fresh, link));
    renameSync(fresh, directory);
  });
  return join(directory, name);
}

/** Throws an error that says what to install when no Go is there that can build the program. */
async function requireGo(name: string, program: GoProgram): Promise<void> {
  if (!["x64", "arm64"].includes(process.arch)) {
    throw new Error(`${name} is built for x64 and arm64 processors; this is ${process.arch}.`);
  }
  const found = await tryRun("go", ["env", "GOVERSION", "GOTOOLCHAIN"]);
  const remedy = `Install Go ${program.go} or newer (https://go.dev/dl) and have it on the PATH`;
  if (found === undefined)
    throw new Error(`Building ${name} ${program.version} needs Go, and there is none. ${remedy}.`);
  const [version = "", toolchain = ""] = found.trim().split("\n");
  if (compareVersions(version.replace(/^go/, ""), program.go) >= 0) return;
  // From 1.21 on, Go fetches a newer self when a module asks for one, unless it was told not to.
  if (toolchain !== "local" && compareVersions(version.replace(/^go/, ""), "1.21") >= 0) return;
  throw new Error(
    `Building ${name} ${program.version} needs Go ${program.go}, and ${version} is installed. ${remedy}.`,
  );
}
