import type { WorkerRow } from "@jobqueue/store";
import { formatDuration } from "../duration.ts";
import { placeOf } from "../job-story.ts";
import { printResult } from "../output/result.ts";
import { type Column, type Emphasis, renderTable } from "../output/table.ts";
import { withSource } from "../source/open-source.ts";
import type { RunVerb } from "../verb.ts";

const EMPHASIS: Readonly<Record<string, Emphasis>> = { healthy: "green", draining: "yellow", gone: "dim" };

function age(milliseconds: number | null): string {
  return milliseconds === null ? "-" : formatDuration(milliseconds / 1000);
}

function slots({ slotsBusy, concurrency, slotsStuck }: WorkerRow): string {
  const stuck = slotsStuck ? ` (${slotsStuck} stuck)` : "";
  return `${slotsBusy ?? "-"}/${concurrency ?? "-"}${stuck}`;
}

/** What is left of the lease, or that it is over. */
function lease(worker: WorkerRow, now: Date): string {
  if (worker.state === "gone") return "-";
  const left = (worker.leaseUntil.getTime() - now.getTime()) / 1000;
  return left > 0 ? formatDuration(left) : `over ${formatDuration(-left)}`;
}

function columns(now: Date): Column<WorkerRow>[] {
  return [
    { title: "ID", align: "right", value: (worker) => worker.id },
    { title: "WHERE", flexible: true, value: placeOf },
    {
      title: "VERDICT",
      value: (worker) => worker.verdict.replaceAll("_", " "),
      emphasis: (worker) => EMPHASIS[worker.verdict] ?? "red",
    },
    { title: "BEAT", align: "right", value: (worker) => age(worker.heartbeatAgeMs) },
    { title: "LOOP", align: "right", value: (worker) => age(worker.loopAgeMs) },
    {
      title: "LEASE",
      align: "right",
      value: (worker) => lease(worker, now),
      emphasis: (worker) => (worker.state !== "gone" && worker.leaseUntil <= now ? "red" : undefined),
    },
    {
      title: "SLOTS",
      align: "right",
      value: slots,
      emphasis: (worker) => (worker.slotsStuck ? "red" : undefined),
    },
    { title: "RUNNING", align: "right", value: (worker) => String(worker.running) },
    { title: "QUEUES", flexible: true, value: (worker) => worker.queues.join(",") },
  ];
}

/** `jobqueue workers`. */
export const run: RunVerb = async (args, terminal) => {
  const [queue, all] = [args.text("queue"), args.on("all")];
  const { workers, now } = await withSource(args, terminal, async ({ source }) => ({
    workers: (await source.listWorkers({ includeGone: all })).filter(
      (worker) => queue === undefined || worker.queues.includes(queue),
    ),
    now: await source.now(),
  }));
  printResult(args, terminal, {
    value: workers,
    names: workers.map((worker) => worker.id),
    text: () => {
      if (workers.length > 0) return renderTable(columns(now), workers, terminal);
      const which = queue === undefined ? "" : ` of queue ${queue}`;
      return all
        ? `No workers${which} are remembered.`
        : `There are no workers${which}; --all also shows those that are gone.`;
    },
  });
  return 0;
};
