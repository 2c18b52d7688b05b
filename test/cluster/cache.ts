import { mkdirSync, statfsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where everything lies that is slow to make and depends on versions only: `$XDG_CACHE_HOME/jobqueue-operator`, by
 * default `~/.cache/jobqueue-operator`. Every entry below it may be deleted while nothing runs; it is made again.
 */
export const CACHE = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "jobqueue-operator");

/** A directory of the cache, made when it is missing. */
export function cacheDirectory(...parts: readonly string[]): string {
  const directory = join(CACHE, ...parts);
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** Throws an error that names the remedy when the cache's file system has less than `gib` GiB free for `what`. */
export function requireDiskSpace(gib: number, what: string): void {
  const { bavail, bsize } = statfsSync(cacheDirectory());
  const free = (bavail * bsize) / 2 ** 30;
  if (free >= gib) return;
  throw new Error(
    `${what} needs ${gib} GiB of disk at ${CACHE}, and ${free.toFixed(1)} GiB are free. ` +
      `Free some, or set XDG_CACHE_HOME to a directory of a larger disk.`,
  );
}
