import {
  deleteSchedule,
  getSchedule,
  listSchedules,
  listTicks,
  type NewSchedule,
  nextTicks,
  pauseSchedule,
  putSchedule,
  type Schedule,
  serverFacts,
  triggerSchedule,
} from "@jobqueue/store";
import { asJson, documented } from "../json.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { anything, flag, instant, integer, list, nullable, object, oneOf, optional, text } from "../schema.ts";
import { JOB_OPTIONS, KIND } from "./new-job.ts";
import { CHANGED_SCHEDULE, ID, QUEUE_NAME, REASON, SCHEDULE, SCHEDULE_NAME } from "./shapes.ts";

const CRON = text({
  description: "Five fields, or six with seconds first.",
  minLength: 1,
  maxLength: 256,
  examples: ["0 3 * * *"],
});
const ZONE = text({ description: "A time zone.", minLength: 1, maxLength: 64, examples: ["Europe/Berlin"] });

const TICK = object({
  tick: instant(),
  outcome: oneOf(["fired", "duplicate", "skipped"]),
  jobId: nullable(text()),
  at: instant(),
});

/** A schedule for an answer: what its jobs carry is not in it. */
function publicSchedule({ payload: _payload, options: _options, ...schedule }: Schedule) {
  return documented(SCHEDULE, schedule);
}

async function findSchedule(api: Api, name: string): Promise<Schedule> {
  const found = await getSchedule(api.database, name, { payloads: false });
  if (found === undefined) throw new Problem("not_found", `The store has no schedule ${name}.`);
  return found;
}

/** Schedules that a program keeps are changed where that program is told, or it changes them back. */
async function refuseOwned(api: Api, name: string): Promise<void> {
  const found = await getSchedule(api.database, name, { payloads: false });
  if (typeof found?.owner === "string") {
    throw new Problem(
      "conflict",
      `The schedule ${name} is kept by ${found.owner}, which would put it back: change it there.`,
    );
  }
}

const changing = (paused: boolean) =>
  defineRoute({
    method: "POST",
    path: `/api/v1/schedules/{name}/${paused ? "pause" : "resume"}`,
    id: paused ? "pauseSchedule" : "resumeSchedule",
    tag: "Schedules",
    summary: paused ? "Pause a schedule: no tick fires." : "Resume a schedule, from its next tick on.",
    access: ["schedules:write"],
    params: { name: SCHEDULE_NAME },
    body: object({ reason: optional(REASON) }),
    bodyOptional: true,
    answer: { schema: CHANGED_SCHEDULE, words: "The schedule." },
    problems: ["not_found"],
    handle: async ({ params, body, principal }, api) => {
      const reason = body?.reason ?? `${paused ? "paused" : "resumed"} through the API`;
      await findSchedule(api, params.name);
      const changed = await pauseSchedule(api.database, params.name, paused, { actor: principal.actor, reason });
      return { ...publicSchedule(await findSchedule(api, params.name)), changed };
    },
  });

