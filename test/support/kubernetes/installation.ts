import { join } from "node:path";
import { CLUSTER_NAME } from "../../cluster/checkout.ts";
import { run } from "../../cluster/command.ts";
import { withLock } from "../../cluster/lock.ts";
import { Kubectl } from "./kubectl.ts";

/** Root of the repository. */
export const REPOSITORY = join(import.meta.dirname, "../../..");

/** References of the images that this checkout is made into, as pods name them. */
interface Images {
  readonly operator: string;
  readonly demoWorker: string;
  readonly demoPostgres: string;
}

/** A cluster ready to be used: how to reach it and what to run in it. */
export interface ClusterAccess {
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly images: Images;
}

/** Namespace and release of the operator, for the demo and for end-to-end tests alike. */
export const OPERATOR_NAMESPACE = "jobqueue-system";
const RELEASE = "jobqueue-operator";

/** kubectl for a namespace of the cluster. */
export function kubectlFor(access: ClusterAccess, namespace: string): Kubectl {
  return new Kubectl(access.kubectl, access.kubeconfig, namespace);
}

/** Name of the admin server's objects, where the chart is installed with one. */
export const ADMIN_SERVER = `${RELEASE}-admin`;

/** helm with the cluster's credentials, and text for its standard input. One at a time: it refuses a release that another works on. */
async function helm(access: ClusterAccess, args: readonly string[], input = ""): Promise<string> {
  return withLock(`${CLUSTER_NAME}-helm`, `helm ${args[0] ?? ""}`, async () =>
    run(access.helm, args, { env: { KUBECONFIG: access.kubeconfig }, input }),
  );
}

/**
 * Installs or upgrades the chart with the values that name our image and with those given, and waits until everything is
 * ready. Values of an earlier installation do not count.
 */
export async function installOperator(access: ClusterAccess, values: object = {}): Promise<string> {
  const [repository, tag] = splitReference(access.images.operator);
  const chart = join(REPOSITORY, "charts/jobqueue-operator");
  const where = ["--namespace", OPERATOR_NAMESPACE, "--create-namespace", "--wait", "--timeout", "5m"];
  const image = ["--set", `image.repository=${repository}`, "--set", `image.tag=${tag}`];
  return helm(
    access,
    ["upgrade", "--install", RELEASE, chart, ...where, ...image, "--values", "-"],
    JSON.stringify(values),
  );
}

/** Removes the release; CRDs and everything in them stay, as the chart promises. */
export async function uninstallOperator(access: ClusterAccess): Promise<string> {
  return helm(access, ["uninstall", RELEASE, "--namespace", OPERATOR_NAMESPACE, "--wait", "--ignore-not-found"]);
}

/** Splits `repository:tag`; a registry's port is not a tag. */
function splitReference(reference: string): readonly [string, string] {
  const colon = reference.lastIndexOf(":");
  if (colon === -1 || reference.includes("/", colon)) return [reference, "latest"];
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}
