/** What the container `worker` is told: its store, its queues and the facts about its pod. */
import type { EnvVar, JobQueue, JobStore, Volume, VolumeMount } from "@jobqueue/crds";
import { poolOf, queueNameOf } from "./names.ts";

/** Port on which a worker serves /livez, /readyz and /metrics. */
export const WORKER_HTTP_PORT = 8080;

const CA_VOLUME = "jobqueue-store-ca";
const CA_DIRECTORY = "/var/run/jobqueue/store-ca";
const CA_FILE = "ca.crt";

const value = (name: string, text: string | number): EnvVar => ({ name, value: String(text) });
const podField = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/**
 * The environment. The facts of the pod come first so that a template's own variables may refer to them. `image` is the
 * image of the container. The number of replicas is not in it: scaling must not roll the pods.
 */
export function workerEnvironment(queue: JobQueue, store: JobStore, image: string): readonly EnvVar[] {
  const { connection, schema } = store.spec;
  const workers = queue.spec.workers;
  if (!workers) throw new Error("a JobQueue without workers has no worker environment");
  return [
    podField("POD_NAME", "metadata.name"),
    podField("POD_UID", "metadata.uid"),
    podField("POD_NAMESPACE", "metadata.namespace"),
    podField("NODE_NAME", "spec.nodeName"),
    { name: "DATABASE_URL", valueFrom: { secretKeyRef: { ...connection.uriSecretRef } } },
    value("JOBQUEUE_TLS_MODE", connection.tls.mode),
    ...(connection.tls.caSecretRef ? [value("JOBQUEUE_TLS_CA_FILE", `${CA_DIRECTORY}/${CA_FILE}`)] : []),
    value("JOBQUEUE_SCHEMA", schema),
    value("JOBQUEUE_QUEUES", [queueNameOf(queue), ...(workers.alsoServes ?? [])].join(",")),
    value("JOBQUEUE_SLOTS", workers.slots),
    value("JOBQUEUE_POOL", poolOf(queue)),
    value("JOBQUEUE_DRAIN_TIMEOUT_SECONDS", workers.drainTimeoutSeconds),
    value("JOBQUEUE_HTTP_PORT", WORKER_HTTP_PORT),
    value("JOBQUEUE_IMAGE", image),
  ];
}

/** The certificates of the store as a file, when the JobStore names a Secret with them. */
export function caMount(store: JobStore): {
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
} {
  const secret = store.spec.connection.tls.caSecretRef;
  if (!secret) return { volumes: [], mounts: [] };
  return {
    volumes: [{ name: CA_VOLUME, secret: { secretName: secret.name, items: [{ key: secret.key, path: CA_FILE }] } }],
    mounts: [{ name: CA_VOLUME, mountPath: CA_DIRECTORY, readOnly: true }],
  };
}
