import { setTimeout as sleep } from "node:timers/promises";
import { enqueue } from "@jobqueue/store";
import { QUEUES } from "../producer.ts";
import { nowMs } from "../../support/history/process-log.ts";
import type { OperatorFault } from "./targets.ts";

/** How long a worker is hung at most, milliseconds: longer than it takes to be replaced, where nothing else is wrong. */
const HUNG_MS = 40_000;

/** One that heartbeats no more and cannot be asked to end. */
export const FROZEN: OperatorFault = {
  id: "R2",
  name: "worker frozen until it is replaced",
  apply: async ({ fleet, random }) => {
    // One that hangs before the store knows it is the business of its kubelet's probes.
    const known = () => fleet.members.filter(({ process }) => process.entries("registered").length > 0);
    const waitUntil = nowMs() + HUNG_MS;
    while (known().length === 0 && nowMs() < waitUntil) await sleep(200);
    const [first, ...others] = known();
    if (first === undefined) return "nobody";
    const member = random.pick([first, ...others]);
    const { name, process } = member;
    fleet.held.add(member);
    process.signal("SIGSTOP");
    await Promise.race([process.exited, sleep(HUNG_MS)]);
    process.signal("SIGCONT");
    fleet.held.delete(member);
    return name;
  },
};

/** A worker that hangs until its pod is replaced. One of these is under way all the while, beside the pairs. */
export const HUNG_FAULTS: readonly OperatorFault[] = [
  FROZEN,
  {
    id: "W6",
    name: "loop of a worker blocked until it is replaced",
    apply: async ({ direct, random }) => {
      const queue = random.pick([QUEUES.plain, QUEUES.keyed]);
      const until = nowMs() + HUNG_MS;
      // Who runs it once more after that is not blocked.
      await enqueue(direct, { queue, kind: "block", payload: { until }, priority: -100, maxAttempts: 3 }).catch(
        () => {},
      );
      await sleep(HUNG_MS / 2);
      return "nobody";
    },
  },
];

/** Faults of pods and of the node they run on. */
export const POD_FAULTS: readonly OperatorFault[] = [
  {
    id: "N1",
    name: "pod removed by force while its process lives",
    apply: async ({ cluster, random }) => {
      const { items } = await cluster.api
        .get<{ items: { metadata: { name: string } }[] }>(cluster.path("pods"))
        .catch(() => ({ items: [] }));
      if (items.length === 0) return "nobody";
      const { metadata } = random.pick(items);
      await cluster.removePod(metadata.name).catch(() => {});
      return "nobody";
    },
  },
];
