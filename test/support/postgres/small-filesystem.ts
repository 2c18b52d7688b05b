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

  /** Mounts one of so many megabytes. */
  static mount(megabytes: number): SmallFilesystem {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-small-"));
    const { status, stderr } = spawnSync(
      "mount",
      ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", directory],
      { encoding: "utf8" },
    );
    if (status === 0) return new SmallFilesystem(directory);
    rmdirSync(directory);
    throw new Error(`a small filesystem cannot be mounted, which needs root on Linux: ${stderr}`);
  }

  /** Takes it away with everything on it. */
  unmount(): void {
    const { status, stderr } = spawnSync("umount", [this.directory], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${this.directory} cannot be unmounted: ${stderr}`);
    rmdirSync(this.directory);
  }
}
