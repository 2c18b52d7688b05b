/**
 * Where the API server is and how to be let in: the file that was named, else `KUBECONFIG`, else the in-cluster service
 * account, else `~/.kube/config` (the order of controller-runtime).
 *
 * Our own reader rather than @kubernetes/client-node's: importing the latter's `dist/config.js` alone takes 520 ms and
 * 82 MB of memory (it pulls in the whole generated model), this file 1 ms in a cluster and 40 ms with a kubeconfig; and
 * its exec plugins are not told `KUBERNETES_EXEC_INFO`, without which several refuse to work.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { fileMaterial } from "./credentials.ts";
import { KubeError } from "./errors.ts";

/** What proves who the server and we are, as of now. PEM texts; `authorization` is a header's value. */
export interface Credentials {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly authorization?: string | undefined;
}

/** Everything needed to open a connection. */
export interface Access {
  /** Base URL. */
  readonly server: string;
  /** Namespace of the service account or of the kubeconfig's context. */
  readonly namespace: string | undefined;
  /** For people: "in-cluster service account", or which file and context. */
  readonly source: string;
  readonly serverName?: string | undefined;
  /** The server's certificate is not looked at. */
  readonly insecure?: boolean;
  /** Asked before every request; answers from memory unless files changed, a token expired, or `fresh` is asked for. */
  readonly credentials: (fresh?: boolean) => Promise<Credentials>;
}

/** Where to look. */
export interface AccessOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** A kubeconfig file that is used instead of everything else. */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig (default: its current one). */
  readonly context?: string | undefined;
  readonly clock?: Clock;
  /** Where the kubelet mounts the service account (tests have their own). */
  readonly serviceAccount?: string;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** @throws KubeError `NotConfigured` with a sentence that says what is wrong or what to set. */
export async function loadAccess(options: AccessOptions = {}): Promise<Access> {
  const { env = process.env, kubeconfig, context, clock = systemClock, serviceAccount = SERVICE_ACCOUNT } = options;
  const named = kubeconfig ? [kubeconfig] : (env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  if (named.length === 0 && env["KUBERNETES_SERVICE_HOST"] && existsSync(join(serviceAccount, "token"))) {
    return inCluster(env, serviceAccount, clock);
  }
  const home = join(env["HOME"] ?? homedir(), ".kube", "config");
  const files = (named.length > 0 ? named : [home]).filter((file) => existsSync(file));
  if (files.length > 0) {
    // Not imported in a cluster: the YAML parser costs 40 ms and 13 MB.
    const { kubeconfigAccess } = await import("./kubeconfig.ts");
    return kubeconfigAccess(files, { context, clock });
  }
  throw new KubeError(
    named.length > 0
      ? `No such kubeconfig: ${named.join(", ")}.`
      : `No Kubernetes API server is configured: this is not a pod with a service account, KUBECONFIG is not set and ${home} does not exist.`,
    { reason: "NotConfigured", retry: "never" },
  );
}

async function inCluster(env: NodeJS.ProcessEnv, directory: string, clock: Clock): Promise<Access> {
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "443";
  const file = (name: string) => fileMaterial(join(directory, name), clock);
  const [token, ca] = [file("token"), file("ca.crt")];
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: existsSync(join(directory, "namespace")) ? await file("namespace")() : undefined,
    source: "in-cluster service account",
    credentials: async (fresh) => ({ ca: await ca(fresh), authorization: `Bearer ${await token(fresh)}` }),
  };
}
