import type { NewJob } from "@jobqueue/store";
import type { Arguments } from "./arguments.ts";
import { usageFailure } from "./failure.ts";
import { isJobId } from "./job-id.ts";
import { parseLabels } from "./labels.ts";
import { parseRetry } from "./retry-policy.ts";

/** What a job says about itself, beside queue, kind and payload. */
type JobOptions = Omit<NewJob, "queue" | "kind" | "payload">;

/** Those that the jobs of a schedule may have as well. */
type CommonOptions = Omit<JobOptions, "uniqueKey" | "uniqueMode" | "uniqueForSeconds" | "runAt" | "dependsOn">;

function given(options: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The flags of 'Options of the job'. */
export function jobOptions(args: Arguments): CommonOptions {
  const retry = args.text("retry");
  return given({
    priority: args.number("priority"),
    maxAttempts: args.number("max-attempts"),
    retry: retry === undefined ? undefined : parseRetry(retry),
    timeoutSeconds: args.number("timeout"),
    resultTtlSeconds: args.number("result-ttl"),
    onWorkerLoss: args.text("on-worker-loss"),
    concurrencyKey: args.text("concurrency-key"),
    tag: args.text("tag"),
    labels: parseLabels(args.texts("label")),
  });
}

/** What `--depends-on ID` and `--depends-on ID:run`, given any number of times, say. */
function parseDependencies(texts: readonly string[]): NewJob["dependsOn"] {
  if (texts.length === 0) return undefined;
  return texts.map((text) => {
    const [id = "", policy = "cancel", ...more] = text.split(":");
    if (isJobId(id) && (policy === "cancel" || policy === "run") && more.length === 0) return { id, policy };
    throw usageFailure(
      `--depends-on takes the id of a job, not '${text}'`,
      "Write 4711, or 4711:run for a job that is to run even when that one does not complete.",
    );
  });
}

/** The flags of `enqueue` that are about this one job; the unique key itself is not among them. */
export function enqueueOptions(args: Arguments): JobOptions {
  for (const name of ["unique-for", "replace"]) {
    if (args.has(name) && !args.has("unique-key")) {
      throw usageFailure(`--${name} says what a unique key does, and there is none`, "Give --unique-key as well.");
    }
  }
  return given({
    ...jobOptions(args),
    delaySeconds: args.number("delay"),
    uniqueForSeconds: args.number("unique-for"),
    uniqueMode: args.on("replace") ? "replace" : undefined,
    dependsOn: parseDependencies(args.texts("depends-on")),
  });
}
