import { ALERT_GROUPS } from "./alerts.ts";
import { gauge, graph, type Panel, row, type Unit } from "./panels.ts";

const OF_QUEUE = 'namespace=~"$namespace", name=~"$queue"';
const perQueue = (metric: string, more = ""): string =>
  `max by (namespace, name) (${metric}{${OF_QUEUE}${more === "" ? "" : `, ${more}`}})`;
const NAME = "{{namespace}}/{{name}}";
const queues = (title: string, expr: string, unit: Unit, about: string): Panel =>
  graph({ title, about, unit, series: [{ expr, legend: NAME }] });

/** The rows of the dashboard: what to look at first comes first. */
const ROWS: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: "Now",
    panels: [
      gauge("Pending", `sum(${perQueue("jobqueue_jobs", 'state="pending"')})`, "short", {}),
      gauge("Running", `sum(${perQueue("jobqueue_jobs", 'state="running"')})`, "short", {}),
      gauge("Oldest pending", `max(${perQueue("jobqueue_oldest_pending_seconds")})`, "s", { warn: 300, alarm: 900 }),
      gauge("Stale", `sum(${perQueue("jobqueue_jobs", 'state="stale"')})`, "short", { alarm: 1 }),
      gauge("Dead", `sum(${perQueue("jobqueue_jobs", 'state="dead"')})`, "short", { warn: 1 }),
      gauge("Paused queues", `sum(${perQueue("jobqueue_paused")})`, "short", { warn: 1 }),
    ],
  },
  {
    title: "Queues",
    panels: [
      queues("Pending jobs", perQueue("jobqueue_jobs", 'state="pending"'), "short", "Ready to run, held or not."),
      queues(
        "Age of the oldest",
        perQueue("jobqueue_oldest_pending_seconds"),
        "s",
        "How long the job that waits longest has been ready.",
      ),
      graph({
        title: "Finished attempts",
        about: "By what the store acknowledged. Needs the workers' metrics.",
        unit: "ops",
        series: [
          {
            expr: 'sum by (queue, outcome) (rate(jobqueue_worker_jobs_finished_total{namespace=~"$namespace"}[$__rate_interval]))',
            legend: "{{queue}} {{outcome}}",
          },
        ],
      }),
      graph({
        title: "How long handlers run",
        about: "Half, and all but five in a hundred, of the attempts. Needs the workers' metrics.",
        unit: "s",
        series: [0.5, 0.95].map((share) => ({
          expr: `histogram_quantile(${share}, sum by (le, queue, kind) (rate(jobqueue_worker_job_duration_seconds_bucket{namespace=~"$namespace"}[$__rate_interval])))`,
          legend: `{{queue}} {{kind}} p${share * 100}`,
        })),
      }),
      queues("Dead jobs", perQueue("jobqueue_jobs", 'state="dead"'), "short", "Those still kept."),
      queues(
        "Paused for",
        perQueue("jobqueue_paused_seconds"),
        "s",
        "Age of the oldest hold in force; 0 while none is.",
      ),
    ],
  },
  {
    title: "Workers",
    panels: [
      graph({
        title: "Workers",
        about: "What the store knows of them: alive, or lapsed (their jobs are handed on).",
        unit: "short",
        series: [
          { expr: `max by (namespace, name, state) (jobqueue_workers{${OF_QUEUE}})`, legend: `${NAME} {{state}}` },
        ],
      }),
      graph({
        title: "Slots",
        about: "Stuck ones are handlers that ignore that they were to stop.",
        unit: "short",
        series: [{ expr: 'sum by (state) (jobqueue_worker_slots{namespace=~"$namespace"})', legend: "{{state}}" }],
      }),
      graph({
        title: "Leases lost, jobs recovered, workers replaced",
        about: "In five minutes. All three are 0 on a good day.",
        unit: "short",
        series: [
          {
            expr: 'sum by (reason) (increase(jobqueue_worker_leases_lost_total{namespace=~"$namespace"}[5m]))',
            legend: "lease lost: {{reason}}",
          },
          { expr: "sum by (reason) (increase(jobqueue_jobs_recovered_total[5m]))", legend: "recovered: {{reason}}" },
          {
            expr: 'sum by (outcome) (increase(jobqueue_worker_jobs_recovered_total{namespace=~"$namespace"}[5m]))',
            legend: "recovered by workers: {{outcome}}",
          },
          { expr: "sum by (reason) (increase(jobqueue_worker_restarts_total[5m]))", legend: "replaced: {{reason}}" },
        ],
      }),
      graph({
        title: "Longest block of the event loop",
        about: "A worker whose loop stands for its stall budget stops renewing its lease.",
        unit: "s",
        series: [
          {
            expr: 'max by (pod) (jobqueue_worker_event_loop_longest_block_seconds{namespace=~"$namespace"})',
            legend: "{{pod}}",
          },
        ],
      }),
    ],
  },
  {
    title: "Stores and operator",
    panels: [
      graph({
        title: "Store can be used",
        about: "1 while it answers and its schema fits.",
        unit: "short",
        series: [{ expr: 'max by (namespace, name) (jobqueue_store_up{namespace=~"$namespace"})', legend: NAME }],
      }),
      graph({
        title: "One look at a store",
        about: "95 of 100 looks took no longer. Climbs with old snapshots, and with millions of jobs.",
        unit: "s",
        series: [
          {
            expr: "histogram_quantile(0.95, sum by (le, result) (rate(jobqueue_store_query_seconds_bucket[$__rate_interval])))",
            legend: "{{result}}",
          },
        ],
      }),
      graph({
        title: "Reconciles",
        about: "By controller and result.",
        unit: "ops",
        series: [
          {
            expr: "sum by (controller, result) (rate(controller_runtime_reconcile_total[$__rate_interval]))",
            legend: "{{controller}} {{result}}",
          },
        ],
      }),
      graph({
        title: "Ticks of schedules",
        about: "In an hour, by what became of them, dealt with by operator or workers.",
        unit: "short",
        series: [
          { expr: "sum by (outcome) (increase(jobqueue_schedule_ticks_total[1h]))", legend: "operator: {{outcome}}" },
          {
            expr: 'sum by (outcome) (increase(jobqueue_worker_schedule_ticks_total{namespace=~"$namespace"}[1h]))',
            legend: "workers: {{outcome}}",
          },
        ],
      }),
    ],
  },
];

