import type { Hold, QueuePolicy, QueueStats, Reason } from "@jobqueue/store";
import { type AdminApi, AdminProblem } from "./admin-api.ts";
import { orNothing } from "./admin-jobs.ts";
import { type InJson, withInstants } from "./instants.ts";
import type { Source } from "./source.ts";

type QueueInJson = InJson<QueueStats> & { readonly paused: boolean; readonly holds: readonly unknown[] };
type Calls = "configureQueue" | "hold" | "listHolds" | "queuePolicy" | "queueStats" | "release" | "whyQueue";

const statsOf = withInstants<QueueStats>({ oldestPendingSince: true });
const holdOf = withInstants<Hold>({ since: true, until: true });

const at = (queue: string): string => `queues/${encodeURIComponent(queue)}`;
const holdAt = (queue: string, name: string): string => `${at(queue)}/holds/${encodeURIComponent(name)}`;

/** Queues and holds through the admin API. `tell` gets what has to be said beside the result. */
export function adminQueues(api: AdminApi, tell: (text: string) => void): Pick<Source, Calls> {
  return {
    queueStats: async () => {
      const answer = await api.ask<{ queues: QueueInJson[]; at: string; partial: boolean }>("GET", "queues");
      if (answer.partial) tell(`The store takes long to count: the counts are those of ${answer.at}.`);
      return answer.queues.map(({ paused: _paused, holds: _holds, ...stats }) => statsOf(stats));
    },
    listHolds: async (queue) => {
      const { holds } = await api.ask<{ holds: InJson<Hold>[] }>("GET", "holds");
      return holds.map(holdOf).filter((hold) => queue === undefined || [queue, "*"].includes(hold.queue));
    },
    hold: async ({ queue, name, reason, until }) => {
      const body = { reason, until };
      return (await api.ask<{ changed: boolean }>("PUT", holdAt(queue, name), { body })).changed;
    },
    release: async ({ queue, name, reason }) =>
      orNothing(
        api.ask("DELETE", holdAt(queue, name), { query: { reason } }).then(() => true),
        false,
      ),
    queuePolicy: async (queue) => {
      const answer = api.ask<{ policy: Required<QueuePolicy> }>("GET", `${at(queue)}/policy`);
      return (await orNothing(answer, undefined))?.policy;
    },
    configureQueue: async (queue, policy, { reason }) => {
      const body = { policy, reason };
      return (await api.ask<{ changed: boolean }>("PATCH", `${at(queue)}/policy`, { body })).changed;
    },
    whyQueue: async (queue) => {
      try {
        return (await api.ask<{ reasons: Reason[] }>("GET", `${at(queue)}/why`)).reasons;
      } catch (error) {
        // What cannot be the name of a queue is the name of none.
        if (!(error instanceof AdminProblem) || error.status !== 400) throw error;
        return [{ rank: 1, code: "unknown_queue", message: error.message, detail: {} }];
      }
    },
  };
}
