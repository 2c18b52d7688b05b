/**
 * Makes docs/reference/metrics.md from the tables of metrics of operator, worker and admin server.
 *
 *   node cli/scripts/generate-metrics.ts           writes
 *   node cli/scripts/generate-metrics.ts --check   compares, and fails when the committed one is not up to date
 */
import { ADMIN_METRICS } from "@jobqueue/admin";
import { KUBE_METRICS, OPERATOR_METRICS, RUNTIME_METRICS } from "@jobqueue/operator";
import { METRICS } from "@jobqueue/worker";
import { format } from "prettier";
import { writeOrCheck } from "../../test/generated-files.ts";

interface Row {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

const line = ({ name, type, help, labels = [] }: Row): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help.replace(/\.$/, "")} |`;
const table = (rows: readonly Row[]): string =>
  `| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.map(line).join("\n")}\n`;

const worker: readonly Row[] = Object.entries(METRICS).map(([name, row]) => ({ name, ...row }));
const operator: readonly (readonly [string, string, readonly Row[]])[] = [
  [
    "Queues and stores",
    "Only the replica that leads exports what it knows from stores. Labels are namespace and name of our own objects, never a job, a pod or a worker.",
    Object.values(OPERATOR_METRICS),
  ],
  [
    "Kubernetes API",
    "Names as in client-go and controller-runtime where they have one. Worth an alert: `reflector_repaired_total` above 0 (a watch has lied), `reflector_progress_age_seconds` above 300 (a watch stands still), and no replica with `leader_election_master_status` 1.",
    Object.values(KUBE_METRICS),
  ],
  ["Controllers", "Names as in client-go's work queue and controller-runtime.", Object.values(RUNTIME_METRICS)],
];
const admin: readonly Row[] = Object.values(ADMIN_METRICS);
const total = worker.length + admin.length + operator.reduce((sum, [, , rows]) => sum + rows.length, 0);
const text = `# Metrics

All ${total} metrics, in the format of Prometheus: of the operator on \`/metrics\` of its HTTP port (8080), of a worker on
\`/metrics\` of \`JOBQUEUE_HTTP_PORT\` (8080), of the admin server on its own. A row of the tables is a contract; operator and worker also export \`process_*\` and \`nodejs_*\`
(processor time, memory, event loop, garbage collection) as the Prometheus client of Node.js names them. All of them also go out by OTLP, where an OpenTelemetry SDK is loaded: [telemetry](../guides/telemetry.md).

${operator.map(([title, about, rows]) => `## Operator: ${title}\n\n${about}\n\n${table(rows)}`).join("\n")}
## Worker

Label values come from configuration (\`queue\`), from the handlers that are loaded (\`kind\`) or from closed sets, never from what
a producer sends.

${table(worker)}
## Admin server

\`jobqueue_queue_items_*\` are the metrics of Posit Connect's job queue by the names that Prometheus gives them. The fourth of them,
\`queue.items.completed\`, is counted by who completes: \`jobqueue_worker_jobs_finished_total{outcome="completed"}\` of the workers.
While an operator manages a queue, \`jobqueue_jobs\` of the operator says the same; scrape the admin server where there is none.

${table(admin)}`;
const file = "docs/reference/metrics.md";
writeOrCheck(new Map([[file, await format(text, { parser: "markdown", printWidth: 120 })]]));
