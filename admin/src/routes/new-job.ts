import type { RetryPolicy } from "@jobqueue/store";
import { anything, decimal, instant, integer, list, object, oneOf, optional, type Schema, text } from "../schema.ts";
import { ID, LABELS, QUEUE_NAME } from "./shapes.ts";

/** How long a failed job waits. */
export const RETRY: Schema<RetryPolicy> = {
  description: "How long it waits after a failed attempt: either a list of intervals, or exponential.",
  anyOf: [
    object({
      intervalsSeconds: list(decimal({ minimum: 0 }), {
        minItems: 1,
        maxItems: 100,
        description: "The last one repeats.",
      }),
    }),
    object({
      exponential: object({
        initialSeconds: optional(decimal({ minimum: 0 })),
        maxSeconds: optional(decimal({ minimum: 0 })),
        jitterPercent: optional(integer({ minimum: 0, maximum: 100 })),
      }),
    }),
  ],
};

/** What a new job may say beside queue, kind and payload; the rules are those of the store. */
export const JOB_OPTIONS = {
  priority: optional(integer({ minimum: -32_768, maximum: 32_767, description: "Lower runs first; 0 when absent." })),
  maxAttempts: optional(integer({ minimum: 1, maximum: 1000 })),
  timeoutSeconds: optional(decimal({ minimum: 0, maximum: 604_800 })),
  resultTtlSeconds: optional(integer({ minimum: 0, maximum: 315_360_000 })),
  retry: optional(RETRY),
  onWorkerLoss: optional(oneOf(["retry", "fail", "hold"])),
  concurrencyKey: optional(text({ minLength: 1, maxLength: 200 })),
  tag: optional(text({ minLength: 1, maxLength: 200 })),
  labels: optional(LABELS),
  finaliser: optional(
    object({
      kind: text({ minLength: 1, maxLength: 200 }),
      queue: optional(QUEUE_NAME),
      payload: optional(anything()),
    }),
  ),
  traceparent: optional(text({ maxLength: 200 })),
};

/** A kind of job. */
export const KIND = text({ minLength: 1, maxLength: 200, description: "The name its handler is registered under." });

/** What became of a job that was enqueued. */
export const ENQUEUED = object({ id: ID, outcome: oneOf(["inserted", "duplicate", "replaced"]) });

/** A job to be enqueued. */
export const ENQUEUE_BODY = object({
  queue: QUEUE_NAME,
  kind: KIND,
  payload: optional(anything({ description: "Anything JSON can hold, at most 1 MiB; {} when absent." })),
  runAt: optional(instant({ description: "Not before this instant." })),
  delaySeconds: optional(decimal({ minimum: 0, maximum: 315_360_000 })),
  uniqueKey: optional(
    text({ minLength: 1, maxLength: 200, description: "While a job with this key is live, another is a duplicate." }),
  ),
  uniqueMode: optional(oneOf(["skip", "replace"])),
  uniqueForSeconds: optional(integer({ minimum: 0, maximum: 315_360_000 })),
  dependsOn: optional(
    list(object({ id: ID, policy: optional(oneOf(["cancel", "run"])) }), {
      maxItems: 1000,
      description: "Jobs that must end before.",
    }),
  ),
  ...JOB_OPTIONS,
});
