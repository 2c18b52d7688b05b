import { expect, it } from "vitest";
import type { MetricDefinition } from "../runtime/metrics.ts";
import { KUBE_METRICS } from "./metrics.ts";

it("the table of the edge's metrics has no name twice, and every row has help", () => {
  const rows: readonly MetricDefinition[] = Object.values(KUBE_METRICS);
  expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
  expect(rows.filter((row) => row.help === "")).toEqual([]);
});
