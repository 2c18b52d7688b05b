import { createHash } from "node:crypto";
import { globSync, lstatSync, lutimesSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Every file and link below a directory, by relative path, in an order that is the same everywhere. */
function filesBelow(directory: string): string[] {
  return globSync("**/*", { cwd: directory })
    .filter((path) => !lstatSync(join(directory, path)).isDirectory())
    .toSorted();
}

/** Twelve hexadecimal digits that change with any path, content or executable bit below a directory, or with `more`. */
export function contentHash(directory: string, ...more: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(more));
  for (const path of filesBelow(directory)) {
    const stat = lstatSync(join(directory, path));
    hash.update(JSON.stringify([path, stat.isSymbolicLink(), (stat.mode & 0o111) !== 0]));
    hash.update(stat.isSymbolicLink() ? readlinkSync(join(directory, path)) : readFileSync(join(directory, path)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** Gives everything below a directory one time stamp, so that the same content makes the same layers. */
export function settleTimes(directory: string): void {
  for (const path of ["", ...globSync("**/*", { cwd: directory })]) lutimesSync(join(directory, path), 0, 0);
}
