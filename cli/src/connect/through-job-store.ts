import { lookup } from "node:dns/promises";
import type { ConnectionSettings } from "@jobqueue/store";
import { Failure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { clusterUser, openCluster } from "./cluster.ts";
import { type ForwardTarget, forwardTarget } from "./forward-target.ts";
import { readJobStore } from "./job-store.ts";
import { type KubectlOptions, type PortForward, portForwardArguments, startPortForward } from "./port-forward.ts";
import type { StoreAddress } from "./store-address.ts";
import { describeStore, type Way } from "./way.ts";

async function isKnownHere(host: string): Promise<boolean> {
  try {
    await lookup(host);
    return true;
  } catch {
    return false;
  }
}

async function forward(target: ForwardTarget, to: ConnectionSettings, options: KubectlOptions): Promise<PortForward> {
  try {
    return await startPortForward(target, to.port, options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const line = ["kubectl", ...portForwardArguments(target, to.port, to.port, options)].join(" ");
    const url = `postgres://USER:PASSWORD@127.0.0.1:${to.port}/${to.database}`;
    throw new Failure("storeUnreachable", error.message, {
      remedy: `Only the cluster knows host ${to.host}. Where kubectl works: ${line}\nand then name the store with --store-url ${url}`,
      cause: error,
    });
  }
}

/**
 * The way through a JobStore object. Its host is often a name that only the cluster knows; from outside it is reached
 * through `kubectl port-forward`, and the certificate must still bear the name that the URL says.
 */
export async function throughJobStore(address: StoreAddress & { by: "jobStore" }, env: Terminal["env"]): Promise<Way> {
  const options: KubectlOptions = { kubeconfig: address.kubeconfig, context: address.context, env };
  const cluster = await openCluster(options).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    const remedy = "Name a store with --store-url or DATABASE_URL, or a cluster with --kubeconfig or --context.";
    throw new Failure(error.exit, error.message, { remedy, cause: error.cause });
  });
  try {
    const namespace = address.namespace ?? cluster.namespace;
    const { connection, schema } = await readJobStore(cluster.client, { namespace, name: address.name });
    const where = `${describeStore(connection, schema)}, which JobStore ${namespace}/${address.name} names`;
    const common = { schema, clusterUser: async () => clusterUser(cluster) };
    const target = cluster.inside ? undefined : forwardTarget(connection.host, namespace);
    if (!target || (!target.certain && (await isKnownHere(connection.host)))) {
      const onlyThere = `If only the cluster reaches ${connection.host}: make a local port of it with kubectl port-forward, and give that with --store-url.`;
      return { ...common, connection, where, remedy: cluster.inside ? undefined : onlyThere, close: cluster.close };
    }
    const local = await forward(target, connection, options);
    return {
      ...common,
      connection: {
        ...connection,
        host: "127.0.0.1",
        port: local.port,
        tls: { ...connection.tls, serverName: connection.host },
      },
      where: `${where}, through kubectl port-forward`,
      remedy: undefined,
      close: async () => {
        await local.stop();
        await cluster.close();
      },
    };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}
