import { createHash } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { run } from "./command.ts";
import { ensurePackages } from "./debian.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";
import { withScratch } from "./scratch.ts";

/** The Debian release that everything of ours is made of. */
const SUITE = "bookworm";

/** Not needed where nobody reads manuals, and half of the size. */
const LEAVE_OUT = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];

export interface DebianRoot {
  /** What it is for, in file names and progress lines. */
  readonly name: string;
  /** `minbase` has apt and a shell; `extract` only unpacks the packages, and runs nothing of theirs. */
  readonly variant: "minbase" | "extract";
  readonly packages: readonly string[];
  /** Keep /usr/share/doc (licence texts). */
  readonly documents?: boolean;
}

/** A tar file of a Debian root file system with these packages, made by mmdebstrap when the cache has none. */
export async function debianRoot(root: DebianRoot): Promise<string> {
  const path = join(cacheDirectory("roots"), `${root.name}-${SUITE}-${debianRootKey(root)}-${process.arch}.tar`);
  return withLock("debian-root", `making a Debian root (${root.name})`, async () => {
    if (existsSync(path)) return path;
    if (process.platform !== "linux" || process.getuid?.() !== 0) {
      throw new Error(`Making the Debian root for ${root.name} needs root on Debian (mmdebstrap).`);
    }
    await ensurePackages(["mmdebstrap"], "images without a registry");
    await step(`Debian root for ${root.name} (${root.packages.length} packages and what they need)`, () =>
      withScratch("debian-root", async (scratch) => {
        const fresh = join(scratch, "root.tar");
        const leaveOut = [...LEAVE_OUT, ...(root.documents ? [] : ["/usr/share/doc/*"])];
        const options = leaveOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
        const what = [`--variant=${root.variant}`, `--include=${root.packages.join(",")}`, SUITE, fresh];
        // Its own temporary directory holds the whole root, with mounts in it: below ours, so that it is cleared with it.
        await run("mmdebstrap", ["--quiet", "--format=tar", ...options, ...what], { env: { TMPDIR: scratch } });
        renameSync(fresh, path);
      }),
    );
    return path;
  });
}

/** Changes when the root's recipe does. */
export function debianRootKey(root: DebianRoot): string {
  return createHash("sha256")
    .update(JSON.stringify([SUITE, LEAVE_OUT, root]))
    .digest("hex")
    .slice(0, 8);
}
