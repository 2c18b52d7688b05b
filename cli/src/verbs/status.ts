import type { Hold } from "@jobqueue/store";
import { formatDuration } from "../duration.ts";
import { describeHold, heldThing } from "../holds.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import { formatRate } from "../rate.ts";
import { printableLine } from "../output/printable.ts";
import { findQueue, type QueueView, readStore, type StoreView } from "../queues.ts";
import { withSource } from "../source/open-source.ts";
import type { Terminal } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

function count(title: string, of: (queue: QueueView) => number, alarming = false): Column<QueueView> {
  return {
    title,
    align: "right",
    value: (queue) => String(of(queue)),
    emphasis: (queue) => (of(queue) === 0 ? "dim" : alarming ? "red" : undefined),
  };
}

const COLUMNS: readonly Column<QueueView>[] = [
  { title: "QUEUE", flexible: true, value: (queue) => queue.queue },
  {
    title: "STATE",
    value: (queue) => (queue.paused ? "paused" : "active"),
    emphasis: (queue) => (queue.paused ? "yellow" : "green"),
  },
  count("PENDING", (queue) => queue.pending),
  count("SCHEDULED", (queue) => queue.scheduled),
  count("RUNNING", (queue) => queue.running),
  count("FAILED", (queue) => queue.failed),
  count("DEAD", (queue) => queue.dead, true),
  count("STALE", (queue) => queue.stale, true),
  {
    title: "OLDEST",
    align: "right",
    value: (queue) => (queue.oldestPendingSeconds === null ? "-" : formatDuration(queue.oldestPendingSeconds)),
  },
];

/** What the table has no column for: deferred jobs and limits, one sentence per queue that has any. */
function notes(queues: readonly QueueView[]): string[] {
  return queues.flatMap(({ queue, deferred, maxRunning, maxRunningPerKey, fair, rate }) => {
    const parts = [
      deferred === 0 ? "" : `${deferred} deferred`,
      maxRunning === null ? "" : `at most ${maxRunning} at once`,
      maxRunningPerKey === null ? "" : `at most ${maxRunningPerKey} at once of each concurrency key`,
      fair ? "concurrency keys take turns" : "",
      rate === null ? "" : `at most ${formatRate(rate)}`,
    ].filter(Boolean);
    return parts.length === 0 ? [] : [printableLine(`Queue ${queue}: ${parts.join(", ")}.`)];
  });
}

/** One sentence per hold: beneath the table, because who and why must not be cut to the width of a column. */
function paused(store: StoreView, queues: readonly QueueView[]): string[] {
  const sentence = (hold: Hold): string => `${heldThing(hold.queue)} is paused by ${describeHold(hold, store.now)}.`;
  const own = queues.flatMap((queue) => queue.holds.filter((hold) => hold.queue !== "*"));
  return [...store.everyQueue, ...own].map((hold) => printableLine(sentence(hold)));
}

/** The table of queues, and who paused which of them and why. */
export function renderStatus(
  store: StoreView,
  queues: readonly QueueView[],
  terminal: Pick<Terminal, "width" | "colour">,
): string {
  const empty = "The store has no queues yet; `jobqueue enqueue QUEUE KIND` makes the first.\n";
  const table = queues.length === 0 ? empty : renderTable(COLUMNS, queues, terminal);
  const sentences = [...paused(store, queues), ...notes(queues)];
  return sentences.length === 0 ? table : `${table}\n${sentences.join("\n")}\n`;
}

/** `jobqueue status [QUEUE]`. */
export const run: RunVerb = async (args, terminal) => {
  const store = await withSource(args, terminal, async ({ source }) => readStore(source));
  const name = args.optional("QUEUE");
  const queues = name === undefined ? store.queues : [findQueue(store, name)];
  printResult(args, terminal, {
    value: name === undefined ? queues : queues[0],
    names: queues.map((queue) => queue.queue),
    text: () => renderStatus(store, queues, terminal),
  });
  return 0;
};
