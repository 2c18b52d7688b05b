import { setTimeout as sleep } from "node:timers/promises";
import { enqueue } from "@jobqueue/store";
import { LEASE_SECONDS, type Member } from "../member.ts";
import { QUEUES } from "../producer.ts";
import type { ChaosFault, Targets } from "./fault.ts";

function someone({ fleet, random }: Targets): Member | undefined {
  const { members } = fleet;
  return members.length === 0 ? undefined : random.pick(members);
}

/** Stops a process for so long, as a paused machine would be. */
function stopped(id: string, name: string, least: number, most: number): ChaosFault {
  return {
    id,
    name,
    apply: async (targets) => {
      const member = someone(targets);
      if (member === undefined) return "nobody";
      member.process.signal("SIGSTOP");
      await sleep(targets.random.between(least, most));
      member.process.signal("SIGCONT");
      return member.name;
    },
  };
}

/** Faults of workers. */
export const WORKER_FAULTS: readonly ChaosFault[] = [
  {
    id: "W1",
    name: "worker killed",
    apply: async (targets) => {
      const member = someone(targets);
      await member?.process.kill();
      return member?.name ?? "nobody";
    },
  },
  stopped("W2", "worker stopped past its lease", LEASE_SECONDS * 1_000 + 1_500, LEASE_SECONDS * 1_000 + 4_000),
  stopped("W3", "worker stopped for less than its lease", 300, LEASE_SECONDS * 1_000 - 1_500),
  {
    id: "W6",
    name: "loop blocked past its budget",
    apply: async ({ direct, random }) => {
      await enqueue(direct, {
        queue: QUEUES.plain,
        kind: "block",
        payload: { ms: random.whole(3_000, 5_500) },
        priority: -100,
        maxAttempts: 3,
      }).catch(() => {});
      await sleep(3_000);
      return "nobody";
    },
  },
  {
    id: "W11",
    name: "worker drained",
    apply: async (targets) => {
      const member = someone(targets);
      member?.process.signal("SIGTERM");
      await member?.process.exited;
      return member?.name ?? "nobody";
    },
  },
];
