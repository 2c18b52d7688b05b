import { type Attributes, type Span, SpanStatusCode } from "@opentelemetry/api";
import { StoreError } from "../errors.ts";

/** Our operations, and what each is to the semantic conventions for messaging (`messaging.operation.type`). */
const OPERATION_TYPES = { enqueue: "send", claim: "receive", run: "process", finish: "settle" } as const;

/** What a span says of itself and of its jobs: of all of them, so the queue is absent when they are of several. */
export function messagingAttributes(
  operation: keyof typeof OPERATION_TYPES,
  jobs: { readonly queue?: string | undefined; readonly id?: string | undefined; readonly count?: number } = {},
): Attributes {
  return {
    "messaging.system": "jobqueue",
    "messaging.operation.name": operation,
    "messaging.operation.type": OPERATION_TYPES[operation],
    ...(jobs.queue !== undefined && { "messaging.destination.name": jobs.queue }),
    ...(jobs.id !== undefined && { "messaging.message.id": jobs.id }),
    ...(jobs.count !== undefined && { "messaging.batch.message_count": jobs.count }),
  };
}

/** The one queue of some jobs; `undefined` when they are of several. */
export function commonQueue(jobs: readonly { readonly queue: string }[]): string | undefined {
  const queue = jobs[0]?.queue;
  return jobs.every((job) => job.queue === queue) ? queue : undefined;
}

/** What classes of errors are called: what is called otherwise might say something of somebody's data. */
const CLASS_NAME = /^[\p{L}_$][\p{L}\p{N}_$.]{0,99}$/u;

/** The class of an error: the code of one of ours, else its name. Never its text, which may quote a payload. */
export function errorClass(error: unknown): string {
  if (error instanceof StoreError) return error.code;
  if (!(error instanceof Error)) return typeof error;
  return CLASS_NAME.test(error.name) ? error.name : "Error";
}

/** Says that what a span is about went wrong, by the class of the error alone. */
export function markFailed(span: Span, errorType: string): void {
  span.setAttribute("error.type", errorType);
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorType });
}
