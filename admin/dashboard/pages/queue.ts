import type { Queue, Queues } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put, update } from "../dom.ts";
import { count } from "../format.ts";
import { holdList, pause } from "../holds.ts";
import { changeLimits, limitsOf } from "../limits.ts";
import { badge, loading } from "../notices.ts";
import type { PageContext } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { seriesCharts } from "../series-charts.ts";
import { may } from "../session.ts";
import { ago } from "../ticking.ts";
import { whyPanel } from "../why-panel.ts";

const STATES = ["pending", "running", "scheduled", "failed", "deferred", "dead", "cancelled"] as const;

/** One queue: its counts, who holds it, why it does not run, and its charts. */
export async function showQueue({ root, live, signal }: PageContext, name: string): Promise<void> {
  const facts = h("div", {}, loading("the queue"));
  const why = whyPanel(`api/v1/queues/${encodeURIComponent(name)}/why`, signal);
  const draw = (queue: Queue | undefined): void => {
    if (queue === undefined) return;
    update(facts, ...factsOf(queue));
  };
  const load = async (): Promise<void> => {
    const { queue } = await ask<{ queue: Queue }>("GET", `api/v1/queues/${encodeURIComponent(name)}`, { signal });
    draw(queue);
    why.draw();
  };
  put(
    root,
    h("p", { class: "back" }, h("a", { href: placeLink("queues") }, "All queues")),
    facts,
    h(
      "p",
      { class: "buttons" },
      may("queues:pause") && h("button", { type: "button", onclick: () => void pause(name) }, "Pause …"),
      may("queues:configure") &&
        h("button", { type: "button", onclick: () => void changeLimits(name).then(load) }, "Limits …"),
      may("jobs:read") && h("a", { href: placeLink("items", undefined, { queue: name }) }, "Its items"),
    ),
    why.element,
    seriesCharts(name, signal),
  );
  await load();
  live.follow("queues", signal, ({ queues }: Queues) => {
    draw(queues.find((entry) => entry.queue === name));
  });
  live.onChange(signal, why.draw);
}

function factsOf(queue: Queue): HTMLElement[] {
  const { paused, holds, oldestPendingSince, stale } = queue;
  return [
    h(
      "p",
      {},
      paused ? badge("paused", "warn") : badge("open", "good"),
      stale > 0 && badge(`${count(stale)} stale`, "bad"),
    ),
    ...(paused ? [holdList(holds)] : []),
    h(
      "dl",
      { class: "facts" },
      ...STATES.flatMap((state) => [
        h("dt", {}, state === "failed" ? "waiting to retry" : state),
        h(
          "dd",
          {},
          h("a", { href: placeLink("items", undefined, { queue: queue.queue, state }) }, count(queue[state])),
        ),
      ]),
      h("dt", {}, "oldest pending"),
      h("dd", {}, ago(oldestPendingSince)),
      h("dt", {}, "limits"),
      h("dd", {}, limitsOf(queue)),
    ),
  ];
}
