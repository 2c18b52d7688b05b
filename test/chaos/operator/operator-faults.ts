import { setTimeout as sleep } from "node:timers/promises";
import type { Replica } from "./replicas.ts";
import { LEASE_TIMES } from "./replicas.ts";
import type { OperatorFault, OperatorTargets } from "./targets.ts";

async function leaderOf({ replicas, random }: OperatorTargets): Promise<Replica> {
  return (await replicas.leader()) ?? random.pick(replicas.all);
}

async function standbyOf(targets: OperatorTargets): Promise<Replica> {
  const leader = await targets.replicas.leader();
  return targets.random.pick(targets.replicas.all.filter((replica) => replica !== leader));
}

/** Sends a signal to one of them. */
function signalled(
  id: string,
  name: string,
  whom: (targets: OperatorTargets) => Promise<Replica>,
  signal: NodeJS.Signals,
): OperatorFault {
  return {
    id,
    name,
    apply: async (targets) => {
      const replica = await whom(targets);
      replica.signal(signal);
      return replica.name;
    },
  };
}

/** Stops the leader for so long, as a paused machine would be. */
function stopped(name: string, least: number, most: number): OperatorFault {
  return {
    id: "O2",
    name,
    apply: async (targets) => {
      const leader = await leaderOf(targets);
      leader.signal("SIGSTOP");
      await sleep(targets.random.between(least, most));
      leader.signal("SIGCONT");
      return leader.name;
    },
  };
}

/** Faults of the operators themselves. */
export const OPERATOR_FAULTS: readonly OperatorFault[] = [
  signalled("O1", "leader killed", leaderOf, "SIGKILL"),
  signalled("O1", "leader killed", leaderOf, "SIGKILL"),
  signalled("O1", "standby killed", standbyOf, "SIGKILL"),
  signalled("O1", "leader asked to end", leaderOf, "SIGTERM"),
  stopped("leader stopped past its Lease", LEASE_TIMES.leaseDurationMs + 2_000, LEASE_TIMES.leaseDurationMs + 8_000),
  stopped("leader stopped for less than its Lease", 500, LEASE_TIMES.renewDeadlineMs - 2_000),
  {
    id: "O3",
    name: "both replicas lose the Lease",
    apply: async ({ replicas, random }) => {
      const ms = random.between(2_000, LEASE_TIMES.leaseDurationMs + 3_000);
      const rule = {
        when: ({ resource }: { readonly resource: string }) => resource === "leases",
        fault: { kind: "reset" },
      } as const;
      await Promise.all(replicas.all.map(({ edge }) => edge.spoil(rule, ms)));
      return "operators";
    },
  },
];
