import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { type MetricDefinition, registerMetrics, RUNTIME_METRICS, whenCollected } from "./metrics.ts";

describe("the table of the engine's metrics", () => {
  it("has no name twice, and every row has help", () => {
    const rows = Object.values(RUNTIME_METRICS);
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
    expect(rows.filter((row: MetricDefinition) => row.help === "")).toEqual([]);
  });

  it("can be registered twice in one registry, by two users of the engine", () => {
    const registry = new Registry();
    expect(registerMetrics(registry, RUNTIME_METRICS)).toEqual(registerMetrics(registry, RUNTIME_METRICS));
  });
});

it("a gauge is computed when it is read, until that is ended", async () => {
  const registry = new Registry();
  const { maxWorkers } = registerMetrics(registry, RUNTIME_METRICS);
  let value = 1;
  const end = whenCollected(maxWorkers, () => maxWorkers.set({ controller: "a" }, value));
  expect(await registry.metrics()).toContain('max_concurrent_reconciles{controller="a"} 1');
  value = 2;
  expect(await registry.metrics()).toContain('max_concurrent_reconciles{controller="a"} 2');
  end();
  value = 3;
  expect(await registry.metrics()).toContain('max_concurrent_reconciles{controller="a"} 2');
});

it("a counter whose label has a closed set of values has all its series from the start, so that the first event is an increase", async () => {
  const registry = new Registry();
  const row = {
    type: "counter",
    name: "ticks_total",
    help: "Ticks",
    labels: ["outcome"],
    values: ["fired", "skipped"],
  };
  registerMetrics(registry, { ticks: row as MetricDefinition });
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("ticks_total{"));
  expect(lines).toEqual(['ticks_total{outcome="fired"} 0', 'ticks_total{outcome="skipped"} 0']);
});
