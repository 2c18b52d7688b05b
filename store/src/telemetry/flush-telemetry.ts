import { metrics, trace } from "@opentelemetry/api";

/** What an SDK's providers can do beyond the API's: the specification has it, the API package has no type for it. */
interface Flushable {
  forceFlush?(): Promise<void>;
  /** Of the API's stand-in: whom it stands in for. */
  getDelegate?(): Flushable;
}

/**
 * Has the SDK that is loaded send what it holds, before the process ends: without one this does nothing. Never rejects, and
 * gives up after `timeoutMs` milliseconds: who collects may be away.
 */
export async function flushTelemetry(timeoutMs: number): Promise<void> {
  const tracers = trace.getTracerProvider() as Flushable;
  const providers = [tracers.getDelegate?.() ?? tracers, metrics.getMeterProvider() as Flushable];
  const flushed = Promise.allSettled(providers.map(async (provider) => provider.forceFlush?.()));
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([flushed, late]);
  clearTimeout(timer);
}
