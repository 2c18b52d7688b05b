import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { CommandError, run } from "../../test/cluster/command.ts";
import { ALERT_GROUPS } from "../telemetry/alerts.ts";
import { metricsIn } from "../telemetry/promql-names.ts";
import { CHART } from "./helm.ts";
import type { Scrape } from "./scrape.ts";

/** The rules as the chart has them. */
export const RULES = join(CHART, "files/alerts.yaml");

const ALERTS = ALERT_GROUPS.flatMap(({ alerts }) => alerts);

/** A time in which every scrape, one a minute, told the same, and whether the alert fires at its end. */
interface Phase {
  readonly minutes: number;
  readonly seen: Scrape;
  readonly fires: boolean;
  /** By how much each series of the alert grows in a minute; 0 when absent. */
  readonly growth?: number;
}

/** Checks a file of rules. Returns what promtool says. */
export async function checkRules(file: string): Promise<string> {
  return run("promtool", ["check", "rules", file]);
}

/** A series over all phases, in promtool's notation; stale where a scrape no longer has it, as Prometheus marks it. */
function valuesOver(phases: readonly Phase[], series: string): string {
  let there = false;
  const parts = phases.flatMap(({ minutes, seen, growth = 0 }) => {
    const value = seen.get(series);
    const ended = there && value === undefined;
    there = value !== undefined;
    if (value !== undefined) return [`${value}+${growth}x${minutes - 1}`];
    return ended ? ["stale", ...(minutes > 1 ? [`_x${minutes - 1}`] : [])] : [`_x${minutes}`];
  });
  return parts.join(" ");
}

/**
 * Has promtool go through phases of real scrapes with the chart's own rules, their times and ranges as they are, and expects the
 * alert to fire with exactly these labels at the end of those phases that say so, and not at the end of the others. Returns what
 * promtool saw instead; empty when it is so.
 */
export async function surprises(
  alert: string,
  labels: Readonly<Record<string, string>>,
  phases: readonly Phase[],
): Promise<string> {
  const rule = ALERTS.find(({ name }) => name === alert);
  if (!rule) throw new Error(`there is no alert ${alert}`);
  return compare([rule], labels, phases);
}

/** The same of all alerts, none of which may fire at the end of a phase. */
export async function surprisesInSilence(phase: Omit<Phase, "fires">): Promise<string> {
  return compare(ALERTS, {}, [{ ...phase, fires: false }]);
}

async function compare(
  alerts: typeof ALERTS,
  labels: Readonly<Record<string, string>>,
  phases: readonly Phase[],
): Promise<string> {
  const metrics = new Set(alerts.flatMap(({ expr }) => metricsIn(expr).map(({ metric }) => metric)));
  const all = new Set(phases.flatMap(({ seen }) => [...seen.keys()]));
  const series = [...all].filter((one) => metrics.has(one.slice(0, one.indexOf("{"))));
  let minute = 0;
  const checks = phases.flatMap(({ minutes, fires }) => {
    minute += minutes;
    return alerts.map(({ name, severity }) => {
      const text = Object.entries({ alertname: name, alertstate: "firing", ...labels })
        .map(([label, value]) => `${label}="${value}"`)
        .join(",");
      return {
        expr: `ALERTS{${text}}`,
        eval_time: `${minute - 1}m`,
        exp_samples: fires ? [{ labels: `ALERTS{${text},severity="${severity}"}`, value: 1 }] : [],
      };
    });
  });
  const test = {
    interval: "1m",
    input_series: series.map((one) => ({ series: one, values: valuesOver(phases, one) })),
    promql_expr_test: checks,
  };
  const directory = mkdtempSync(join(tmpdir(), "jobqueue-promtool-"));
  try {
    const file = join(directory, "test.yaml");
    writeFileSync(file, stringify({ rule_files: [RULES], evaluation_interval: "1m", tests: [test] }));
    await run("promtool", ["test", "rules", file]);
    return "";
  } catch (error) {
    if (error instanceof CommandError && error.code !== undefined) return error.message;
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
