import { withStore } from "../connect/open-store.ts";
import { formatDuration } from "../duration.ts";
import { describeHold } from "../holds.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import { printableLine } from "../output/printable.ts";
import { findQueue, type QueueView, readStore, type StoreView } from "../queues.ts";
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

/** What holds a queue; the holds on every queue are told once, above the table. */
function pausedBy(queue: QueueView, now: Date): string {
  const own = queue.holds.filter((hold) => hold.queue !== "*").map((hold) => describeHold(hold, now));
  return [...own, ...(own.length < queue.holds.length ? ["every queue"] : [])].join("; ");
}

function columns(now: Date): Column<QueueView>[] {
  return [
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
    {
      title: "PAUSED BY",
      flexible: true,
      value: (queue) => pausedBy(queue, now),
    },
  ];
}

/** The table of queues; when every queue is held that is said first, since it also holds for queues not listed. */
export function renderStatus(
  store: StoreView,
  queues: readonly QueueView[],
  terminal: Pick<Terminal, "width" | "colour">,
): string {
  const held = store.everyQueue.map(
    (hold) => `Every queue is paused by ${printableLine(describeHold(hold, store.now))}\n`,
  );
  if (queues.length === 0)
    return `${held.join("")}The store has no queues yet; \`jobqueue enqueue QUEUE KIND\` makes the first.\n`;
  const shown = columns(store.now).filter(({ title }) => title !== "PAUSED BY" || queues.some((queue) => queue.paused));
  const table = renderTable(shown, queues, terminal);
  return held.length === 0 ? table : `${held.join("")}\n${table}`;
}

/** `jobqueue status [QUEUE]`. */
export const run: RunVerb = async (args, terminal) => {
  const store = await withStore(args, terminal, async ({ database }) => readStore(database));
  const name = args.optional("QUEUE");
  const queues = name === undefined ? store.queues : [findQueue(store, name)];
  printResult(args, terminal, {
    value: name === undefined ? queues : queues[0],
    names: queues.map((queue) => queue.queue),
    text: () => renderStatus(store, queues, terminal),
  });
  return 0;
};
