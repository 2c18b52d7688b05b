// The OpenTelemetry SDK, loaded before the program: NODE_OPTIONS="--import /telemetry/telemetry.mjs".
// What it does say the usual variables: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER ...
import { isMainThread } from "node:worker_threads";

// Threads load this file as well, and the watchdog of a worker is one: what there is to tell, the main thread tells.
if (isMainThread) {
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const sdk = new NodeSDK();
  sdk.start();
  // Workers, operator and admin server have it send the rest before they end. So must a program of yours.
  process.once("beforeExit", () => {
    void sdk.shutdown().catch(() => {});
  });
}
