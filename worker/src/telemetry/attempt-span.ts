import {
  context,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import {
  type ClaimedJob,
  errorClass,
  formatTraceparent,
  markFailed,
  messagingAttributes,
  parseTraceparent,
} from "@jobqueue/store";
import { ACKNOWLEDGED } from "../finish/acknowledge.ts";
import type { Ending, JobAborted, Outcome } from "../run/outcome.ts";
import { originOf } from "./links.ts";

/** An attempt of a job that is older is a trace of its own, with a link: a trace must not stay open for days. */
const SAME_TRACE_MS = 3_600_000;

/** The span `run <kind>` of one attempt. */
export class AttemptSpan {
  readonly #span: Span;
  /** In which the handler runs: what it does, and the jobs that it enqueues, belong to the attempt. */
  readonly context: Context;
  /** What tells others of the span, programs and other services. */
  readonly traceparent: string;

  private constructor(span: Span, traceparent: string) {
    this.#span = span;
    this.context = trace.setSpan(ROOT_CONTEXT, span);
    this.traceparent = traceparent;
  }

  /** Begins the span; `undefined` when the tracer makes none. */
  static begin(tracer: Tracer, job: ClaimedJob, workerId: string): AttemptSpan | undefined {
    const origin = originOf(job);
    const parent = origin !== undefined && (job.ageMs ?? 0) <= SAME_TRACE_MS ? origin : undefined;
    const links: Link[] = [];
    if (origin !== undefined && parent === undefined) {
      links.push({ context: origin, attributes: { "jobqueue.link": "enqueue" } });
    }
    const lost = parseTraceparent(job.lostTraceparent);
    if (lost !== undefined) links.push({ context: lost, attributes: { "jobqueue.link": "lost attempt" } });
    const span = tracer.startSpan(
      `run ${job.kind}`,
      {
        kind: SpanKind.CONSUMER,
        links,
        attributes: {
          ...messagingAttributes("run", job),
          "jobqueue.kind": job.kind,
          "jobqueue.attempt": job.attempt,
          "jobqueue.generation": job.generation,
          "jobqueue.worker_id": workerId,
        },
      },
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    const traceparent = formatTraceparent(span.spanContext());
    return traceparent === undefined ? undefined : new AttemptSpan(span, traceparent);
  }

  get spanContext(): ReturnType<Span["spanContext"]> {
    return this.#span.spanContext();
  }

  /** The context of the attempt, or the one that is active when it is a part of the attempt already. */
  get innermost(): Context {
    const active = context.active();
    return trace.getSpan(active)?.spanContext().traceId === this.spanContext.traceId ? active : this.context;
  }

  /** The attempt ended. An outcome has the name under which the metric counts it. */
  end(ending: Ending, outcome: Outcome, aborted: JobAborted | undefined): void {
    const { action } = outcome;
    if (action === "fail") {
      markFailed(this.#span, aborted?.abortCause ?? (ending.how === "threw" ? errorClass(ending.error) : "Error"));
    } else if (action === "drop") markFailed(this.#span, "lease_lost");
    const name = action === "none" ? "completed" : action === "drop" ? "lease_lost" : ACKNOWLEDGED[action];
    this.#span.setAttribute("jobqueue.outcome", name);
    this.#span.end();
  }
}
