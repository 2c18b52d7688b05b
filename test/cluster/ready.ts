import { kubectl } from "./kubectl.ts";
import { CommandError } from "./command.ts";
import { waitFor } from "./wait-for.ts";

/** How often the cluster is asked, in ms: each question starts a kubectl. */
const ASK_EVERY_MS = 500;

/**
 * Waits until every node is Ready and the cluster's DNS answers, with a default storage class: kind's own wait ends
 * with the control plane.
 */
export async function waitUntilReady(timeoutMs: number): Promise<{ nodes: number; version: string }> {
  let last = "";
  return waitFor(
    "the cluster to be ready",
    async () => {
      try {
        const nodes = JSON.parse(await kubectl(["get", "nodes", "-o", "json", "--request-timeout=5s"])) as NodeList;
        const dns = await kubectl([
          "-n",
          "kube-system",
          "get",
          "deployment",
          "coredns",
          "-o",
          "json",
          "--request-timeout=5s",
        ]);
        last = stateOf(nodes, JSON.parse(dns) as Deployment);
        if (last !== "") return undefined;
        return { nodes: nodes.items.length, version: nodes.items[0]?.status.nodeInfo.kubeletVersion ?? "" };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        last = error.message;
        return undefined;
      }
    },
    { timeoutMs, everyMs: ASK_EVERY_MS, explain: () => last },
  );
}

/** What the cluster still lacks; empty when it is ready. */
export function stateOf(nodes: NodeList, dns: Deployment): string {
  const unready = nodes.items.filter(
    (node) => !node.status.conditions.some((c) => c.type === "Ready" && c.status === "True"),
  );
  if (nodes.items.length === 0) return "there are no nodes";
  if (unready.length > 0) return `not Ready: ${unready.map((node) => node.metadata.name).join(", ")}`;
  const { readyReplicas = 0, replicas = 0 } = dns.status;
  return replicas > 0 && readyReplicas === replicas ? "" : `CoreDNS has ${readyReplicas} of ${replicas} pods ready`;
}

export interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly conditions: readonly { readonly type: string; readonly status: string }[];
      readonly nodeInfo: { readonly kubeletVersion: string };
    };
  }[];
}

export interface Deployment {
  readonly status: { readonly replicas?: number; readonly readyReplicas?: number };
}
