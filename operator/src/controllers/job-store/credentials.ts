/** From a JobStore to connection settings: reads the named Secrets, live and one by one. */
import { isNotFound, type KubeClient, KubeError } from "../../kube/index.ts";
import type { ConnectionSettings } from "@jobqueue/store";
import type { SecretKeyRef } from "@jobqueue/crds";
import { SECRETS } from "../kinds.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import { directSettingsOf, settingsOf } from "./connection-settings.ts";
import { StoreFailure } from "./failure.ts";

/** Reads a key of a Secret; `undefined` when the Secret or the key is missing. */
export type ReadSecret = (namespace: string, ref: SecretKeyRef) => Promise<string | undefined>;

/** Reads Secrets with a client. The operator has the right to get them, not to list or watch them. */
export function secretReader(client: KubeClient): ReadSecret {
  return async (namespace, { name, key }) => {
    try {
      const secret = await client.get(SECRETS, { namespace, name }, { timeoutMs: 10_000 });
      const value = secret.data?.[key];
      return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const word = error instanceof KubeError ? error.reason : "unknown error";
      throw new StoreFailure(
        "ConnectFailed",
        `The API server did not give the operator the Secret ${name} (${word}).`,
        error,
      );
    }
  };
}

/** How to reach a store, and how to reach it past a pooler where that is another way. */
export interface StoreSettings {
  readonly connection: ConnectionSettings;
  readonly direct: ConnectionSettings | undefined;
}

/** @throws StoreFailure with SecretNotFound, SecretInvalid or ConnectFailed; StoreError when the URL cannot be used */
export async function connectionOf(jobStore: StoredJobStore, read: ReadSecret): Promise<StoreSettings> {
  const { connection } = jobStore.spec;
  const { namespace } = jobStore.metadata;
  const required = async (ref: SecretKeyRef): Promise<string> => {
    const value = await read(namespace, ref);
    if (value !== undefined) return value;
    const sentence = `There is no Secret ${ref.name} with the key ${ref.key} in namespace ${namespace}; create it, it is looked for again by itself.`;
    throw new StoreFailure("SecretNotFound", sentence);
  };
  return {
    connection: await settingsOf(connection, required),
    direct: await directSettingsOf(connection, required),
  };
}
