import { setTimeout as sleep } from "node:timers/promises";

/** How much of a minute has to be left for a test, milliseconds: several times what one takes on a busy machine. */
const LEFT_MS = 5_000;

/**
 * Waits for the next minute when this one is nearly over. For tests with schedules that fall due every minute: a tick that comes in the
 * midst of one is one more than it made.
 */
export async function betweenMinutes(): Promise<void> {
  const leftMs = 60_000 - (Date.now() % 60_000);
  if (leftMs < LEFT_MS) await sleep(leftMs + 10);
}
