import { isSpanContextValid, type SpanContext, TraceFlags } from "@opentelemetry/api";

/** W3C Trace Context, section 3.2: version, trace id, parent id, flags; later versions may append more. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * The span that a `traceparent` names; `undefined` for what is none, as the standard wants it: whoever cannot read a context
 * begins a trace of its own. The state of vendors (`tracestate`) does not go with a job.
 */
export function parseTraceparent(text: unknown): SpanContext | undefined {
  if (typeof text !== "string") return undefined;
  const [, version = "ff", traceId = "", spanId = "", flags = "", rest] = FORM.exec(text) ?? [];
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const spanContext = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** The `traceparent` of a span; `undefined` for one that no SDK made, which has no ids. */
export function formatTraceparent(spanContext: SpanContext): string | undefined {
  if (!isSpanContextValid(spanContext)) return undefined;
  const { traceId, spanId, traceFlags } = spanContext;
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, "0")}`;
}