/** Routes of schedules. */
export const SCHEDULE_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/schedules",
    id: "listSchedules",
    tag: "Schedules",
    summary: "Schedules, by name.",
    access: ["schedules:read"],
    query: { queue: optional(QUEUE_NAME) },
    answer: { schema: object({ schedules: list(SCHEDULE) }), words: "The schedules." },
    handle: async ({ query }, api) => {
      const { queue } = query;
      const found = await listSchedules(api.database, { payloads: false, ...(queue !== undefined && { queue }) });
      return { schedules: found.map(publicSchedule) };
    },
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/schedule-preview",
    id: "previewSchedule",
    tag: "Schedules",
    summary: "When a cron expression would tick from now on, changes of the clock included.",
    access: ["schedules:read"],
    query: {
      cron: CRON,
      timeZone: { ...ZONE, default: "UTC" },
      count: integer({ minimum: 1, maximum: 100, default: 10 }),
    },
    answer: { schema: object({ ticks: list(instant()) }), words: "The next ticks; fewer when there are no more." },
    handle: async ({ query }, api) => {
      const { now } = await serverFacts(api.database);
      return { ticks: asJson(nextTicks(query.cron, query.timeZone, now, query.count)) };
    },
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/schedules/{name}",
    id: "getSchedule",
    tag: "Schedules",
    summary: "One schedule, its latest ticks and the next ones.",
    access: ["schedules:read"],
    params: { name: SCHEDULE_NAME },
    answer: {
      schema: object({ schedule: SCHEDULE, ticks: list(TICK), next: list(instant()) }),
      words: "The schedule.",
    },
    problems: ["not_found"],
    handle: async ({ params }, api) => {
      const schedule = await findSchedule(api, params.name);
      const { now } = await serverFacts(api.database);
      const next = schedule.paused ? [] : nextTicks(schedule.cron, schedule.timeZone, now, 5);
      return asJson({ schedule: publicSchedule(schedule), ticks: await listTicks(api.database, params.name), next });
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/api/v1/schedules/{name}",
    id: "putSchedule",
    tag: "Schedules",
    summary: "Make a schedule, or change it to exactly this.",
    access: ["schedules:write"],
    params: { name: SCHEDULE_NAME },
    body: object({
      queue: QUEUE_NAME,
      kind: KIND,
      cron: CRON,
      timeZone: optional(ZONE),
      payload: optional(anything()),
      missedTicks: optional(
        oneOf(["skip", "once", "all"], { description: "What becomes of ticks that are more than a minute late." }),
      ),
      maxMissed: optional(integer({ minimum: 1, maximum: 1000 })),
      reason: optional(REASON),
      ...JOB_OPTIONS,
    }),
    answer: { schema: CHANGED_SCHEDULE, words: "The schedule." },
    problems: ["conflict"],
    handle: async ({ params, body, principal }, api) => {
      const { reason = "put through the API", ...schedule } = body;
      await refuseOwned(api, params.name);
      const changed = await putSchedule(api.database, { name: params.name, ...schedule } as NewSchedule, {
        actor: principal.actor,
        reason,
      });
      return { ...publicSchedule(await findSchedule(api, params.name)), changed };
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/api/v1/schedules/{name}",
    id: "deleteSchedule",
    tag: "Schedules",
    summary: "Delete a schedule; jobs that it enqueued stay.",
    access: ["schedules:write"],
    params: { name: SCHEDULE_NAME },
    query: { reason: optional(REASON) },
    answer: { schema: object({ name: text(), deleted: flag() }), words: "It is gone." },
    problems: ["not_found", "conflict"],
    handle: async ({ params, query, principal }, api) => {
      await refuseOwned(api, params.name);
      const act = { actor: principal.actor, reason: query.reason ?? "deleted through the API" };
      if (await deleteSchedule(api.database, params.name, act)) return { name: params.name, deleted: true };
      throw new Problem("not_found", `The store has no schedule ${params.name}.`);
    },
  }),
  changing(true),
  changing(false),
  defineRoute({
    method: "POST",
    path: "/api/v1/schedules/{name}/trigger",
    id: "triggerSchedule",
    tag: "Schedules",
    summary: "Enqueue the job of a schedule now, beside its ticks; also while it is paused.",
    access: ["schedules:write"],
    params: { name: SCHEDULE_NAME },
    body: object({ reason: optional(REASON) }),
    bodyOptional: true,
    answer: { status: 201, schema: object({ jobId: ID }), words: "It is enqueued." },
    problems: ["not_found"],
    handle: async ({ params, body, principal }, api) => {
      const act = { actor: principal.actor, reason: body?.reason ?? "triggered through the API" };
      const jobId = await triggerSchedule(api.database, params.name, act);
      if (jobId === undefined) throw new Problem("not_found", `The store has no schedule ${params.name}.`);
      return { jobId };
    },
  }),
];
