import { type Link, type SpanContext, TraceFlags } from "@opentelemetry/api";
import { type ClaimedJob, parseTraceparent } from "@jobqueue/store";

/** Most links of a span: an SDK keeps no more unless it is told to (`OTEL_SPAN_LINK_COUNT_LIMIT`). */
const MAX_LINKS = 128;

/** The span that enqueued a job, where it was enqueued under one. */
export function originOf(job: ClaimedJob): SpanContext | undefined {
  return parseTraceparent(job.options?.["traceparent"]);
}

/** Links to the first of these spans; to those that are sampled, since nobody has the others. */
export function linksTo<Item>(items: readonly Item[], spanOf: (item: Item) => SpanContext | undefined): Link[] {
  const links: Link[] = [];
  for (const item of items) {
    if (links.length >= MAX_LINKS) break;
    const context = spanOf(item);
    if (context !== undefined && (context.traceFlags & TraceFlags.SAMPLED) !== 0) links.push({ context });
  }
  return links;
}
