/** From a JobStore to connection settings: reads the named Secrets, live and one by one. */
import { isNotFound, type KubeClient, KubeError } from "../../kube/index.ts";
import { type ConnectionSettings, parseStoreUrl } from "@jobqueue/store";
import type { SecretKeyRef } from "@jobqueue/crds";
import { SECRETS } from "../kinds.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import { StoreFailure } from "./failure.ts";

/** A cloud's metadata service answers at these addresses; no database does. */
const LINK_LOCAL = /^(169\.254\.|fe[89ab][0-9a-f]:)/i;

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

/** @throws StoreFailure with SecretNotFound, SecretInvalid or ConnectFailed; StoreError when the URL cannot be used */
export async function connectionOf(jobStore: StoredJobStore, read: ReadSecret): Promise<ConnectionSettings> {
  const { connection } = jobStore.spec;
  const { namespace } = jobStore.metadata;
  const required = async (ref: SecretKeyRef): Promise<string> => {
    const value = await read(namespace, ref);
    if (value !== undefined) return value;
    const sentence = `There is no Secret ${ref.name} with the key ${ref.key} in namespace ${namespace}; create it, it is looked for again by itself.`;
    throw new StoreFailure("SecretNotFound", sentence);
  };
  const url = await required(connection.uriSecretRef);
  const ca = connection.tls.caSecretRef && (await required(connection.tls.caSecretRef));
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
    const ref = connection.tls.caSecretRef as SecretKeyRef;
    throw new StoreFailure("SecretInvalid", `Secret ${ref.name}, key ${ref.key}: it holds no certificate in PEM.`);
  }
  const settings = parseStoreUrl(url.trim(), { mode: connection.tls.mode, ca });
  if (LINK_LOCAL.test(settings.host)) {
    const { name, key } = connection.uriSecretRef;
    throw new StoreFailure(
      "SecretInvalid",
      `Secret ${name}, key ${key}: link-local addresses are not databases; write the host name of the server.`,
    );
  }
  return settings;
}
