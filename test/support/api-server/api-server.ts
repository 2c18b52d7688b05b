import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { type ControlPlanePrograms, controlPlanePrograms } from "../../cluster/binaries/binaries.ts";
import { ApiClient } from "./api-client.ts";
import { applyCrds } from "./crds.ts";
import { createCredentials, type Credentials } from "./credentials.ts";
import { freePort } from "../free-port.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { type AuditEvent, readAuditLog } from "./audit-log.ts";
import { createServerDirectory } from "./leftovers.ts";
import { ServerProcess } from "./server-process.ts";

export interface ApiServerOptions {
  /**
   * Keep an audit log: `Writes`, of what may change something; `Metadata` of every request, or `Request` with the bodies sent.
   * None without it.
   */
  readonly audit?: "Writes" | "Metadata" | "Request";
  /** Names of the users whose requests the audit log keeps; everybody's when absent. */
  readonly auditOf?: readonly string[];
  /** What each controller of kube-controller-manager may ask a second (default 200; twice that at once). */
  readonly controllerRequestsPerSecond?: number;
}

/**
 * A real Kubernetes control plane without nodes: etcd, kube-apiserver and kube-controller-manager as processes on free
 * loopback ports, with our kinds. Deployments get ReplicaSets and those get pods, owners are garbage collected; no
 * scheduler and no kubelet, so pods stay Pending and tests write `status` themselves.
 */
export class ApiServer {
  /** Data, logs and credentials; removed by `destroy`. */
  readonly directory: string;
  readonly url: string;
  /** Path of a kubeconfig that may do everything. */
  readonly kubeconfig: string;
  /** Path of a kubeconfig of the user `outsider`, to whom no role is bound. */
  readonly outsiderKubeconfig: string;
  readonly etcd: ServerProcess;
  readonly apiserver: ServerProcess;
  readonly controllerManager: ServerProcess;
  readonly #etcdUrl: string;

  private constructor(
    directory: string,
    programs: ControlPlanePrograms,
    options: ApiServerOptions,
    port: number,
    etcdPort: number,
  ) {
    this.directory = directory;
    this.url = `https://127.0.0.1:${port}`;
    this.kubeconfig = join(directory, "kubeconfig");
    this.outsiderKubeconfig = join(directory, "outsider.kubeconfig");
    const credentials = createCredentials(directory);
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    this.#etcdUrl = etcdUrl;
    this.etcd = new ServerProcess(directory, "etcd", programs.etcd, etcdArguments(directory, etcdUrl), () =>
      answers(`${etcdUrl}/health`),
    );
    this.apiserver = new ServerProcess(
      directory,
      "kube-apiserver",
      programs.kubeApiserver,
      apiserverArguments(directory, etcdUrl, port, credentials, options),
      () => this.#isReady(credentials),
    );
    this.controllerManager = new ServerProcess(
      directory,
      "kube-controller-manager",
      programs.kubeControllerManager,
      controllerManagerArguments(directory, this.kubeconfig, credentials, options),
      async () => true, // nothing waits for it: who needs one of its controllers waits for what that one does
    );
  }

  /** Starts a fresh server, ready to be used: a few seconds. */
  static async create(options: ApiServerOptions = {}): Promise<ApiServer> {
    const programs = await controlPlanePrograms();
    for (let attempt = 1; ; attempt++) {
      const server = new ApiServer(createServerDirectory(), programs, options, await freePort(), await freePort());
      try {
        await server.etcd.start();
        await server.apiserver.start();
        await server.controllerManager.start();
        await applyCrds(server.kubeconfig);
        return server;
      } catch (error) {
        await server.destroy();
        // Somebody was quicker to take the port that was free when we looked.
        if (attempt === 3 || !/address already in use/.test(String(error))) throw error;
      }
    }
  }

  /** Ends kube-apiserver alone; its data stay. `SIGKILL` is a crash. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    await this.apiserver.stop(signal);
  }

  /** Starts kube-apiserver again, on the same port, with the same data; resolves when it is ready. */
  async start(): Promise<void> {
    await this.apiserver.start();
  }

