import { type ChildProcess, spawn } from "node:child_process";
import { run } from "../../cluster/command.ts";

/** A JSON object of the API server, as far as tests look into it. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly generation?: number;
    readonly resourceVersion: string;
    readonly labels?: Record<string, string>;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly annotations?: Record<string, string>;
  };
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read whatever the kind has
  readonly spec?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly status?: any;
}

/** `kubectl` of one cluster and, unless a call names another, one namespace: what a user has, used as a user does. */
export class Kubectl {
  readonly namespace: string;
  readonly #program: string;
  readonly #kubeconfig: string;

  constructor(program: string, kubeconfig: string, namespace: string) {
    this.#program = program;
    this.namespace = namespace;
    this.#kubeconfig = kubeconfig;
  }

  /** The same cluster, another namespace. */
  in(namespace: string): Kubectl {
    return new Kubectl(this.#program, this.#kubeconfig, namespace);
  }

  /** Runs kubectl and returns what it printed. */
  async run(...args: string[]): Promise<string> {
    return run(this.#program, ["--namespace", this.namespace, ...args], { env: { KUBECONFIG: this.#kubeconfig } });
  }

  /** Applies manifests given as text. */
  async apply(manifests: string, ...args: string[]): Promise<string> {
    return run(this.#program, ["--namespace", this.namespace, "apply", "-f", "-", ...args], {
      env: { KUBECONFIG: this.#kubeconfig },
      input: manifests,
    });
  }

  /** One object, or `undefined` when it is not there. */
  async get(kind: string, name: string): Promise<Resource | undefined> {
    const text = await this.run("get", kind, name, "--ignore-not-found", "-o", "json");
    return text === "" ? undefined : (JSON.parse(text) as Resource);
  }

  /** The objects of a kind, optionally those that match a label selector. */
  async list(kind: string, selector?: string): Promise<Resource[]> {
    const text = await this.run("get", kind, "-o", "json", ...(selector === undefined ? [] : ["-l", selector]));
    return (JSON.parse(text) as { items: Resource[] }).items;
  }

  /** Forwards a free local port to a port of a pod or service until `stop` is called. */
  async portForward(target: string, port: number): Promise<PortForward> {
    const child = spawn(this.#program, ["--namespace", this.namespace, "port-forward", target, `:${port}`], {
      env: { ...process.env, KUBECONFIG: this.#kubeconfig },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Promise((resolve, reject) => {
      let output = "";
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const local = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
        if (local !== undefined) resolve(new PortForward(child, Number(local)));
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("error", reject);
      child.once("exit", () => {
        reject(new Error(`kubectl port-forward ${target} ended: ${output}`));
      });
    });
  }
}

/** A running `kubectl port-forward`. */
export class PortForward {
  readonly port: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGTERM");
    await exited;
  }
}
