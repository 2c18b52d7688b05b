import type { Schedule } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put } from "../dom.ts";
import { instant } from "../format.ts";
import { badge, loading } from "../notices.ts";
import type { PageContext } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { schedulePath, toggleButton, triggerButton } from "../schedule-acts.ts";
import { tickList } from "../schedule-ticks.ts";

interface Detail {
  readonly schedule: Schedule;
  readonly ticks: readonly {
    readonly tick: string;
    readonly outcome: string;
    readonly jobId: string | null;
    readonly at: string;
  }[];
  readonly next: readonly string[];
}

/** One schedule: what it enqueues, when it ticks next, and what became of its latest ticks. */
export async function showSchedule({ root, signal, reload }: PageContext, name: string): Promise<void> {
  put(root, loading("the schedule"));
  const { schedule, ticks, next } = await ask<Detail>("GET", schedulePath(name), { signal });
  put(
    root,
    h("p", { class: "back" }, h("a", { href: placeLink("schedules") }, "All schedules")),
    h(
      "p",
      { class: "buttons" },
      schedule.paused ? badge("paused", "warn") : badge("on", "good"),
      toggleButton(schedule, reload),
      triggerButton(schedule, reload),
    ),
    h(
      "dl",
      { class: "facts" },
      h("dt", {}, "Cron"),
      h("dd", {}, `${schedule.cron} (${schedule.timeZone})`),
      h("dt", {}, "Enqueues"),
      h("dd", {}, `${schedule.kind} into ${schedule.queue}`),
      h("dt", {}, "Missed ticks"),
      h("dd", {}, `${schedule.missedTicks}, at most ${schedule.maxMissed}`),
      h("dt", {}, "Kept by"),
      h("dd", {}, schedule.owner ?? "people"),
    ),
    h("h2", {}, "Next ticks"),
    next.length === 0 ? h("p", {}, "None while it is paused.") : tickList(next),
    h("h2", {}, "Latest ticks"),
    ticks.length === 0
      ? h("p", {}, "It has not ticked yet.")
      : h(
          "ol",
          {},
          ...ticks.map(({ tick, outcome, jobId }) =>
            h(
              "li",
              {},
              `${instant(tick)}: ${outcome} `,
              jobId !== null && h("a", { href: placeLink("jobs", jobId) }, jobId),
            ),
          ),
        ),
  );
}
