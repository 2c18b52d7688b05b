import { announce } from "./announce.ts";
import type { Schedule } from "./answers.ts";
import { ask } from "./api.ts";
import { askFirst } from "./dialog.ts";
import { h } from "./dom.ts";
import { may } from "./session.ts";

/** The path of a schedule. */
export const schedulePath = (name: string): string => `api/v1/schedules/${encodeURIComponent(name)}`;

/** Pauses a schedule or resumes it, with a reason. A program that owns one keeps doing so: pausing is not taken back by it. */
async function toggle({ name, paused }: Schedule, then: () => void): Promise<void> {
  const verb = paused ? "resume" : "pause";
  const done = await askFirst({
    title: `${paused ? "Resume" : "Pause"} ${name}`,
    body: [h("p", {}, paused ? "It goes on with its next tick." : "No tick fires until somebody resumes it.")],
    fields: [{ name: "reason", label: "Why" }],
    action: paused ? "Resume" : "Pause",
    act: async ({ reason = "" }) => {
      await ask("POST", `${schedulePath(name)}/${verb}`, { body: reason === "" ? {} : { reason } });
    },
  });
  if (!done) return;
  announce(`${paused ? "Resumed" : "Paused"} ${name}.`);
  then();
}

/** Enqueues the job of a schedule now. */
async function trigger({ name, queue, kind }: Schedule, then: () => void): Promise<void> {
  let jobId = "";
  const done = await askFirst({
    title: `Run ${name} now`,
    body: [h("p", {}, `Enqueues ${kind} into ${queue} once, beside its ticks. Its next tick stays where it is.`)],
    fields: [{ name: "reason", label: "Why" }],
    action: "Run now",
    act: async ({ reason = "" }) => {
      ({ jobId } = await ask<{ jobId: string }>("POST", `${schedulePath(name)}/trigger`, {
        body: reason === "" ? {} : { reason },
      }));
    },
  });
  if (!done) return;
  announce(`Enqueued job ${jobId} of ${name}.`);
  then();
}

/** A button that enqueues the job of a schedule, for who may. */
export const triggerButton = (schedule: Schedule, then: () => void): HTMLElement | false =>
  may("schedules:write") &&
  h(
    "button",
    {
      type: "button",
      class: "small",
      "aria-label": `Run now: ${schedule.name}`,
      onclick: () => void trigger(schedule, then),
    },
    "Run now …",
  );

/** A button that pauses a schedule, or resumes it, for who may. */
export const toggleButton = (schedule: Schedule, then: () => void): HTMLElement | false =>
  may("schedules:write") &&
  h(
    "button",
    {
      type: "button",
      class: "small",
      "aria-label": `${schedule.paused ? "Resume" : "Pause"} ${schedule.name}`,
      onclick: () => void toggle(schedule, then),
    },
    schedule.paused ? "Resume …" : "Pause …",
  );
