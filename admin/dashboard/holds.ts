import type { Hold } from "./answers.ts";
import { announce } from "./announce.ts";
import { ask } from "./api.ts";
import { askFirst } from "./dialog.ts";
import { h } from "./dom.ts";
import { may } from "./session.ts";
import { ago, countdown } from "./ticking.ts";

/** `*` in words. */
const named = (queue: string): string => (queue === "*" ? "every queue" : queue);

/** Hold names are one segment of a path; `.` and `..` cannot be. */
const path = (queue: string, name: string): string =>
  `api/v1/queues/${encodeURIComponent(queue)}/holds/${encodeURIComponent(name)}`;

const FOR: readonly (readonly [string, string])[] = [
  ["", "until somebody releases it"],
  ["900", "15 minutes"],
  ["3600", "1 hour"],
  ["14400", "4 hours"],
  ["86400", "1 day"],
  ["604800", "1 week"],
];

/** Asks for reason and end, and pauses a queue, or `*` for all. */
export async function pause(queue: string): Promise<void> {
  const done = await askFirst({
    title: `Pause ${named(queue)}`,
    body: [
      h("p", {}, "No worker starts another job; what runs goes on. It holds whatever restarts."),
      queue === "*" && h("p", {}, "This also holds for queues that are made later."),
    ],
    fields: [
      {
        name: "reason",
        label: "Why",
        required: true,
        hint: "Whoever wonders reads this, and so does the audit trail.",
      },
      { name: "forSeconds", label: "For how long", choices: FOR },
      {
        name: "name",
        label: "Name of the hold",
        value: "dashboard",
        required: true,
        maxLength: 128,
        hint: "Several holds may be in force: each is released by itself.",
      },
    ],
    action: "Pause",
    act: async ({ reason = "", forSeconds = "", name = "" }) => {
      await ask("PUT", path(queue, name), {
        body: { reason, ...(forSeconds !== "" && { forSeconds: Number(forSeconds) }) },
      });
    },
  });
  if (done) announce(`Paused ${named(queue)}.`);
}

/** Asks, and releases one hold. */
async function release(hold: Hold): Promise<void> {
  const done = await askFirst({
    title: `Release the hold ${hold.name}`,
    body: [h("p", {}, `It pauses ${named(hold.queue)}: ${hold.reason}`)],
    fields: [{ name: "reason", label: "Why" }],
    action: "Release",
    act: async ({ reason = "" }) => {
      await ask("DELETE", path(hold.queue, hold.name), { query: { reason } });
    },
  });
  if (done) announce(`Released ${hold.name} of ${named(hold.queue)}.`);
}

/** Who holds a queue, why, since when and until when, with a button to release what people may. */
export function holdList(holds: readonly Hold[]): HTMLElement {
  return h("ul", { class: "holds" }, ...holds.map(holdItem));
}

function holdItem(hold: Hold): HTMLElement {
  const ours = hold.source !== "spec";
  return h(
    "li",
    {},
    h("strong", {}, hold.name),
    ` on ${named(hold.queue)}: ${hold.reason} — by ${hold.actor} (${hold.source}), `,
    ago(hold.since),
    hold.until === null ? ", until released " : ", ends in ",
    hold.until !== null && countdown(hold.until, "a moment"),
    !ours && " (the spec.state of its JobQueue asserts it: change it there)",
    ours &&
      may("queues:pause") &&
      h(
        "button",
        {
          type: "button",
          class: "small",
          "aria-label": `Release ${hold.name} of ${named(hold.queue)}`,
          onclick: () => void release(hold),
        },
        "Release",
      ),
  );
}
