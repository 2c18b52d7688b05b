import { type ChildProcess, spawn } from "node:child_process";
import { Failure } from "../failure.ts";
import type { ForwardTarget } from "./forward-target.ts";

/** A running `kubectl port-forward`. */
export interface PortForward {
  /** Port on 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Which cluster kubectl is to use. */
export interface KubectlOptions {
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The arguments for kubectl, for running it and for showing them to people. `localPort` empty: any free one. */
export function portForwardArguments(
  target: ForwardTarget,
  port: number,
  localPort: number | "",
  options: KubectlOptions,
): string[] {
  return [
    ...(options.kubeconfig === undefined ? [] : ["--kubeconfig", options.kubeconfig]),
    ...(options.context === undefined ? [] : ["--context", options.context]),
    "--namespace",
    target.namespace,
    "port-forward",
    "--address",
    "127.0.0.1",
    target.resource,
    `${localPort}:${port}`,
  ];
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exited;
}

/**
 * Makes a port of a Service or pod reachable on a free local port, until `stop`. kubectl does it rather than we: whoever
 * uses a cluster has it, with every way of logging in and of upgrading connections that the cluster may want. It reports
 * the port once it listens; when it ends before that, its own words are the failure.
 */
export async function startPortForward(
  target: ForwardTarget,
  port: number,
  options: KubectlOptions,
): Promise<PortForward> {
  const child = spawn("kubectl", portForwardArguments(target, port, "", options), {
    env: { ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    let problem = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const local = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (local !== undefined) resolve({ port: Number(local), stop: async () => stop(child) });
    });
    child.stderr.on("data", (chunk: Buffer) => {
      problem = `${problem}${chunk.toString()}`.slice(-2000);
    });
    child.once("error", (cause) => {
      reject(
        new Failure(
          "clusterFailed",
          `kubectl is needed to reach ${target.resource} from here, and cannot be run: ${cause.message}`,
        ),
      );
    });
    child.once("close", (code) => {
      const words = problem.trim() || `it ended with ${code}`;
      reject(
        new Failure(
          "clusterFailed",
          `kubectl port-forward to ${target.resource} in namespace ${target.namespace} failed: ${words}`,
        ),
      );
    });
  });
}
