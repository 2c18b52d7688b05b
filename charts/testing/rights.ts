import { dirname, join } from "node:path";
import { ApiClient } from "../../test/support/api-server/api-client.ts";
import { readKubeconfig, writeKubeconfig } from "../../test/support/api-server/kubeconfig.ts";

/** Path of a kubeconfig that acts for an hour as a service account that is there already. */
export async function kubeconfigOf(kubeconfig: string, namespace: string, account: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
  const { status } = await new ApiClient(kubeconfig).create<{ status: { token: string } }>(path, request);
  const { server, ca } = readKubeconfig(kubeconfig);
  const file = join(dirname(kubeconfig), `as-${namespace}-${account}.kubeconfig`);
  return writeKubeconfig(file, { server, ca, token: status.token });
}

/** A client that acts as a service account that is there already. */
export async function actAs(kubeconfig: string, namespace: string, account: string): Promise<ApiClient> {
  return new ApiClient(await kubeconfigOf(kubeconfig, namespace, account));
}

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/**
 * Everything that an account may do in a namespace, as the API server works it out from all roles that are bound to it: one
 * label per right, such as `patch apps/deployments` or `get coordination.k8s.io/leases named x`. A wildcard appears as itself.
 */
export async function rightsIn(account: ApiClient, namespace: string): Promise<string[]> {
  const review = await account.create<{ status: { incomplete: boolean; resourceRules: readonly Rule[] } }>(
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } },
  );
  if (review.status.incomplete) throw new Error("the API server could not work out all rights");
  const labels = review.status.resourceRules.flatMap(
    ({ verbs, apiGroups = [], resources = [], resourceNames = [""] }) =>
      verbs.flatMap((verb) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            resourceNames.map(
              (name) => `${verb} ${group === "" ? "" : `${group}/`}${resource}${name === "" ? "" : ` named ${name}`}`,
            ),
          ),
        ),
      ),
  );
  return [...new Set(labels)].toSorted();
}
