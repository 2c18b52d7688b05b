import type { BulkFilter, JobState } from "@jobqueue/store";
import type { Arguments } from "./arguments.ts";
import { exactDuration } from "./duration.ts";
import { usageFailure } from "./failure.ts";
import { parseJobId, parseWorkerId } from "./job-id.ts";
import { formatLabels, parseLabels } from "./labels.ts";

/** Which jobs a verb is to act on: these, or all that a filter finds. */
export type JobChoice = { readonly ids: readonly string[] } | { readonly filter: BulkFilter };

/** Flags that choose jobs, and hence mean nothing beside ids. */
const CHOOSING_FLAGS = ["queue", "kind", "state", "tag", "label", "worker", "unique-key", "older-than", "max"];

/** What the flags of 'Which jobs' say; empty when there is none. */
export function filterOf(args: Arguments): BulkFilter {
  const worker = args.text("worker");
  const filter = {
    queue: args.text("queue"),
    kind: args.text("kind"),
    state: args.text("state") as JobState | undefined,
    tag: args.text("tag"),
    labels: parseLabels(args.texts("label")),
    worker: worker === undefined ? undefined : parseWorkerId(worker),
    uniqueKey: args.text("unique-key"),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** The jobs that the command line names by id or chooses by flags; a failure when it does neither, or both. */
export function jobChoice(args: Arguments, verb: string): JobChoice {
  const ids = [...new Set(args.many("ID").map(parseJobId))];
  const both = CHOOSING_FLAGS.find((name) => args.has(name));
  if (ids.length > 0 && both !== undefined) {
    throw usageFailure(`--${both} chooses jobs, and ids name them: give one or the other`);
  }
  if (ids.length > 0) return { ids };
  const olderThanSeconds = args.number("older-than");
  const filter = { ...filterOf(args), ...(olderThanSeconds === undefined ? {} : { olderThanSeconds }) };
  if (Object.keys(filter).length > 0) return { filter };
  throw usageFailure(
    `${verb} needs to be told which jobs`,
    `Name them by id (jobqueue ${verb} 4711), or choose them by flags: jobqueue ${verb} --queue QUEUE --dry-run shows how many, and which.`,
  );
}

/** A filter in words, for a question: `of queue mailers, state dead`. */
export function describeFilter(filter: BulkFilter): string {
  const parts = [
    filter.queue && `queue ${filter.queue}`,
    filter.kind && `kind ${filter.kind}`,
    filter.state && `state ${filter.state}`,
    filter.tag && `tag ${filter.tag}`,
    filter.labels && `label ${formatLabels(filter.labels)}`,
    filter.worker && `worker ${filter.worker}`,
    filter.uniqueKey && `unique key ${filter.uniqueKey}`,
    filter.olderThanSeconds !== undefined && `older than ${exactDuration(filter.olderThanSeconds)}`,
  ];
  return parts.filter(Boolean).join(", ");
}
