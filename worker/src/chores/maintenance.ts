import { maintain, type Session } from "@jobqueue/store";
import type { Chore } from "./periodic.ts";

/** Longest time between two turns, milliseconds: results expire by the second in what is read, their space may wait. */
const MAINTENANCE_MS = 300_000;

/**
 * Keeps the store in order: partitions for the days to come, retention, expired results. Nothing of it decides whether a
 * job runs, so it may be late; a store that no worker serves keeps what it has.
 */
export function maintenance(session: Session): Chore {
  return {
    name: "maintenance",
    intervalMs: MAINTENANCE_MS,
    async run() {
      await maintain(session);
      return false;
    },
  };
}