const ALERTS = ALERT_GROUPS.flatMap(({ alerts }) => alerts.map(({ name }) => name)).join("|");

const variable = (name: string, label: string, query: string) => ({
  name,
  label,
  type: "query",
  datasource: { type: "prometheus", uid: "${datasource}" },
  query: { query, refId: name },
  definition: query,
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: ".*",
  current: { text: "All", value: "$__all" },
});

/** The dashboard, as Grafana 10 and later import it. */
export function dashboard(): object {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: own } of ROWS) {
    panels.push(row(title, panels.length + 1, y));
    y += 1;
    let x = 0;
    for (const { width, height, json } of own) {
      if (x + width > 24) {
        x = 0;
        y += height;
      }
      panels.push({ ...json, id: panels.length + 1, gridPos: { x, y, w: width, h: height } });
      x += width;
    }
    y += own.at(-1)?.height ?? 0;
  }
  return {
    uid: "jobqueue",
    title: "Job queues",
    description: "Queues, workers, stores and the operator of the JobQueue Operator.",
    tags: ["jobqueue"],
    schemaVersion: 39,
    editable: true,
    timezone: "browser",
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus", current: {} },
        variable("namespace", "Namespace", "label_values(jobqueue_jobs, namespace)"),
        variable("queue", "JobQueue", 'label_values(jobqueue_jobs{namespace=~"$namespace"}, name)'),
      ],
    },
    annotations: {
      list: [
        {
          name: "Alerts",
          enable: true,
          iconColor: "red",
          datasource: { type: "prometheus", uid: "${datasource}" },
          expr: `ALERTS{alertstate="firing", alertname=~"${ALERTS}"}`,
          titleFormat: "{{alertname}} {{name}}",
        },
      ],
    },
    panels,
  };
}
