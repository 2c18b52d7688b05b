import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A filesystem in memory with little room, for tests of a full disk. Only root of a Linux machine can make one. */
export class SmallFilesystem {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Mounts one of so many megabytes, or says that this machine does not allow it. */
  static mount(megabytes: number): SmallFilesystem | undefined {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-small-"));
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", directory]);
    if (status === 0) return new SmallFilesystem(directory);
    rmdirSync(directory);
    return undefined;
  }

  /** Takes it away with everything on it. */
  unmount(): void {
    const { status, stderr } = spawnSync("umount", [this.directory], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${this.directory} cannot be unmounted: ${stderr}`);
    rmdirSync(this.directory);
  }
}
