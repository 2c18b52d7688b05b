import type { Queue } from "./answers.ts";
import { announce } from "./announce.ts";
import { ask } from "./api.ts";
import { askFirst } from "./dialog.ts";
import { h } from "./dom.ts";
import { count } from "./format.ts";
import { words } from "./notices.ts";

type Limits = Pick<Queue, "maxRunning" | "maxRunningPerKey" | "rate" | "fair">;

/** What holds a queue back, in words. */
export function limitsOf({ maxRunning, maxRunningPerKey, rate, fair }: Limits): string {
  const limits = [
    maxRunning !== null && `at most ${count(maxRunning)} running`,
    maxRunningPerKey !== null && `at most ${count(maxRunningPerKey)} running for each key`,
    rate !== null && `at most ${count(rate.count)} starts in ${rate.perSeconds} s`,
    fair && "keys take turns",
  ].filter((text) => text !== false);
  return limits.length === 0 ? "none" : limits.join(", ");
}

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? "" : String(value);

/** A field as the server takes it: empty is no limit. What is no number it refuses, in words. */
const number = (text = ""): number | string | null => {
  if (text === "") return null;
  return Number.isNaN(Number(text)) ? text : Number(text);
};

/** Shows the limits of a queue as they are now, asks for others and why, and sets them. */
export async function changeLimits(queue: string): Promise<void> {
  const path = `api/v1/queues/${encodeURIComponent(queue)}/policy`;
  let policy: Limits;
  try {
    ({ policy } = await ask<{ policy: Limits }>("GET", path));
  } catch (error) {
    announce(words(error), "bad");
    return;
  }
  const done = await askFirst({
    title: `Limits of ${queue}`,
    body: [
      h("p", {}, "They hold for all workers together, at once. A limit may protect something: ask its owner first."),
      h(
        "p",
        {},
        "Where a JobQueue object manages the queue, change its spec instead: the operator puts back what it says.",
      ),
    ],
    fields: [
      {
        name: "maxRunning",
        label: "Most jobs at once",
        value: shown(policy.maxRunning),
        hint: "Empty: no limit. 0 stops the queue.",
      },
      {
        name: "maxRunningPerKey",
        label: "Most jobs at once of one concurrency key",
        value: shown(policy.maxRunningPerKey),
        hint: "Empty: no limit.",
      },
      {
        name: "fair",
        label: "Concurrency keys",
        value: policy.fair ? "yes" : "",
        choices: [
          ["", "the oldest job first"],
          ["yes", "take turns"],
        ],
      },
      { name: "rateCount", label: "Most starts", value: shown(policy.rate?.count), hint: "Empty: no limit." },
      { name: "ratePer", label: "in so many seconds", value: shown(policy.rate?.perSeconds ?? 60) },
      { name: "reason", label: "Why", required: true },
    ],
    action: "Change",
    act: async ({ reason = "", fair, maxRunning, maxRunningPerKey, rateCount = "", ratePer }) => {
      const rate = rateCount === "" ? null : { count: number(rateCount), perSeconds: number(ratePer) };
      await ask("PATCH", path, {
        body: {
          policy: {
            maxRunning: number(maxRunning),
            maxRunningPerKey: number(maxRunningPerKey),
            fair: fair === "yes",
            rate,
          },
          reason,
        },
      });
    },
  });
  if (done) announce(`Changed the limits of ${queue}.`);
}
