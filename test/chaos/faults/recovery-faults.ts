import { setTimeout as sleep } from "node:timers/promises";
import { recoverStale } from "@jobqueue/store";
import type { ChaosFault } from "./fault.ts";

/** Several that recover at once, beside the sweeps of the workers. */
export const RECOVERY_FAULTS: readonly ChaosFault[] = [
  {
    id: "T3",
    name: "several recover at once",
    apply: async ({ direct }) => {
      const callers = Array.from({ length: 4 }, async (_, caller) => {
        for (let round = 0; round < 40; round++) {
          await recoverStale(direct, { actor: `caller ${caller}`, reason: "chaos" }).catch(() => {});
          await sleep(50);
        }
      });
      await Promise.all(callers);
      return "nobody";
    },
  },
];
