import { defineHandler } from "@jobqueue/worker";
import { trace } from "@opentelemetry/api";

const tracer = trace.getTracer("shop");

/** Runs in the span "run order.place": below it are the spans that it makes, and the jobs that it enqueues. */
const place = defineHandler<{ order: number }>("order.place", async ({ order }, { jobId, enqueue }) =>
  tracer.startActiveSpan("reserve stock", async (span) => {
    try {
      const receipt = { queue: "default", kind: "receipt.print", payload: { order }, uniqueKey: `${jobId}/receipt` };
      return { receipt: (await enqueue(receipt)).id };
    } finally {
      span.end();
    }
  }),
);

export default [place];
