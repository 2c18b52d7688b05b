import type { RevealedSchedule, Schedule, ScheduleTick } from "@jobqueue/store";
import type { AdminApi } from "./admin-api.ts";
import { LOOK, orNothing, REVEALED_AT_ONCE } from "./admin-jobs.ts";
import { type InJson, withInstants } from "./instants.ts";
import type { Source } from "./source.ts";

type ScheduleInJson = Omit<InJson<Schedule>, "payload" | "options">;
type Calls =
  | "deleteSchedule"
  | "getSchedule"
  | "listSchedules"
  | "listTicks"
  | "pauseSchedule"
  | "putSchedule"
  | "triggerSchedule";

const withTimes = withInstants<Schedule>({ nextAt: true, lastTick: true, createdAt: true });
const tickOf = withInstants<ScheduleTick>({ tick: true, at: true });

const at = (name: string): string => `schedules/${encodeURIComponent(name)}`;

/** Schedules through the admin API. */
export function adminSchedules(api: AdminApi): Pick<Source, Calls> {
  const carried = async (names: readonly string[]): Promise<ReadonlyMap<string, RevealedSchedule>> => {
    const shown: RevealedSchedule[] = [];
    for (let from = 0; from < names.length; from += REVEALED_AT_ONCE) {
      const body = { names: names.slice(from, from + REVEALED_AT_ONCE), reason: LOOK };
      shown.push(
        ...(await api.ask<{ schedules: RevealedSchedule[] }>("POST", "bulk/reveal-schedules", { body })).schedules,
      );
    }
    return new Map(shown.map((one) => [one.name, one]));
  };
  const read = async (
    which: (name: string) => boolean,
    { payloads = true, queue }: { readonly payloads?: boolean; readonly queue?: string },
  ): Promise<Schedule[]> => {
    const answer = await api.ask<{ schedules: ScheduleInJson[] }>("GET", "schedules", { query: { queue } });
    const found = answer.schedules.filter(({ name }) => which(name));
    const shown = payloads ? await carried(found.map(({ name }) => name)) : undefined;
    return found.map((schedule) => {
      const { payload = null, options = null } = shown?.get(schedule.name) ?? {};
      return withTimes({ ...schedule, payload, options });
    });
  };
  return {
    listSchedules: async (options = {}) => read(() => true, options),
    // What cannot be the name of a schedule is the name of none, which the list says as well.
    getSchedule: async (name, options = {}) => (await read((other) => other === name, options))[0],
    listTicks: async (name, limit = 10) => {
      const answer = orNothing(api.ask<{ ticks: InJson<ScheduleTick>[] }>("GET", at(name)), undefined);
      return ((await answer)?.ticks ?? []).slice(0, limit).map(tickOf);
    },
    putSchedule: async ({ name, owner: _owner, ...schedule }, { reason }) =>
      (await api.ask<{ changed: boolean }>("PUT", at(name), { body: { ...schedule, reason } })).changed,
    deleteSchedule: async (name, { reason }) =>
      orNothing(
        api.ask("DELETE", at(name), { query: { reason } }).then(() => true),
        false,
      ),
    pauseSchedule: async (name, paused, { reason }) => {
      const path = `${at(name)}/${paused ? "pause" : "resume"}`;
      const answer = orNothing(api.ask<{ changed: boolean }>("POST", path, { body: { reason } }), undefined);
      return (await answer)?.changed ?? false;
    },
    triggerSchedule: async (name, { reason }) => {
      const answer = orNothing(
        api.ask<{ jobId: string }>("POST", `${at(name)}/trigger`, { body: { reason } }),
        undefined,
      );
      return (await answer)?.jobId;
    },
  };
}
