import type { Action } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import { specActor, actorFor, isHeldBy } from "../../spec-hold.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import { isInForce, scheduleOf } from "../desired/schedules.ts";
import type { Observed } from "../observed.ts";

/**
 * The schedules of the spec stand in the store as the spec says, and those that it no longer has are gone. A schedule that is
 * somebody else's is left alone, unless the spec has one of the same name. Whether one is paused is a person's business
 * where the spec says nothing. One that cannot be read leaves all as they are: a typing error must not end what works.
 */
export function schedules({ queue: object, store, invalidSchedule }: Observed): Finding {
  if (!object || store.is !== "ready") return {};
  if (invalidSchedule !== undefined) {
    return { problem: { reason: "InvalidSpec", sentence: invalidSchedule, ready: "False", needsPerson: true } };
  }
  const pool = poolOf(object);
  const queue = queueNameOf(object);
  const owner = specActor(pool, store.jobStore);
  const common = { store: storeKeyOf(object), actor: actorFor(pool) };
  const actions: Action[] = [];
  const named = new Set<string>();
  for (const spec of object.spec.schedules ?? []) {
    const schedule = scheduleOf(queue, owner, spec);
    const { name } = schedule;
    const seen = store.schedules.find((one) => one.name === name);
    named.add(name);
    if (!isInForce(schedule, seen)) {
      const sentence = seen ? "It is not what the spec says." : "The store does not have it yet.";
      actions.push({ do: "putSchedule", ...common, schedule, reason: "ScheduleDiffers", sentence });
    }
    const paused = spec.state && spec.state === "Paused";
    if (paused !== undefined && paused !== (seen?.paused ?? false)) {
      const sentence = `Its state in the spec is ${spec.state}.`;
      actions.push({ do: "pauseSchedule", ...common, name, paused, reason: "ScheduleDiffers", sentence });
    }
  }
  for (const { name, owner: whose } of store.schedules) {
    if (named.has(name) || whose === null || !isHeldBy(whose, pool, store.jobStore)) continue;
    const sentence = `JobQueue ${pool} has it no longer.`;
    actions.push({
      do: "deleteSchedule",
      ...common,
      name,
      unlessExists: undefined,
      reason: "ScheduleRemoved",
      sentence,
    });
  }
  return { actions };
}
