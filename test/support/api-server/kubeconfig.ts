import { readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse, stringify } from "yaml";

/** What a client needs to speak to an API server, taken from the current context of a kubeconfig. */
export interface Access {
  readonly server: string;
  /** Certificates the server is verified by, PEM. */
  readonly ca: string;
  readonly token?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

interface Kubeconfig {
  "current-context": string;
  contexts: { name: string; context: { cluster: string; user: string } }[];
  clusters: { name: string; cluster: Record<string, string> }[];
  users: { name: string; user: Record<string, string> }[];
}

/** Reads the current context of a kubeconfig: inline data or files; tokens and client certificates, no plugins. */
export function readKubeconfig(path: string): Access {
  const config = parse(readFileSync(path, "utf8")) as Kubeconfig;
  const context = config.contexts.find((entry) => entry.name === config["current-context"])?.context;
  const cluster = config.clusters.find((entry) => entry.name === context?.cluster)?.cluster;
  const user = config.users.find((entry) => entry.name === context?.user)?.user;
  if (!cluster?.["server"] || !user) throw new Error(`${path}: the current context names no cluster and user`);
  const data = (from: Record<string, string>, key: string): string | undefined => {
    const inline = from[`${key}-data`];
    if (inline !== undefined) return Buffer.from(inline, "base64").toString();
    const file = from[key];
    return file === undefined ? undefined : readFileSync(resolve(dirname(path), file), "utf8");
  };
  const clientCertificate = data(user, "client-certificate");
  const clientKey = data(user, "client-key");
  return {
    server: cluster["server"],
    ca: data(cluster, "certificate-authority") ?? "",
    ...(user["token"] === undefined ? {} : { token: user["token"] }),
    ...(clientCertificate === undefined || clientKey === undefined ? {} : { clientCertificate, clientKey }),
  };
}

/** Writes a kubeconfig of one context that authenticates by a bearer token; returns its path. */
export function writeKubeconfig(
  path: string,
  access: { server: string; ca: string; token: string; namespace?: string },
): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [
      {
        name: "test",
        context: { cluster: "test", user: "test", ...(access.namespace ? { namespace: access.namespace } : {}) },
      },
    ],
    clusters: [
      {
        name: "test",
        cluster: { server: access.server, "certificate-authority-data": Buffer.from(access.ca).toString("base64") },
      },
    ],
    users: [{ name: "test", user: { token: access.token } }],
  };
  writeFileSync(path, stringify(config), { mode: 0o600 });
  return path;
}
