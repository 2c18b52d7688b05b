import { context, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import {
  claimBatch,
  type ClaimedBatch,
  type ClaimRequest,
  commonQueue,
  currentTracer,
  errorClass,
  formatTraceparent,
  markFailed,
  messagingAttributes,
  type Session,
} from "@jobqueue/store";
import { linksTo, originOf } from "./links.ts";

/**
 * `claimBatch`, under a span `claim` while somebody records: a root, since a batch belongs to no job, with links to the spans
 * that enqueued its jobs. A claim that brings nothing leaves no span, or an idle worker would leave one a second: a span that
 * is not ended is never sent.
 */
export async function claimUnderSpan(session: Session, request: ClaimRequest): Promise<ClaimedBatch> {
  const span = currentTracer()?.startSpan("claim", {
    kind: SpanKind.CLIENT,
    root: true,
    attributes: { ...messagingAttributes("claim"), "jobqueue.worker_id": request.workerId },
  });
  if (span?.isRecording() !== true) return claimBatch(session, request);
  const traceparent = formatTraceparent(span.spanContext());
  try {
    const scope = trace.setSpan(ROOT_CONTEXT, span);
    const batch = await context.with(scope, claimBatch, undefined, session, { ...request, traceparent });
    const { jobs } = batch;
    if (jobs.length === 0) return batch;
    span.setAttributes(messagingAttributes("claim", { queue: commonQueue(jobs), count: jobs.length }));
    span.addLinks(linksTo(jobs, originOf));
    span.end();
    return batch;
  } catch (error) {
    markFailed(span, errorClass(error));
    span.end();
    throw error;
  }
}
