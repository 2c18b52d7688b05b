/** The handlers of our worker in the benches: what a user writes, plus the answers to the bench about what ran. */
import { setTimeout as sleep } from "node:timers/promises";
import { RunCounter } from "../run-counter.ts";
import { serve } from "../serve.ts";

const counter = new RunCounter();
serve({ runs: counter.runs, probe: counter.probe, probes: counter.probes });

export default {
  count: async ({ id }: { id: number }) => {
    counter.ran(id);
  },
  slow: async ({ id, ms }: { id: number; ms: number }) => {
    counter.ran(id);
    await sleep(ms);
  },
};
