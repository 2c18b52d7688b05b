import { stringify } from "yaml";
import type { AlertGroup } from "./alert.ts";

/** Where a chart that is installed finds the runbooks is the installer's to say, so only the path is in the rule. */
const runbookOf = (alert: string): string => `docs/runbooks/${alert}.md`;

/** The alerts as a file of rules, as Prometheus and the kind PrometheusRule have them under `groups`. */
export function prometheusRules(groups: readonly AlertGroup[]): string {
  const rules = groups.map(({ name, alerts }) => ({
    name,
    rules: alerts.map(({ name: alert, expr, forMinutes, severity, summary, description }) => ({
      alert,
      expr,
      ...(forMinutes > 0 && { for: `${forMinutes}m` }),
      labels: { severity },
      annotations: { summary, description, runbook: runbookOf(alert) },
    })),
  }));
  return stringify({ groups: rules }, { lineWidth: 0 });
}

/** The list of runbooks, as Markdown: every alert, when it fires, and where to go. */
export function runbookList(groups: readonly AlertGroup[]): string {
  return groups
    .map(({ title, alerts }) => {
      const rows = alerts.map(
        ({ name, severity, description }) => `| [${name}](${name}.md) | ${severity} | ${description} |`,
      );
      return `## ${title}\n\n| alert | severity | what it means |\n|---|---|---|\n${rows.join("\n")}\n`;
    })
    .join("\n");
}
