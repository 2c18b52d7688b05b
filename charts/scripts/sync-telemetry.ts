/**
 * Makes what the chart and the runbooks have from charts/telemetry: rules of Prometheus, the Grafana dashboard, and the list of
 * runbooks.
 *
 *   node charts/scripts/sync-telemetry.ts           writes
 *   node charts/scripts/sync-telemetry.ts --check   compares, and fails when something committed is not up to date
 */
import { format } from "prettier";
import { writeOrCheck } from "../../test/generated-files.ts";
import { ALERT_GROUPS } from "../telemetry/alerts.ts";
import { dashboard } from "../telemetry/dashboard.ts";
import { prometheusRules, runbookList } from "../telemetry/prometheus-rules.ts";

const INTRODUCTION = `<!-- Made from charts/telemetry/alerts.ts by charts/scripts/sync-telemetry.ts; run "make generate". -->

# Runbooks

One for each alert, all with the same steps: **look**, **decide**, **preview** what an act would do, **act**, **verify**. Looking and
previewing change nothing. Every act says why (\`--reason\`) and is in the audit trail (\`jobqueue audit\`).

The alerts come with the chart (\`metrics.prometheusRule.enabled\`), as does a dashboard (\`metrics.dashboard.enabled\`). Without the
Prometheus operator use \`charts/jobqueue-operator/files/alerts.yaml\` as a file of rules. Alerts about attempts and leases need the
workers' \`/metrics\`, and JobRunsTooLong that of the admin server. The chart has monitors for all three (\`metrics.serviceMonitor\`,
\`metrics.podMonitor\`, \`admin.metrics.serviceMonitor\`). Without the Prometheus operator have your Prometheus scrape port 8080 of the pods
with the label \`jobqueue.dev/pool\`, and port 8090 of the admin server with a token or key that has the scope \`metrics:read\`; and the operator
with \`honor_labels: true\`, so that \`namespace\` stays that of the JobQueue.

In the runbooks the queue and its JobQueue are called \`mailers\`, a job \`4711\`, a worker \`17\`: put in yours. The store is the one that
\`DATABASE_URL\` or the flags \`--namespace\` and \`--store\` name; say it once:

\`\`\`sh
export DATABASE_URL=postgres://on_call@db.example.org/shop
jobqueue status
\`\`\`

`;

const rules = `# Made from charts/telemetry/alerts.ts by charts/scripts/sync-telemetry.ts; run "make generate".\n${prometheusRules(ALERT_GROUPS)}`;
writeOrCheck(
  new Map([
    ["charts/jobqueue-operator/files/alerts.yaml", await format(rules, { parser: "yaml", printWidth: 120 })],
    [
      "charts/jobqueue-operator/files/dashboard.json",
      await format(JSON.stringify(dashboard()), { parser: "json", printWidth: 120 }),
    ],
    [
      "docs/runbooks/README.md",
      await format(INTRODUCTION + runbookList(ALERT_GROUPS), { parser: "markdown", printWidth: 120 }),
    ],
  ]),
);
