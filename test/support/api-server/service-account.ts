import { dirname, join } from "node:path";
import { waitFor } from "../../cluster/wait-for.ts";
import { mayDo, type PathQuestion, type Question } from "./access-review.ts";
import { ApiClient } from "./api-client.ts";
import { readKubeconfig, writeKubeconfig } from "./kubeconfig.ts";

/** A rule of a Role, as in RBAC. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * Makes a service account that may do what the rules say, in its own namespace or (`clusterWide`) everywhere, and
 * returns the path of a kubeconfig, beside the given one, that acts as it for an hour. Without rules it may do what every user may: ask about
 * the API and about itself.
 */
export async function createServiceAccount(
  kubeconfig: string,
  account: { namespace: string; name: string; rules?: readonly PolicyRule[]; clusterWide?: boolean },
): Promise<string> {
  const { namespace, name, rules = [] } = account;
  const client = new ApiClient(kubeconfig);
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await client.create(accounts, { metadata: { name } });
  if (rules.length > 0) {
    const scope = account.clusterWide ? "Cluster" : "";
    const roleName = account.clusterWide ? `${namespace}-${name}` : name;
    const group = account.clusterWide
      ? "/apis/rbac.authorization.k8s.io/v1"
      : `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await client.create(`${group}/${scope.toLowerCase()}roles`, { metadata: { name: roleName }, rules });
    await client.create(`${group}/${scope.toLowerCase()}rolebindings`, {
      metadata: { name: roleName },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: `${scope}Role`, name: roleName },
      subjects: [{ kind: "ServiceAccount", namespace, name }],
    });
  }
  const { status } = await client.create<{ status: { token: string } }>(`${accounts}/${name}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3600 },
  });
  const { server, ca } = readKubeconfig(kubeconfig);
  const path = join(dirname(kubeconfig), `${namespace}-${name}.kubeconfig`);
  const [rule] = rules;
  if (rule !== undefined) {
    await waitFor(
      `the API server to go by the role of ${name}`, // which its own watch brings, some milliseconds later
      () =>
        mayDo(
          client,
          `system:serviceaccount:${namespace}:${name}`,
          questionOf(rule, account.clusterWide ? "" : namespace),
        ),
      { timeoutMs: 30_000 },
    );
  }
  return writeKubeconfig(path, { server, ca, token: status.token, namespace });
}

/** The first thing that a rule allows; in all namespaces when none is named. */
function questionOf(rule: PolicyRule, namespace: string): Question | PathQuestion {
  const [verb = ""] = rule.verbs;
  const [path] = rule.nonResourceURLs ?? [];
  if (path !== undefined) return { verb, path };
  const [group = ""] = rule.apiGroups ?? [];
  const [resource = "", subresource = ""] = rule.resources?.[0]?.split("/") ?? [];
  const [name = ""] = rule.resourceNames ?? [];
  return { verb, group, resource, subresource, namespace, name };
}
