import { randomBytes } from "node:crypto";
import { waitFor } from "../../cluster/wait-for.ts";
import { ApiClient } from "./api-client.ts";

/**
 * Makes a namespace that nobody else uses, named `prefix-` and eight random characters, and waits until pods may be
 * created in it (its default service account is there). Nobody deletes it: it goes with the server.
 */
export async function createNamespace(kubeconfig: string, prefix: string): Promise<string> {
  const client = new ApiClient(kubeconfig);
  const name = `${prefix}-${randomBytes(4).toString("hex")}`;
  await client.create("/api/v1/namespaces", { metadata: { name } });
  await waitFor(
    `the default service account of namespace ${name}`,
    () => client.find(`/api/v1/namespaces/${name}/serviceaccounts/default`),
    {
      timeoutMs: 30_000,
    },
  );
  return name;
}
