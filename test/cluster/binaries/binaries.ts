import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { tryRun } from "../command.ts";
import { buildProgram, builtProgram } from "./go.ts";
import { compareVersions, GO_PROGRAMS } from "./versions.ts";

/** Command-line tools that a person may have installed, how they tell their version, and the oldest that serves us. */
const TOOLS = {
  kind: { args: ["version", "-q"], oldest: "0.33.0" },
  helm: { args: ["version", "--template", "{{.Version}}"], oldest: "3.17.0" },
  kubectl: { args: ["version", "--client", "-o", "json"], oldest: "1.31.0" },
} as const;

/**
 * Path of a command-line tool: the build of our cache; else the installed one when it is new enough; else a build made
 * now. kubectl is also inside the kube binary, so a machine that has that one builds nothing.
 */
export async function tool(name: keyof typeof TOOLS): Promise<string> {
  const kube = name === "kubectl" ? builtProgram("kube") : undefined;
  if (kube !== undefined) return join(dirname(kube), "kubectl");
  return builtProgram(name) ?? (await installed(name)) ?? (await buildProgram(name));
}

async function installed(name: keyof typeof TOOLS): Promise<string | undefined> {
  const path = onPath(name);
  if (path === undefined) return undefined;
  const version = /\d+\.\d+\.\d+/.exec((await tryRun(path, TOOLS[name].args, { timeoutMs: 10_000 })) ?? "")?.[0];
  return version !== undefined && compareVersions(version, TOOLS[name].oldest) >= 0 ? path : undefined;
}

/** First executable of that name on the PATH. */
export function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}

/** What our own node image is made of. */
export async function nodePrograms(): Promise<Record<"kube" | "kubeadm" | "pause" | "coredns", string>> {
  return {
    kube: await buildProgram("kube"),
    kubeadm: await buildProgram("kubeadm"),
    pause: await buildProgram("pause"),
    coredns: await buildProgram("coredns"),
  };
}

export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  /** Where they are from, for a line that tells it. */
  readonly origin: string;
}

/**
 * The programs of an API server without nodes. `KUBEBUILDER_ASSETS` (a directory, as setup-envtest prints it) wins;
 * kube-controller-manager is ours when that directory has none.
 */
export async function controlPlanePrograms(): Promise<ControlPlanePrograms> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (!assets) {
    const directory = dirname(await buildProgram("kube"));
    return {
      etcd: join(directory, "etcd"),
      kubeApiserver: join(directory, "kube-apiserver"),
      kubeControllerManager: join(directory, "kube-controller-manager"),
      origin: `Kubernetes ${GO_PROGRAMS.kube.version} of our own build`,
    };
  }
  const given = (name: string) => (existsSync(join(assets, name)) ? join(assets, name) : undefined);
  const [etcd, kubeApiserver] = [given("etcd"), given("kube-apiserver")];
  if (etcd === undefined || kubeApiserver === undefined) {
    throw new Error(
      `KUBEBUILDER_ASSETS is ${assets}, which has no etcd and kube-apiserver. Correct it, or unset it to use our own build.`,
    );
  }
  return {
    etcd,
    kubeApiserver,
    kubeControllerManager:
      given("kube-controller-manager") ?? join(dirname(await buildProgram("kube")), "kube-controller-manager"),
    origin: `KUBEBUILDER_ASSETS (${assets})`,
  };
}
