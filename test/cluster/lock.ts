import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheDirectory } from "./cache.ts";
import { say } from "./progress.ts";

/** How often a waiting run asks for the lock again, in ms: the kernel tells nobody that a file lock became free. */
const ASK_AGAIN_MS = 250;

/**
 * Runs `work` while no other process of this user runs work under the same lock name, waiting as long as it takes.
 *
 * The lock is the one SQLite takes on a file: it belongs to the process, so the kernel frees it however that process
 * ends. There is no stale lock to recognise, and children do not inherit it. The text file beside it only tells a
 * waiting person who holds it.
 */
export async function withLock<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
  const path = join(cacheDirectory("locks"), name);
  const holder = `${path}.holder`;
  const file = new DatabaseSync(`${path}.lock`);
  try {
    for (let told = false; ; told = true) {
      try {
        file.exec("BEGIN EXCLUSIVE");
        break;
      } catch (error) {
        if (!(error instanceof Error) || !/locked|busy/i.test(error.message)) throw error;
        if (!told) say(`waiting for another run (${describe(holder)})`);
        await sleep(ASK_AGAIN_MS);
      }
    }
    writeFileSync(holder, `process ${process.pid}: ${what}`);
    return await work();
  } finally {
    file.close();
  }
}

function describe(holder: string): string {
  try {
    return readFileSync(holder, "utf8");
  } catch {
    return "it has just begun";
  }
}
