import { enqueueMany, type Database } from "@jobqueue/store";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import type { Operator } from "../main.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

/**
 * A provider of external metrics, as KEDA's or the Prometheus adapter's is: it serves what the operator's own /metrics says,
 * under `external.metrics.k8s.io`. The API server reaches it through an APIService.
 */
class MetricsProvider {
  readonly #server: Server;
  readonly #directory: string;

  constructor(metricsUrl: () => string) {
    this.#directory = mkdtempSync(join(tmpdir(), "jobqueue-metrics-"));
    const [key, cert] = [join(this.#directory, "key.pem"), join(this.#directory, "cert.pem")];
    const subject = ["-subj", "/CN=metrics", "-keyout", key, "-out", cert];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...subject], {
      stdio: "ignore",
    });
    this.#server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      void (async () => {
        const body = await this.#answer(request.url ?? "", metricsUrl()).catch(() => undefined); // the operator ends
        response.writeHead(body ? 200 : 503, { "content-type": "application/json" });
        response.end(JSON.stringify(body ?? {}));
      })();
    });
  }

  async #answer(url: string, metricsUrl: string): Promise<object> {
    const [, namespace = "", metricName = ""] = /namespaces\/([^/]+)\/([^/?]+)/.exec(url) ?? [];
    const groupVersion = "external.metrics.k8s.io/v1beta1";
    if (metricName === "") {
      const jobs = {
        name: "jobs",
        singularName: "",
        namespaced: true,
        kind: "ExternalMetricValueList",
        verbs: ["get"],
      };
      return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: [jobs] };
    }
    const scrape = await (await fetch(metricsUrl)).text();
    const of = (state: string) =>
      Number(
        new RegExp(`^jobqueue_jobs\\{namespace="${namespace}",name="mailers",state="${state}"\\} (\\d+)$`, "m").exec(
          scrape,
        )?.[1],
      );
    const value = String(of("pending") + of("running"));
    const item = { metricName, metricLabels: {}, timestamp: new Date().toISOString(), value };
    return { kind: "ExternalMetricValueList", apiVersion: groupVersion, metadata: {}, items: [item] };
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "0.0.0.0", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true });
  }
}

/** An address of this machine that is no loopback one: endpoints may not have those. */
function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal);
  if (!found) throw new Error("this machine has no address but loopback ones");
  return found.address;
}

describe("a HorizontalPodAutoscaler on the JobQueue", () => {
  let server: ApiServer;
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;
  let provider: MetricsProvider;
  let operator: Operator;

  beforeAll(async () => {
    server = await ApiServer.create();
    cluster = await ClusterUnderTest.create("hpa", server.kubeconfig);
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    operator = await cluster.operator();
    provider = new MetricsProvider(() => `http://127.0.0.1:${operator.httpPort}/metrics`);
    const port = await provider.listen();
    const { namespace, api } = cluster;
    await api.create(`/api/v1/namespaces/${namespace}/services`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "metrics" },
      spec: { ports: [{ name: "https", port: 443, targetPort: port }] },
    });
    await api.create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "metrics", labels: { "kubernetes.io/service-name": "metrics" } },
      addressType: "IPv4",
      ports: [{ name: "https", port, protocol: "TCP" }],
      endpoints: [{ addresses: [ownAddress()], conditions: { ready: true } }],
    });
    await api.create("/apis/apiregistration.k8s.io/v1/apiservices", {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1beta1.external.metrics.k8s.io" },
      spec: {
        service: { namespace, name: "metrics", port: 443 },
        group: "external.metrics.k8s.io",
        version: "v1beta1",
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    });
  });

  afterAll(async () => {
    await cluster.stop();
    await provider.close();
    await store.close();
    await database.drop();
    await server.destroy();
  });

  const replicas = async () =>
    (await cluster.api.get<KubeObject & { spec: { replicas: number } }>(cluster.path("jobqueues/mailers"))).spec
      .replicas;

  it("K12: the real HPA controller drives /scale, and the pods follow", async () => {
    const hpas = `/apis/autoscaling/v2/namespaces/${cluster.namespace}/horizontalpodautoscalers`;
    await cluster.api.create(hpas, {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "mailers" },
      spec: {
        scaleTargetRef: { apiVersion: "jobqueue.dev/v1alpha1", kind: "JobQueue", name: "mailers" },
        minReplicas: 1,
        maxReplicas: 4,
        behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
        metrics: [
          {
            type: "External",
            external: { metric: { name: "jobqueue_jobs" }, target: { type: "AverageValue", averageValue: "10" } },
          },
        ],
      },
    });
    await enqueueMany(
      store,
      Array.from({ length: 35 }, () => ({ queue: "mailers", kind: "mail" })),
    );
    const explain = async () => {
      const { status } = (await cluster.api.get(`${hpas}/mailers`)) as KubeObject & { status?: unknown };
      return JSON.stringify(status);
    };
    let said = "";
    const wants = (count: number) =>
      waitFor(
        `spec.replicas ${count}`,
        async () => {
          said = await explain();
          return (await replicas()) === count;
        },
        { timeoutMs: 60_000, explain: () => said },
      );
    await wants(4);
    await waitFor("four pods", async () => (await cluster.pods("mailers")).length === 4, { timeoutMs: 30_000 });
    expect((await cluster.status("mailers")).selector).toBe("jobqueue.dev/pool=mailers");
    await store.query("delete from jobqueue.jobs where id in (select id from jobqueue.jobs order by id limit 20)");
    await wants(2);
    await waitFor("two pods", async () => (await cluster.pods("mailers")).length === 2, { timeoutMs: 30_000 });
    const settled = async () => {
      const { currentReplicas, desiredReplicas } = JSON.parse(await explain()) as Record<string, number>;
      return currentReplicas === 2 && desiredReplicas === 2;
    };
    await waitFor("the autoscaler to see them", settled, { timeoutMs: 30_000, explain: () => said });
  }, 240_000);
});
