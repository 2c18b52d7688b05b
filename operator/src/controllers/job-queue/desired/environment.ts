/**
 * What the container `worker` is told: its store, its queues and the facts about its pod.
 *
 * Passwords and certificates are mounted as files, which Kubernetes replaces when their Secrets change: a running worker
 * reads them anew for each connection, so a rotation needs no restart. `DATABASE_URL` is there as well where a Secret has
 * the whole URL, for programs that know nothing of files; it is what the Secret said when the pod began.
 */
import type { EnvVar, JobQueue, JobStore, SecretKeyRef, Volume, VolumeMount } from "@jobqueue/crds";
import { poolOf, queueNameOf } from "./names.ts";

/** Port on which a worker serves /livez, /readyz and /metrics. */
export const WORKER_HTTP_PORT = 8080;

/** Names of the files as a worker looks for them (store, connection/credential-files.ts; a test compares them). */
export const CREDENTIAL_FILES = {
  uri: "uri",
  user: "user",
  password: "password",
  ca: "ca.crt",
  certificate: "tls.crt",
  key: "tls.key",
} as const;

const STORE_VOLUME = "jobqueue-store";
const STORE_DIRECTORY = "/var/run/jobqueue/store";

const value = (name: string, text: string | number): EnvVar => ({ name, value: String(text) });
const podField = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const secretValue = (name: string, { name: secret, key }: SecretKeyRef): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

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
    ...addressOf(store),
    value("JOBQUEUE_STORE_DIRECTORY", STORE_DIRECTORY),
    value("JOBQUEUE_TLS_MODE", connection.tls.mode),
    ...(connection.tls.caSecretRef ? [value("JOBQUEUE_TLS_CA_FILE", `${STORE_DIRECTORY}/${CREDENTIAL_FILES.ca}`)] : []),
    value("JOBQUEUE_SCHEMA", schema),
    value("JOBQUEUE_QUEUES", [queueNameOf(queue), ...(workers.alsoServes ?? [])].join(",")),
    value("JOBQUEUE_SLOTS", workers.slots),
    value("JOBQUEUE_POOL", poolOf(queue)),
    value("JOBQUEUE_DRAIN_TIMEOUT_SECONDS", workers.drainTimeoutSeconds),
    value("JOBQUEUE_HTTP_PORT", WORKER_HTTP_PORT),
    value("JOBQUEUE_IMAGE", image),
  ];
}

/** The Secret with the whole URL that workers use, if there is one. */
function workerUri({ spec: { connection } }: JobStore): SecretKeyRef | undefined {
  return connection.workerURISecretRef ?? connection.uriSecretRef;
}

function addressOf(store: JobStore): readonly EnvVar[] {
  const uri = workerUri(store);
  if (uri) return [secretValue("DATABASE_URL", uri)];
  const { server } = store.spec.connection;
  if (!server) return [];
  return [
    value("JOBQUEUE_STORE_HOST", server.host),
    value("JOBQUEUE_STORE_PORT", server.port ?? 5432),
    value("JOBQUEUE_STORE_DATABASE", server.database),
    ...(server.user === undefined ? [] : [value("JOBQUEUE_STORE_USER", server.user)]),
  ];
}

/** The Secrets of the store as files, as `CREDENTIAL_FILES` names them. */
export function credentials(store: JobStore): { readonly volume: Volume; readonly mount: VolumeMount } {
  const { server, tls } = store.spec.connection;
  const uri = workerUri(store);
  const own = tls.clientCertificateSecretRef;
  const files: readonly (readonly [string, SecretKeyRef | undefined])[] = [
    [CREDENTIAL_FILES.uri, uri],
    [CREDENTIAL_FILES.user, uri ? undefined : server?.userSecretRef],
    [CREDENTIAL_FILES.password, uri ? undefined : server?.passwordSecretRef],
    [CREDENTIAL_FILES.ca, tls.caSecretRef],
    [CREDENTIAL_FILES.certificate, own && { name: own.name, key: "tls.crt" }],
    [CREDENTIAL_FILES.key, own && { name: own.name, key: "tls.key" }],
  ];
  const sources = files.flatMap(([path, ref]) =>
    ref ? [{ secret: { name: ref.name, items: [{ key: ref.key, path }] } }] : [],
  );
  return {
    volume: { name: STORE_VOLUME, projected: { sources } },
    mount: { name: STORE_VOLUME, mountPath: STORE_DIRECTORY, readOnly: true },
  };
}
