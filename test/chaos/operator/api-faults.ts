import { setTimeout as sleep } from "node:timers/promises";
import type { WatchFate } from "./edge.ts";
import { API_SERVER, type OperatorFault, type OperatorTargets } from "./targets.ts";

/** Refuses, of what changes something, one in two for a while. */
function refused(
  name: string,
  code: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): OperatorFault {
  return {
    id: "K2",
    name,
    apply: async (targets) => {
      const random = targets.random.fork();
      const { edge } = random.pick(targets.replicas.all);
      const body = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: "by the round" };
      const fault = { kind: "answer", code, headers, body } as const;
      const when = ({ watch, resource }: { readonly watch: boolean; readonly resource: string }): boolean =>
        !watch && resource !== "leases" && random.chance(0.5);
      await edge.spoil({ when, fault }, random.between(1_000, 5_000));
      return API_SERVER;
    },
  };
}

/** Does something to all watches of one operator for a while. */
function watched(id: string, name: string, fateFor: (targets: OperatorTargets) => WatchFate): OperatorFault {
  return {
    id,
    name,
    apply: async (targets) => {
      const { name: operator, edge } = targets.random.pick(targets.replicas.all);
      await edge.spoilWatches(fateFor(targets), targets.random.between(2_000, 8_000));
      return operator;
    },
  };
}

/** What an API server says to a watch whose version it has forgotten. */
const EXPIRED = JSON.stringify({
  type: "ERROR",
  object: {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code: 410,
    reason: "Expired",
    message: "by the round",
  },
});

function expiring(): WatchFate {
  const told = { once: false };
  return () => {
    if (told.once) return "end";
    told.once = true;
    return [EXPIRED];
  };
}

const leavingOut =
  (random: OperatorTargets["random"]): WatchFate =>
  (line) =>
    random.chance(0.5) ? [line] : [];

/** Faults of the API server and of the way to it. */
export const API_FAULTS: readonly OperatorFault[] = [
  {
    id: "K1",
    name: "API server killed and started again",
    apply: async ({ api, random }) => {
      await api.stop("SIGKILL");
      await sleep(random.between(500, 9_000));
      await api.start();
      return API_SERVER;
    },
  },
  {
    id: "K1",
    name: "API server stands still",
    apply: async ({ api, random }) => {
      api.apiserver.freeze(true);
      await sleep(random.between(1_000, 8_000));
      api.apiserver.freeze(false);
      return API_SERVER;
    },
  },
  refused("throttled", 429, "TooManyRequests", { "retry-after": "1" }),
  refused("conflicts", 409, "Conflict"),
  refused("internal errors", 500, "InternalError"),
  refused("unavailable", 503, "ServiceUnavailable"),
  watched("K3", "watches silent", () => () => "stall"),
  watched("K4", "watches cut short", () => () => "end"),
  watched("K4", "watches reset", () => () => "reset"),
  watched("K4", "lines of watches truncated", () => () => "truncate"),
  watched("K4", "watches too old (410)", () => expiring()),
  watched("K4", "events told twice", () => (line) => [line, line]),
  watched("K4", "events left out", ({ random }) => leavingOut(random.fork())),
  {
    id: "K4",
    name: "connections of an operator reset",
    apply: async ({ replicas, random }) => {
      const replica = random.pick(replicas.all);
      for (let shot = 0; shot < 5; shot++) {
        replica.edge.reset();
        await sleep(random.between(200, 1_000));
      }
      return replica.name;
    },
  },
  {
    id: "K6",
    name: "answers of writes lost",
    apply: async (targets) => {
      const random = targets.random.fork();
      const replica = random.pick(targets.replicas.all);
      const when = ({ method }: { readonly method: string }): boolean => method !== "GET" && random.chance(0.4);
      await replica.edge.spoil({ when, fault: { kind: "lost answer" } }, random.between(1_000, 5_000));
      return replica.name;
    },
  },
];
