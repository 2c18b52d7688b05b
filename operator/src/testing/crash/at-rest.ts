import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../../../test/cluster/wait-for.ts";
import type { World } from "./world.ts";

/** Several looks at the store, each of which would act on what it sees. */
const REST_MS = 3_000;

/**
 * Waits until an operator is at rest, at least `waitsMs`: everybody has done and told what was to be done, and it has written
 * nothing for a while.
 */
export async function atRest(world: World, waitsMs = 0): Promise<void> {
  await sleep(waitsMs); // what is to happen after it has no earlier sign
  let seen = -1;
  let since = 0;
  let settled = false;
  await waitFor(
    "the operator to be at rest",
    async () => {
      if (world.writes.length !== seen) [settled, seen, since] = [false, world.writes.length, performance.now()];
      if (settled && performance.now() - since < REST_MS) return false;
      const wasSettled = settled;
      settled = await world.isSettled();
      if (!settled) since = performance.now();
      return settled && wasSettled && world.writes.length === seen;
    },
    { timeoutMs: 120_000, everyMs: 250, explain: () => world.writes.slice(-20).join("\n") },
  );
}
