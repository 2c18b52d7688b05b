import { GROUP, type JobStore, PLURALS, VERSION } from "@jobqueue/crds";
import {
  defineResource,
  isNotFound,
  type KubeClient,
  type ObjectRef,
  type Resource,
  type KubeObject,
} from "@jobqueue/operator/kube";
import { settingsOf, StoreFailure } from "@jobqueue/operator/connection";
import type { ConnectionSettings } from "@jobqueue/store";
import { Failure } from "../failure.ts";
import { clusterFailure } from "./cluster.ts";

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const SECRETS = defineResource<Secret>({ group: "", version: "v1", plural: "secrets", kind: "Secret" });
const JOB_STORES = defineResource<JobStore>({
  group: GROUP,
  version: VERSION,
  plural: PLURALS.JobStore,
  kind: "JobStore",
});

async function read<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  ref: ObjectRef,
  remedy: string,
): Promise<T> {
  const what = `${resource.kind} ${ref.name} in namespace ${ref.namespace}`;
  try {
    return await client.get(resource, ref);
  } catch (error) {
    if (!isNotFound(error)) throw clusterFailure(error, `${what} cannot be read`);
    throw new Failure("notFound", `there is no ${what}`, { remedy, cause: error });
  }
}

async function readKey(
  client: KubeClient,
  namespace: string,
  ref: { readonly name: string; readonly key: string },
): Promise<string> {
  const remedy = "The JobStore names it; see `kubectl describe jobstore`.";
  const secret = await read(client, SECRETS, { namespace, name: ref.name }, remedy);
  const encoded = secret.data?.[ref.key];
  if (encoded === undefined) {
    throw new Failure("notFound", `Secret ${ref.name} in namespace ${namespace} has no key ${ref.key}`, { remedy });
  }
  return Buffer.from(encoded, "base64").toString("utf8");
}

/** Where a JobStore says the store is: what operator and workers use, read with the rights of whoever runs the command. */
export async function readJobStore(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string },
): Promise<{ readonly connection: ConnectionSettings; readonly schema: string }> {
  const remedy = `\`kubectl get jobstores -A\` lists them all; --store and --namespace choose one, --store-url needs none.`;
  const jobStore = await read(client, JOB_STORES, ref, remedy);
  try {
    const connection = await settingsOf(jobStore.spec.connection, (secret) => readKey(client, ref.namespace, secret));
    return { connection, schema: jobStore.spec.schema };
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error;
    throw new Failure("storeUnreachable", error.message, {
      remedy: "Correct it; the operator says the same.",
      cause: error,
    });
  }
}
