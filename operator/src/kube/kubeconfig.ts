/** Reads kubeconfig files: merging, relative paths and credentials as kubectl has them. What we do not support we refuse by name. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import type { Clock } from "../runtime/clock.ts";
import type { Access, Credentials } from "./access.ts";
import { execCredentials, fileMaterial, type ExecPlugin, type Material } from "./credentials.ts";
import { KubeError } from "./errors.ts";

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
}

interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecPlugin;
  readonly as?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly "auth-provider"?: { readonly name?: string };
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: Cluster }[] | null;
  readonly users?: readonly { readonly name: string; readonly user: User }[] | null;
  readonly contexts?:
    | readonly {
        readonly name: string;
        readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string };
      }[]
    | null;
}

/** An entry and the directory that its relative paths start from. */
interface Found<T> {
  readonly value: T;
  readonly directory: string;
}

/** Access through the given files; where two define the same name, the first wins. @throws KubeError `NotConfigured` */
export async function kubeconfigAccess(
  files: readonly string[],
  options: { readonly context: string | undefined; readonly clock: Clock },
): Promise<Access> {
  const configs = await Promise.all(files.map(readConfig));
  const find = <T>(what: string, name: string, entries: (config: Kubeconfig) => T | undefined): Found<T> => {
    for (const { config, directory } of configs) {
      const value = entries(config);
      if (value) return { value, directory };
    }
    throw refuse(`${files.join(", ")}: there is no ${what} "${name}".`);
  };

  const name = options.context ?? configs.map(({ config }) => config["current-context"]).find(Boolean);
  if (!name) throw refuse(`${files.join(", ")}: there is no current context; choose one.`);
  const context = find("context", name, (config) => config.contexts?.find((entry) => entry.name === name)).value
    .context;
  const cluster = find("cluster", context.cluster, (config) =>
    config.clusters?.find((entry) => entry.name === context.cluster),
  );
  const user = find("user", context.user, (config) => config.users?.find((entry) => entry.name === context.user));
  const { server, ...tls } = cluster.value.cluster;
  if (!server) throw refuse(`${files.join(", ")}: cluster "${context.cluster}" has no server.`);
  if (tls["proxy-url"]) throw refuse(`${files.join(", ")}: proxy-url is not supported.`);

  const { clock } = options;
  const ca = material(cluster.directory, clock, tls["certificate-authority-data"], tls["certificate-authority"]);
  const own = userCredentials({ value: user.value.user, directory: user.directory }, clock);
  return {
    server,
    namespace: context.namespace,
    source: `kubeconfig ${files.join(", ")}, context ${name}`,
    serverName: tls["tls-server-name"],
    insecure: tls["insecure-skip-tls-verify"] ?? false,
    credentials: async (fresh) => ({ ...(await own(fresh)), ca: await ca?.(fresh) }),
  };
}

async function readConfig(file: string): Promise<{ config: Kubeconfig; directory: string }> {
  try {
    return { config: (parse(await readFile(file, "utf8")) ?? {}) as Kubeconfig, directory: dirname(resolve(file)) };
  } catch (cause) {
    throw refuse(`${file} cannot be read as a kubeconfig: ${(cause as Error).message}`, cause);
  }
}

function userCredentials({ value: user, directory }: Found<User>, clock: Clock): Access["credentials"] {
  if (user["auth-provider"]) {
    throw refuse(
      `The kubeconfig's auth-provider "${user["auth-provider"].name}" is not supported; use an exec plugin.`,
    );
  }
  if (user.as) throw refuse("The kubeconfig's impersonation (as) is not supported.");
  if (user.exec) return execCredentials(user.exec, clock);
  const token =
    user.token === undefined && user.tokenFile ? fileMaterial(resolve(directory, user.tokenFile), clock) : undefined;
  const certificate = material(directory, clock, user["client-certificate-data"], user["client-certificate"]);
  const key = material(directory, clock, user["client-key-data"], user["client-key"]);
  const basic = user.username === undefined ? undefined : Buffer.from(`${user.username}:${user.password ?? ""}`);
  return async (fresh): Promise<Credentials> => {
    const bearer = user.token ?? (await token?.(fresh));
    return {
      certificate: await certificate?.(fresh),
      key: await key?.(fresh),
      authorization: bearer ? `Bearer ${bearer}` : basic && `Basic ${basic.toString("base64")}`,
    };
  };
}

/** Embedded data wins over a file, as in client-go. */
function material(directory: string, clock: Clock, data?: string, file?: string): Material | undefined {
  if (data) {
    const text = Buffer.from(data, "base64").toString("utf8");
    return async () => text;
  }
  return file ? fileMaterial(resolve(directory, file), clock) : undefined;
}

function refuse(message: string, cause?: unknown): KubeError {
  return new KubeError(message, { reason: "NotConfigured", retry: "never", cause });
}
