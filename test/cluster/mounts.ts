import { readFileSync } from "node:fs";
import { tryRun } from "./command.ts";

/** Takes away every mount below the directories, the innermost first; one that is in use goes when it no longer is. */
export async function unmountBelow(...directories: readonly string[]): Promise<void> {
  if (process.platform !== "linux") return;
  const places = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((place) => directories.some((directory) => place.startsWith(`${directory}/`)));
  for (const place of places.toReversed()) await tryRun("umount", ["--lazy", place]);
}
