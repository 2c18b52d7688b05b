import { setTimeout as sleep } from "node:timers/promises";
import { type ChaosFault, STORE } from "./fault.ts";

/** Faults of the pooler that some workers go through. */
export const POOLER_FAULTS: readonly ChaosFault[] = [
  {
    id: "B2",
    name: "pooler restarted",
    possible: ({ bouncer }) => bouncer !== undefined,
    apply: async ({ bouncer }) => {
      await bouncer?.restart();
      return STORE;
    },
  },
  {
    id: "B2",
    name: "pooler paused",
    possible: ({ bouncer }) => bouncer !== undefined,
    apply: async ({ bouncer, random }) => {
      if (bouncer === undefined) return "nobody";
      await bouncer.console("pause");
      await sleep(random.between(500, 3_000));
      await bouncer.console("resume");
      return STORE;
    },
  },
];
