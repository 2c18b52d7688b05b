import { context, SpanKind, trace, type Tracer } from "@opentelemetry/api";
import type { Enqueued, NewJob } from "../jobs/enqueue.ts";
import { commonQueue, errorClass, markFailed, messagingAttributes } from "./span-facts.ts";
import { formatTraceparent } from "./trace-context.ts";

/**
 * Enqueues jobs under a span `enqueue <queue>`, one for the statement, whose context goes with each job that brings none of
 * its own. It goes also where this span is not sampled: then what follows is not either.
 */
export async function enqueueUnderSpan(
  tracer: Tracer,
  jobs: readonly NewJob[],
  insert: (jobs: readonly NewJob[]) => Promise<Enqueued[]>,
): Promise<Enqueued[]> {
  const queue = commonQueue(jobs);
  const span = tracer.startSpan(queue === undefined ? "enqueue" : `enqueue ${queue}`, {
    kind: SpanKind.PRODUCER,
    attributes: messagingAttributes("enqueue", { queue, ...(jobs.length > 1 && { count: jobs.length }) }),
  });
  const traceparent = formatTraceparent(span.spanContext());
  const carrying =
    traceparent === undefined
      ? jobs
      : jobs.map((job) => (job.traceparent === undefined ? Object.assign({}, job, { traceparent }) : job));
  try {
    const enqueued = await context.with(trace.setSpan(context.active(), span), insert, undefined, carrying);
    const [only] = enqueued;
    if (jobs.length === 1 && only) {
      span.setAttributes({ "messaging.message.id": only.id, "jobqueue.outcome": only.outcome });
    }
    return enqueued;
  } catch (error) {
    markFailed(span, errorClass(error));
    throw error;
  } finally {
    span.end();
  }
}
