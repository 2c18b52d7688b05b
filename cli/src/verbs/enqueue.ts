import { type Enqueued, StoreError } from "@jobqueue/store";
import type { Arguments } from "../arguments.ts";
import { batches, type EnqueuePlan, payloadText } from "../enqueue-plan.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { enqueueOptions } from "../job-options.ts";
import { printResult } from "../output/result.ts";
import { Progress } from "../progress.ts";
import { NoAnswer } from "../source/admin-api.ts";
import { withSource } from "../source/open-source.ts";
import { remark, type Terminal } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

async function planOf(args: Arguments, terminal: Terminal): Promise<EnqueuePlan> {
  const given = args.text("payload");
  return {
    template: { queue: args.positional("QUEUE"), kind: args.positional("KIND"), ...enqueueOptions(args) },
    payload: given === undefined ? undefined : await payloadText(given, terminal),
    uniqueKey: args.text("unique-key"),
    count: args.number("count"),
  };
}

/** Says what is already stored when a later statement fails, since each statement commits by itself. */
function tellHalf(terminal: Terminal, done: number, total: number, error: unknown): void {
  if (done === 0 && total === 1) return;
  const unknown =
    error instanceof NoAnswer
      ? error.sent
      : error instanceof StoreError && (error.code === "connection_lost" || error.code === "timeout");
  remark(terminal, `${done} of ${total} jobs are stored${unknown ? "; whether the next ones were is unknown" : ""}.`);
}

/** Who may have a unique key, one and several: with --unique-for also jobs that are over. */
function taken(args: Arguments): readonly [string, string] {
  if (args.has("unique-for")) return ["job", "other jobs"];
  return args.on("replace") ? ["running job", "running jobs"] : ["live job", "live jobs"];
}

function tell(args: Arguments, results: readonly Enqueued[]): string {
  const where = `of kind ${args.positional("KIND")} in queue ${args.positional("QUEUE")}`;
  const added = results.filter((result) => result.outcome === "inserted");
  const replaced = results.filter((result) => result.outcome === "replaced");
  const duplicates = results.length - added.length - replaced.length;
  const lines: string[] = [];
  if (added.length === 1) lines.push(`Enqueued job ${added[0]?.id} ${where}.`);
  if (added.length > 1) {
    lines.push(`Enqueued ${added.length} jobs ${where}, the first ${added[0]?.id}, the last ${added.at(-1)?.id}.`);
  }
  if (replaced.length === 1) {
    lines.push(`Replaced job ${replaced[0]?.id}, which had this unique key and did not run yet.`);
  } else if (replaced.length > 1) {
    lines.push(`Replaced ${replaced.length} jobs, which had these unique keys and did not run yet.`);
  }
  const [holding, hold] = taken(args);
  if (duplicates > 0 && results.length === 1) {
    lines.push(`Nothing enqueued: ${holding} ${results[0]?.id} already has this unique key.`);
  } else if (duplicates > 0) {
    lines.push(`${duplicates} not enqueued: ${hold} already have their unique keys.`);
  }
  return lines.join("\n");
}

/** `jobqueue enqueue QUEUE KIND`. */
export const run: RunVerb = async (args, terminal) => {
  const plan = await planOf(args, terminal);
  const total = plan.count ?? 1;
  let interrupted = false;
  const onInterrupt = (): void => {
    interrupted = true;
  };
  process.once("SIGINT", onInterrupt);
  const results: Enqueued[] = [];
  try {
    await withSource(args, terminal, async ({ source }) => {
      const progress = new Progress(terminal, "jobs enqueued", total);
      try {
        for (const batch of batches(plan)) {
          if (interrupted) break;
          results.push(...(await source.enqueueMany(batch)));
          progress.done(results.length);
        }
      } catch (error) {
        tellHalf(terminal, results.length, total, error);
        throw error;
      } finally {
        progress.end();
      }
    });
  } finally {
    process.removeListener("SIGINT", onInterrupt);
  }
  printResult(args, terminal, {
    value: plan.count === undefined ? results[0] : results,
    names: results.map((result) => result.id),
    text: () => tell(args, results),
  });
  if (!interrupted || results.length === total) return 0;
  remark(terminal, `Interrupted: ${results.length} of ${total} jobs are stored.`);
  return EXIT_CODES.interrupted.code;
};