  /** Has etcd forget everything but the present, as the API server does every five minutes with what is older than that. */
  async compact(): Promise<void> {
    const call = async (method: string, body: object): Promise<{ header: { revision: string } }> => {
      const answer = await fetch(`${this.#etcdUrl}/v3/kv/${method}`, { method: "POST", body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`etcd ${method}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as { header: { revision: string } };
    };
    const { header } = await call("range", { key: Buffer.from("/").toString("base64") });
    await call("compaction", { revision: header.revision, physical: true });
  }

  /** Path of the audit log; requires the option `audit`. */
  get auditLog(): string {
    return join(this.directory, "audit.log");
  }

  /** The audit log so far; requires the option `audit`. */
  auditEvents(): AuditEvent[] {
    return readAuditLog(this.auditLog);
  }

  /** Ready is more than listening: the start-up hooks have made the default roles and priority classes. */
  async #isReady({ adminToken, outsiderToken }: Credentials): Promise<boolean> {
    const certificates = join(this.directory, "certificates", "apiserver.crt");
    const ca = existsSync(certificates) ? readFileSync(certificates, "utf8") : "";
    // It made a certificate for itself and an authority to sign it: both are in this file, once it is written whole.
    if (ca.split("END CERTIFICATE").length !== 3) return false;
    if (!existsSync(this.kubeconfig)) {
      const access = { server: this.url, ca };
      writeKubeconfig(this.outsiderKubeconfig, { ...access, token: outsiderToken });
      writeKubeconfig(this.kubeconfig, { ...access, token: adminToken });
    }
    try {
      await new ApiClient(this.kubeconfig).send("GET", "/readyz");
      return true;
    } catch {
      return false;
    }
  }

  /** Ends every process and removes everything. */
  async destroy(): Promise<void> {
    await Promise.all([this.controllerManager.stop("SIGKILL"), this.apiserver.stop("SIGKILL")]);
    await this.etcd.stop("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function etcdArguments(directory: string, url: string): string[] {
  return toArguments({
    "data-dir": join(directory, "etcd"),
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": "http://127.0.0.1:0", // a single member has no peers, but etcd insists on listening
    "unsafe-no-fsync": "true", // tests kill processes, not the machine
    "log-level": "warn",
  });
}

function apiserverArguments(
  directory: string,
  etcdUrl: string,
  port: number,
  credentials: Credentials,
  options: ApiServerOptions,
): string[] {
  const flags: Record<string, string> = {
    "etcd-servers": etcdUrl,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "secure-port": String(port),
    "endpoint-reconciler-type": "none", // a loopback address is no valid endpoint
    "cert-dir": join(directory, "certificates"), // it signs a certificate for the bind address itself
    "token-auth-file": credentials.tokenFile,
    "authorization-mode": "RBAC",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-signing-key-file": credentials.signingKeyFile,
    "service-account-key-file": credentials.verifyKeyFile,
    "service-cluster-ip-range": "10.96.0.0/16",
    "watch-cache": "true",
    "enable-aggregator-routing": "true", // an APIService is reached at the endpoints of its Service: no kube-proxy here
  };
  if (options.audit) {
    const policy = join(directory, "audit-policy.json");
    const onlyWrites = options.audit === "Writes";
    const users = options.auditOf && { users: options.auditOf };
    const rules = [
      ...(onlyWrites ? [{ level: "None", verbs: ["get", "list", "watch"] }] : []),
      { level: onlyWrites ? "Metadata" : options.audit, ...users, omitStages: ["RequestReceived"] },
    ];
    writeFileSync(policy, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules }));
    flags["audit-policy-file"] = policy;
    flags["audit-log-path"] = join(directory, "audit.log");
    flags["audit-log-mode"] = "blocking"; // an answered request is in the log
    flags["audit-log-maxsize"] = "10000"; // MB; beyond it the log would begin anew
  }
  return toArguments(flags);
}

function controllerManagerArguments(
  directory: string,
  kubeconfig: string,
  credentials: Credentials,
  { controllerRequestsPerSecond: perSecond = 200 }: ApiServerOptions,
): string[] {
  return toArguments({
    kubeconfig,
    "leader-elect": "false",
    "secure-port": "0", // it serves nothing
    "service-account-private-key-file": credentials.signingKeyFile,
    "root-ca-file": join(directory, "certificates", "apiserver.crt"),
    "horizontal-pod-autoscaler-sync-period": "1s", // 15 s by default
    "kube-api-qps": String(perSecond),
    "kube-api-burst": String(2 * perSecond),
  });
}

function toArguments(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

async function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once("error", () => resolve(false));
  });
}
