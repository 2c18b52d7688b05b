import type { Hold } from "@jobqueue/store";
import { formatDuration } from "../duration.ts";
import { ownerOf } from "../holds.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import { withSource } from "../source/open-source.ts";
import type { RunVerb } from "../verb.ts";

function columns(now: Date): Column<Hold>[] {
  const distance = (from: Date, to: Date): string => formatDuration((to.getTime() - from.getTime()) / 1000);
  return [
    {
      title: "QUEUE",
      flexible: true,
      value: (hold) => hold.queue,
      emphasis: (hold) => (hold.queue === "*" ? "yellow" : undefined),
    },
    { title: "NAME", flexible: true, value: (hold) => hold.name },
    { title: "SOURCE", value: (hold) => hold.source },
    {
      title: "BY",
      flexible: true,
      value: (hold) => {
        const owner = ownerOf(hold);
        return owner ? `${owner.kind} ${owner.namespace}/${owner.name}` : hold.actor;
      },
    },
    { title: "SINCE", align: "right", value: (hold) => distance(hold.since, now) },
    { title: "ENDS IN", align: "right", value: (hold) => (hold.until === null ? "-" : distance(now, hold.until)) },
    { title: "REASON", flexible: true, value: (hold) => hold.reason },
  ];
}

/** `jobqueue holds [QUEUE]`. */
export const run: RunVerb = async (args, terminal) => {
  const queue = args.optional("QUEUE");
  const { holds, now } = await withSource(args, terminal, async ({ source }) => ({
    holds: await source.listHolds(queue),
    now: await source.now(),
  }));
  printResult(args, terminal, {
    value: holds,
    names: holds.map((hold) => `${hold.queue}/${hold.name}`),
    text: () => {
      if (holds.length > 0) return renderTable(columns(now), holds, terminal);
      return queue === undefined ? "Nothing is paused." : `Nothing holds ${queue === "*" ? "'*'" : `queue ${queue}`}.`;
    },
  });
  return 0;
};
