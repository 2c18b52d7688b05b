/**
 * The dashboard and the rules in a real Prometheus, which scrapes a real operator, worker and admin server as the chart's monitors
 * say: every query is asked as Grafana asks it.
 */
import { enqueueMany } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { AdminUnderTest } from "../../admin/src/testing/admin-under-test.ts";
import { ClusterUnderTest } from "../../operator/src/testing/cluster-under-test.ts";
import { eventually } from "../../test/support/eventually.ts";
import { LONG_LEASE, WorkerProcess } from "../../worker/src/testing/worker-process.ts";
import { Prometheus } from "../testing/prometheus.ts";
import { ALERT_GROUPS } from "./alerts.ts";
import { dashboard } from "./dashboard.ts";

const [adminUrl = ""] = Object.values(inject("postgres")).slice(-1);
const { panels, templating, annotations } = dashboard() as {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly interval: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: { readonly query: string } }[];
  };
  readonly annotations: { readonly list: readonly [{ readonly expr: string }] };
};
const QUERIES = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

let cluster: ClusterUnderTest;
let admin: AdminUnderTest;
let worker: WorkerProcess;
let prometheus: Prometheus;

/** What somebody has chosen above the panels, or all of it. */
const ALL = { namespace: ".*", queue: ".*" };

/** What Grafana sends for an expression: `interval` is its least step, and the step of a graph of an hour. */
const asSent = (expr: string, chosen: typeof ALL, interval: string): string =>
  expr
    .replaceAll("$__rate_interval", `${4 * Number.parseInt(interval, 10)}s`)
    .replaceAll("$namespace", chosen.namespace)
    .replaceAll("$queue", chosen.queue);

/** The values that Grafana offers for a variable. */
async function offered(name: string): Promise<readonly string[]> {
  const query = templating.list.find((one) => one.name === name)?.query.query ?? "";
  const [, series = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
  return prometheus.ask(`label/${label}/values?match[]=${encodeURIComponent(asSent(series, ALL, ""))}`);
}

/** Has three jobs done and one fail for good, for the `times`-th time, and waits until Prometheus knows. */
async function work(times: number): Promise<void> {
  const jobs = ["quick", "quick", "quick", "throw"].map((kind) => ({ queue: "mailers", kind, maxAttempts: 1 }));
  await enqueueMany(admin.store.database, jobs);
  const mine = `namespace="${cluster.namespace}",queue="mailers"`;
  await prometheus.until(`jobqueue_worker_jobs_finished_total{${mine},outcome="completed"} == ${3 * times}`);
  await prometheus.until(`jobqueue_worker_jobs_finished_total{${mine},outcome="failed"} == ${times}`);
  await prometheus.until(`jobqueue_jobs{namespace="${cluster.namespace}",name="mailers",state="dead"} == ${times}`);
}

beforeAll(async () => {
  cluster = await ClusterUnderTest.create("scraped");
  admin = await AdminUnderTest.start(adminUrl, ["--auth", "keys"]);
  worker = new WorkerProcess({
    databaseUrl: admin.store.url,
    queues: "mailers",
    env: { ...LONG_LEASE, JOBQUEUE_POOL: `${cluster.namespace}/mailers` },
  });
  await cluster.secret("default", admin.store.url);
  await cluster.jobStore("default");
  await cluster.jobQueue("mailers", {});
  await cluster.jobQueue("unserved", {});
  await enqueueMany(admin.store.database, [{ queue: "unserved", kind: "quick" }]);
  const operator = await cluster.operator();
  const { port } = await worker.logged("worker started");
  const pool = { "jobqueue.dev/pool": "mailers" };
  prometheus = await Prometheus.start({
    admin: {
      namespace: "jobs-system",
      pod: "admin-0",
      port: Number(new URL(admin.url).port),
      credentials: await admin.key("metrics:read"),
    },
    workers: { namespace: cluster.namespace, pod: "mailers-1", port: Number(port), labels: pool },
    operator: { namespace: "jobs-system", pod: "operator-0", port: operator.httpPort },
  });
  await prometheus.until(`jobqueue_jobs{name="unserved",state="pending"} == 1`);
  await work(1);
  await work(2);
});

afterAll(async () => {
  await worker.kill();
  await cluster.stop();
  await admin.close();
  await prometheus.stop();
});

describe("a real Prometheus that scrapes as the chart's monitors say", () => {
  it("reaches operator, workers and admin server, and takes every sample", async () => {
    await prometheus.until("count(count_over_time(up[1h]) > 1) == 3");
    type Targets = { activeTargets: { health: string; lastError: string }[] };
    await eventually("every target to be up", async () => {
      const { activeTargets } = await prometheus.ask<Targets>("targets");
      expect(activeTargets.map(({ health, lastError }) => `${health} ${lastError}`)).toEqual(["up ", "up ", "up "]);
      return true;
    });
    expect(prometheus.refusals).toEqual([]);
  });

  it("takes and evaluates every rule", async () => {
    type Groups = { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    const rules = await eventually("every rule to be evaluated", async () => {
      const { groups } = await prometheus.ask<Groups>("rules");
      const all = groups.flatMap((group) => group.rules);
      return all.some(({ health }) => health === "unknown") ? undefined : all;
    });
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    const alerts = ALERT_GROUPS.flatMap((group) => group.alerts);
    expect(new Set(rules.map(({ name }) => name))).toEqual(new Set(alerts.map(({ name }) => name)));
  });

  it("has something for every query of the dashboard, with the labels of its legend, whatever is chosen", async () => {
    const [namespaces, queues] = [await offered("namespace"), await offered("queue")];
    expect({ namespaces, queues }).toEqual({ namespaces: [cluster.namespace], queues: ["mailers", "unserved"] });
    const chosen = { namespace: namespaces.join("|"), queue: `(${queues.join("|")})` };
    for (const choice of [ALL, chosen])
      for (const { title, expr, legendFormat, interval } of QUERIES)
        await eventually(`${title}: ${expr}`, async () => {
          const series = await prometheus.query(asSent(expr, choice, interval));
          const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
          const shown = series.filter(
            ({ metric, value }) => Number.isFinite(Number(value[1])) && labels.every((label) => label in metric),
          );
          return shown.length > 0 ? shown : undefined;
        });
  });

  it("marks an alert on the dashboard while it fires: DeadLetters, of the job that died while it looked", async () => {
    const me = `ALERTS{alertname="DeadLetters",namespace="${cluster.namespace}",name="mailers"}`;
    expect(await prometheus.until(`${annotations.list[0].expr} and ${me}`)).toHaveLength(1);
  });
});
