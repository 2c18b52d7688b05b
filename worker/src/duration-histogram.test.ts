import { Histogram, Registry } from "prom-client";
import { expect, it } from "vitest";
import { WorkerMetrics } from "./metrics.ts";

it("shows durations as the library's own histogram would", async () => {
  const metrics = new WorkerMetrics();
  const registry = new Registry();
  const [name, help] = ["jobqueue_worker_job_duration_seconds", "How long handlers ran."];
  const buckets = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600, 3600];
  const library = new Histogram({ name, help, labelNames: ["queue", "kind"], buckets, registers: [registry] });
  for (const [queue, kind, seconds] of [
    ["mail", "send", 0.0004],
    ["mail", "send", 0.001],
    ["mail", "bounce", 0.0011],
    ["bulk", "send", 3_601],
    ["mail", "send", 0],
  ] as const) {
    metrics.observeDuration(queue, kind, seconds);
    library.observe({ queue, kind }, seconds);
  }
  const lines = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.includes(name))
      .sort();
  expect(lines(await metrics.registry.metrics())).toEqual(lines(await registry.metrics()));
});
