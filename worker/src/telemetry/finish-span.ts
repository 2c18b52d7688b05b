import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { commonQueue, currentTracer, messagingAttributes } from "@jobqueue/store";
import type { Finished } from "../finish/finisher.ts";
import { linksTo, originOf } from "./links.ts";

/**
 * Sends a flush under a span `finish` while somebody records: a root, with links to the attempts that it tells of (of a job
 * that was not started, to the span that enqueued it). `send` returns what the store did not acknowledge.
 */
export async function finishUnderSpan(
  batch: readonly Finished[],
  send: () => Promise<Finished[]>,
): Promise<Finished[]> {
  const tracer = currentTracer();
  if (tracer === undefined) return send();
  const jobs = batch.map(({ job }) => job);
  const span = tracer.startSpan("finish", {
    kind: SpanKind.CLIENT,
    root: true,
    attributes: messagingAttributes("finish", { queue: commonQueue(jobs), count: jobs.length }),
    links: linksTo(batch, ({ job, span: attempt }) => attempt ?? originOf(job)),
  });
  const left = await context.with(trace.setSpan(ROOT_CONTEXT, span), send);
  if (left.length > 0) span.setStatus({ code: SpanStatusCode.ERROR, message: `${left.length} to be sent again` });
  span.end();
  return left;
}
