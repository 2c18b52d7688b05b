import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@jobqueue/store";
import { nowMs } from "../support/history/process-log.ts";

/** How long a drain may take: the longest waits of failed jobs, leases, poison limits, and a slow machine. */
const DRAIN_SECONDS = 90;

/** Waits until no job is live. What does not end is left to the checker to name. */
export async function drained(database: Database): Promise<void> {
  const deadline = nowMs() + DRAIN_SECONDS * 1_000;
  while (nowMs() < deadline) {
    try {
      const [row] = await database.query<{ live: boolean }>(
        `select exists (select from ${database.schema}.jobs) as live`,
      );
      if (row?.live === false) return;
    } catch {
      // The server may still be coming back.
    }
    await sleep(250);
  }
}
