import { INVALID_SPAN_CONTEXT } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { formatTraceparent, parseTraceparent } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("a traceparent", () => {
  it.each(["00", "01"])("with flags %s is read and written as it was", (flags) => {
    const text = `00-${TRACE}-${SPAN}-${flags}`;
    const spanContext = parseTraceparent(text);
    expect(spanContext).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: Number(flags), isRemote: true });
    expect(spanContext && formatTraceparent(spanContext)).toBe(text);
  });

  it("of a later version is read as far as it is known", () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-09-what-the-future-will-be-like`)).toMatchObject({ traceFlags: 1 });
  });

  it.each([
    undefined,
    null,
    7,
    "",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
  ])("%o is none", (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it("is not written of a span that nobody made", () => {
    expect(formatTraceparent(INVALID_SPAN_CONTEXT)).toBeUndefined();
  });
});
