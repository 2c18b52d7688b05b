/** `make demo-down`: removes everything that `make demo` made. */
import { join } from "node:path";
import { CLUSTER_DIRECTORY, KUBECONFIG } from "../cluster/checkout.ts";
import { usesCurrentContext } from "../cluster/current-context.ts";
import { down } from "../cluster/down.ts";
import { step } from "../cluster/progress.ts";
import { kubectlFor, OPERATOR_NAMESPACE, uninstallOperator } from "../support/kubernetes/installation.ts";
import { DEMO_NAMESPACE } from "./names.ts";

/** Somebody's own cluster: what the demo put there is taken back, and the rest of it left alone. */
async function leaveCurrentContext(): Promise<void> {
  const access = {
    kubeconfig: KUBECONFIG,
    kubectl: join(CLUSTER_DIRECTORY, "bin/kubectl"),
    helm: join(CLUSTER_DIRECTORY, "bin/helm"),
    images: { operator: "", demoWorker: "", demoPostgres: "" },
  };
  const kubectl = kubectlFor(access, DEMO_NAMESPACE);
  const remove = async (...what: string[]): Promise<string> => kubectl.run("delete", ...what, "--ignore-not-found");
  await step(`deleted namespace ${DEMO_NAMESPACE}`, async () => remove("namespace", DEMO_NAMESPACE));
  await step("uninstalled the operator", async () => uninstallOperator(access));
  await step("deleted its kinds and its namespace", async () => {
    await remove("crd", "jobqueues.jobqueue.dev", "jobstores.jobqueue.dev");
    return remove("namespace", OPERATOR_NAMESPACE);
  });
}

if (usesCurrentContext()) await leaveCurrentContext();
await down();
console.log("everything that the demo made is gone");
