import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { dashboard } from "./dashboard.ts";
import { unknownIn } from "./known-metrics.ts";

interface DashboardPanel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly interval: string }[];
}
const { panels } = dashboard() as { readonly panels: readonly DashboardPanel[] };

describe("the dashboard", () => {
  it("asks only for metrics and labels that we have", () => {
    const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(exprs.length).toBeGreaterThan(20);
    expect(exprs.flatMap(unknownIn)).toEqual([]);
  });

  it("asks for steps as long as the chart has things scraped, for rates are over four of them", () => {
    const values = readFileSync(join(import.meta.dirname, "../jobqueue-operator/values.yaml"), "utf8");
    const { metrics } = parse(values) as { metrics: Record<"serviceMonitor" | "podMonitor", { interval: string }> };
    const intervals = [metrics.serviceMonitor.interval, metrics.podMonitor.interval];
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ interval }) => interval));
    expect(new Set(asked)).toEqual(new Set(intervals));
  });

  it("gives every panel an id and a place of its own, within the page", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x},${y}`)).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  it("is the one in the chart", () => {
    const file = join(import.meta.dirname, "../jobqueue-operator/files/dashboard.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(dashboard());
  });
});
