import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { ALERT_GROUPS } from "./alerts.ts";
import { unknownIn } from "./known-metrics.ts";
import { prometheusRules } from "./prometheus-rules.ts";
import { metricsIn } from "./promql-names.ts";

const ALERTS = ALERT_GROUPS.flatMap(({ alerts }) => alerts);
const RUNBOOKS = join(import.meta.dirname, "../../docs/runbooks");

describe("the alerts", () => {
  it.each(ALERTS)("$name names only metrics and labels that we have, and at least one", ({ expr }) => {
    expect(metricsIn(expr).length).toBeGreaterThan(0);
    expect(unknownIn(expr)).toEqual([]);
  });

  it.each(ALERTS)("$name closes what it opens", ({ expr }) => {
    const count = (character: string) => expr.split(character).length - 1;
    expect([count("("), count("{"), count("["), count('"') % 2]).toEqual([count(")"), count("}"), count("]"), 0]);
  });

  it.each(ALERTS)("$name speaks only of labels that its expression keeps", ({ expr, summary }) => {
    const groupings = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)];
    const kept = new Set(groupings.flatMap(([, labels = ""]) => labels.split(/\s*,\s*/)));
    const named = [...summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    expect(named.filter((label) => !kept.has(label as string))).toEqual([]);
  });

  it("have names of their own, and a runbook each; no runbook is without its alert", () => {
    const names = ALERTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const runbooks = readdirSync(RUNBOOKS).filter((file) => file !== "README.md");
    expect(runbooks.toSorted()).toEqual(names.map((name) => `${name}.md`).toSorted());
  });

  it("are a file of rules with labels, times and texts, that a YAML reader takes", () => {
    const { groups } = parse(prometheusRules(ALERT_GROUPS)) as {
      groups: {
        name: string;
        rules: { alert: string; expr: string; for?: string; annotations: { runbook: string } }[];
      }[];
    };
    expect(groups.map(({ name }) => name)).toEqual(ALERT_GROUPS.map(({ name }) => name));
    const rule = groups[0]?.rules[0];
    expect(rule).toMatchObject({
      alert: "QueueBacklogGrowing",
      for: "15m",
      labels: { severity: "warning" },
      annotations: { runbook: "docs/runbooks/QueueBacklogGrowing.md" },
    });
    expect(groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === "DeadLetters")).not.toHaveProperty("for");
  });

  it("are those in the chart", () => {
    const committed = readFileSync(join(import.meta.dirname, "../jobqueue-operator/files/alerts.yaml"), "utf8");
    expect(parse(committed)).toEqual(parse(prometheusRules(ALERT_GROUPS)));
  });
});

it.each([
  ['sum by (a, b) (rate(x_total{l="v", m!~"w|v"}[5m])) > 2', [{ metric: "x_total", labels: ["l", "m"] }]],
  [
    "max_over_time(x[15m] offset 1h) unless on (n) y == 1",
    [
      { metric: "x", labels: [] },
      { metric: "y", labels: [] },
    ],
  ],
  ["vector(0) or absent(x == 1)", [{ metric: "x", labels: [] }]],
])("the metrics in %s are found", (expr, uses) => {
  expect(metricsIn(expr)).toEqual(uses);
});
