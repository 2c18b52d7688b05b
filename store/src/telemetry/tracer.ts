import { ProxyTracerProvider, trace, type Tracer } from "@opentelemetry/api";

/** The scope of all our spans and metrics. */
export const SCOPE = "jobqueue";

/**
 * The tracer of the SDK that is loaded in this process; `undefined` without one. Asked once for a batch of jobs, never for
 * each: who does not trace pays this one look.
 */
export function currentTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  // The API's own stand-in until somebody registers; another copy of the API in the process has a class of its own.
  return provider instanceof ProxyTracerProvider ? provider.getDelegateTracer(SCOPE) : provider.getTracer(SCOPE);
}
