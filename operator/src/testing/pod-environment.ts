import { WORKER_CONTAINER } from "@jobqueue/crds";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";

interface PodSpec {
  readonly nodeName?: string;
  readonly containers: readonly { readonly name: string; readonly env?: readonly Variable[] }[];
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string }; readonly secretKeyRef?: object };
}

/**
 * The environment of a pod's worker as its kubelet would make it from what the operator wrote into the pod: values and facts of
 * the pod; what comes from a Secret is `databaseUrl`. All pods here share one network and have no volumes: any port, no files.
 */
export function podEnvironment(pod: KubeObject, databaseUrl: string): Readonly<Record<string, string>> {
  const { metadata } = pod;
  const spec = pod["spec"] as PodSpec;
  const facts: Readonly<Record<string, string | undefined>> = {
    "metadata.name": metadata.name,
    "metadata.uid": metadata.uid,
    "metadata.namespace": metadata.namespace,
    "spec.nodeName": spec.nodeName,
  };
  const worker = spec.containers.find(({ name }) => name === WORKER_CONTAINER);
  const entries = (worker?.env ?? []).map(({ name, value, valueFrom }) => {
    const fact = valueFrom?.fieldRef && (facts[valueFrom.fieldRef.fieldPath] ?? "");
    return [name, value ?? fact ?? (valueFrom?.secretKeyRef ? databaseUrl : "")] as const;
  });
  const { JOBQUEUE_STORE_DIRECTORY: _volume, ...env } = Object.fromEntries(entries);
  return { ...env, JOBQUEUE_HTTP_PORT: "0" };
}
