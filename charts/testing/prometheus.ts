import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { ServerProcess } from "../../test/support/api-server/server-process.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freePort } from "../../test/support/free-port.ts";
import { render } from "./helm.ts";
import { RULES } from "./promtool.ts";

/** What the chart makes where everything is to be scraped. */
const VALUES = {
  metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
  admin: {
    enabled: true,
    auth: ["keys"],
    store: { connection: { uriSecretRef: { name: "store" } } },
    metrics: { serviceMonitor: { enabled: true, credentialsSecretRef: { name: "scrape" } } },
  },
};

/** A process of this machine in the place of a pod. */
interface Scraped {
  readonly port: number;
  readonly namespace: string;
  readonly pod: string;
  /** Labels of the pod. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What the Secret holds that the monitor names. */
  readonly credentials?: string;
}

/** Of a Service, a ServiceMonitor or a PodMonitor what says how to scrape. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> };
  readonly spec: {
    readonly endpoints?: readonly Endpoint[];
    readonly podMetricsEndpoints?: readonly Endpoint[];
    readonly podTargetLabels?: readonly string[];
    readonly ports?: readonly { readonly name: string }[];
    readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
}
interface Endpoint {
  readonly path: string;
  readonly port?: string;
  readonly honorLabels?: boolean;
  readonly authorization?: object;
}

/** The job that the Prometheus operator makes of a monitor: its name is that of the one Service it selects, or its own. */
function scrapeConfig(manifests: readonly Manifest[], monitor: Manifest, scraped: Scraped): object {
  const { endpoints, podMetricsEndpoints = [], selector, podTargetLabels = [] } = monitor.spec;
  const [endpoint, ...more] = endpoints ?? podMetricsEndpoints;
  const services = manifests.filter(
    ({ kind, metadata, spec }) =>
      kind === "Service" &&
      spec.ports?.some(({ name }) => name === endpoint?.port) &&
      Object.entries(selector.matchLabels ?? {}).every(([label, value]) => metadata.labels[label] === value),
  );
  if (!endpoint || more.length > 0 || (endpoints && services.length !== 1))
    throw new Error(`${monitor.kind} ${monitor.metadata.name} is not about one port of one Service`);
  const { namespace, pod, port, labels = {}, credentials } = scraped;
  const ofPod = podTargetLabels.map((label) => [label.replaceAll(/\W/g, "_"), labels[label] ?? ""]);
  return {
    job_name: endpoints ? services[0]?.metadata.name : `${monitor.metadata.namespace}/${monitor.metadata.name}`,
    metrics_path: endpoint.path,
    honor_labels: endpoint.honorLabels ?? false,
    ...(endpoint.authorization && { authorization: { credentials } }),
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { namespace, pod, ...Object.fromEntries(ofPod) } }],
  };
}

/** A series of an answer and its number, as text. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, number: string];
}

/** A real Prometheus, with the rules of the chart, that scrapes as the chart's monitors say, but more often. */
export class Prometheus {
  readonly #directory: string;
  readonly #url: string;
  readonly #process: ServerProcess;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#url = `http://127.0.0.1:${port}`;
    const server = [
      "prometheus",
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ];
    // Nobody is left to end it when a run is killed.
    this.#process = new ServerProcess(
      directory,
      "prometheus",
      "setpriv",
      ["--pdeathsig", "KILL", "--", ...server],
      async () => (await fetch(`${this.#url}/-/ready`).catch(() => undefined))?.ok ?? false,
    );
  }

  /** Starts one that scrapes a process for each monitor of the chart, by the end of the monitor's name. */
  static async start(scraped: Readonly<Record<string, Scraped>>): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-prometheus-"));
    const manifests = parseAllDocuments(await render(VALUES)).flatMap((one) => (one.toJS() as Manifest | null) ?? []);
    const monitors = manifests.filter(({ kind }) => kind.endsWith("Monitor"));
    const configs = monitors.map((monitor) => {
      const [, to] = Object.entries(scraped).find(([name]) => monitor.metadata.name.endsWith(name)) ?? [];
      if (!to) throw new Error(`nothing to scrape for ${monitor.kind} ${monitor.metadata.name}`);
      return scrapeConfig(manifests, monitor, to);
    });
    const global = { scrape_interval: "2s", scrape_timeout: "2s", evaluation_interval: "1s" };
    const config = { global, rule_files: [RULES], scrape_configs: configs };
    writeFileSync(join(directory, "prometheus.yml"), stringify(config));
    const prometheus = new Prometheus(directory, await freePort());
    await prometheus.#process.start();
    return prometheus;
  }

  /** What a path of its API answers; throws when that is no success, or comes with a warning. */
  async ask<Data>(path: string): Promise<Data> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const { data, ...rest } = (await response.json()) as { readonly data: Data };
    if (JSON.stringify(rest) !== '{"status":"success"}')
      throw new Error(`${decodeURIComponent(path)}: ${JSON.stringify(rest)}`);
    return data;
  }

  /** The series that an expression gives now. */
  async query(expr: string): Promise<readonly Sample[]> {
    const { result } = await this.ask<{ result: Sample[] }>(`query?query=${encodeURIComponent(expr)}`);
    return result;
  }

  /** The series that an expression gives, once it gives some. */
  async until(expr: string): Promise<readonly Sample[]> {
    return eventually(expr, async () => {
      const series = await this.query(expr);
      return series.length > 0 ? series : undefined;
    });
  }

  /** What it says of samples and rules that it could not take. */
  get refusals(): readonly string[] {
    const lines = readFileSync(this.#process.log, "utf8").split("\n");
    return lines.filter((line) => /ingesting|append|rule/i.test(line));
  }

  async stop(): Promise<void> {
    await this.#process.stop("SIGKILL");
    rmSync(this.#directory, { recursive: true });
  }
}
