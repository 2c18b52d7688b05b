import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { COMPILED } from "../test/cluster/binaries/go.ts";
import { cacheDirectory } from "../test/cluster/cache.ts";
import { run } from "../test/cluster/command.ts";
import type { ProgramSource } from "./program.ts";

const SOURCE = join(import.meta.dirname, "river");

/** River's program, built with Go the first time; `undefined`, with a reason given, where that is not possible. */
export async function riverProgram(report: (line: string) => void): Promise<ProgramSource | undefined> {
  const hash = createHash("sha256");
  for (const file of ["main.go", "go.mod", "go.sum"]) hash.update(readFileSync(join(SOURCE, file)));
  const built = join(cacheDirectory("bin"), `bench-river-${hash.digest("hex").slice(0, 16)}-${process.arch}`);
  if (!existsSync(built)) {
    try {
      await run("go", ["version"]);
    } catch {
      report("river is left out: there is no Go on the PATH to build it with");
      return undefined;
    }
    report("building river with Go, once (about a minute)");
    try {
      const fresh = `${built}.${process.pid}`;
      await run("go", ["build", ...COMPILED.flags, "-o", fresh, "."], { cwd: SOURCE, env: COMPILED.env });
      renameSync(fresh, built);
    } catch (error) {
      report(`river is left out: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
  return { command: built, args: [] };
}
