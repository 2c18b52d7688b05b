/**
 * What the container `worker` is told: its store, its queues and the facts about its pod.
 *
 * Passwords and certificates are mounted as files, which Kubernetes replaces when their Secrets change: a running worker
 * reads them anew for each connection, so a rotation needs no restart. `DATABASE_URL` is there as well where a Secret has
 * the whole URL, for programs that know nothing of files; it is what the Secret said when the pod began.
 */
import type { EnvVar, JobQueue, JobStore, JobStoreServer, SecretKeyRef, Volume, VolumeMount } from "@jobqueue/crds";
import { isStoreElsewhere, poolOf, queueNameOf, storeKeyOf } from "./names.ts";

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
  const access = workerAccess(queue, store);
  const workers = queue.spec.workers;
  if (!workers) throw new Error("a JobQueue without workers has no worker environment");
  return [
    podField("POD_NAME", "metadata.name"),
    podField("POD_UID", "metadata.uid"),
    podField("POD_NAMESPACE", "metadata.namespace"),
    podField("NODE_NAME", "spec.nodeName"),
    ...addressOf(access),
    value("JOBQUEUE_STORE_DIRECTORY", STORE_DIRECTORY),
    value("JOBQUEUE_TLS_MODE", connection.tls.mode),
    ...(access.ca ? [value("JOBQUEUE_TLS_CA_FILE", `${STORE_DIRECTORY}/${CREDENTIAL_FILES.ca}`)] : []),
    value("JOBQUEUE_SCHEMA", schema),
    value("JOBQUEUE_QUEUES", [queueNameOf(queue), ...(workers.alsoServes ?? [])].join(",")),
    value("JOBQUEUE_SLOTS", workers.slots),
    value("JOBQUEUE_POOL", poolOf(queue)),
    value("JOBQUEUE_DRAIN_TIMEOUT_SECONDS", workers.drainTimeoutSeconds),
    value("JOBQUEUE_HTTP_PORT", WORKER_HTTP_PORT),
    value("JOBQUEUE_IMAGE", image),
  ];
}

/** The Secrets, all of the JobQueue's namespace, with which workers reach the store. */
interface WorkerAccess {
  readonly uri: SecretKeyRef | undefined;
  /** The address in parts, where there is no whole URL. */
  readonly server: JobStoreServer | undefined;
  readonly ca: SecretKeyRef | undefined;
  /** Name of a Secret of type kubernetes.io/tls. */
  readonly certificate: string | undefined;
}

/** What the JobQueue says itself, else what the JobStore says. */
function workerAccess(queue: JobQueue, { spec: { connection } }: JobStore): WorkerAccess {
  const own = queue.spec.workers?.storeCredentials;
  if (own) {
    const { uriSecretRef: uri, caSecretRef: ca, clientCertificateSecretRef: certificate } = own;
    return { uri, server: undefined, ca, certificate: certificate?.name };
  }
  const { uriSecretRef, workerURISecretRef, server, tls } = connection;
  const uri = workerURISecretRef ?? uriSecretRef;
  return {
    uri,
    server: uri ? undefined : server,
    ca: tls.caSecretRef,
    certificate: tls.clientCertificateSecretRef?.name,
  };
}

/**
 * What the workers lack to reach a store of another namespace, and what to do, or `undefined`. A Secret is never copied to
 * another namespace: whoever may read one there would then read the store's.
 */
export function lacksCredentials(queue: JobQueue, store: JobStore): string | undefined {
  const { workers } = queue.spec;
  if (!workers || !isStoreElsewhere(queue)) return undefined;
  const where = `JobStore ${storeKeyOf(queue)} is in another namespace, whose Secrets pods cannot use`;
  const here = `namespace ${queue.metadata.namespace}`;
  if (!workers.storeCredentials) {
    return `${where}: make a Secret with the URL of the store in ${here} and name it in spec.workers.storeCredentials.uriSecretRef.`;
  }
  if (store.spec.connection.tls.caSecretRef && !workers.storeCredentials.caSecretRef) {
    return `${where}: its server has a CA certificate of its own; put that into a Secret in ${here} and name it in spec.workers.storeCredentials.caSecretRef.`;
  }
  return undefined;
}

function addressOf({ uri, server }: WorkerAccess): readonly EnvVar[] {
  if (uri) return [secretValue("DATABASE_URL", uri)];
  if (!server) return [];
  return [
    value("JOBQUEUE_STORE_HOST", server.host),
    value("JOBQUEUE_STORE_PORT", server.port ?? 5432),
    value("JOBQUEUE_STORE_DATABASE", server.database),
    ...(server.user === undefined ? [] : [value("JOBQUEUE_STORE_USER", server.user)]),
  ];
}

/** The Secrets of the store as files, as `CREDENTIAL_FILES` names them. */
export function credentials(
  queue: JobQueue,
  store: JobStore,
): { readonly volume: Volume; readonly mount: VolumeMount } {
  const { uri, server, ca, certificate } = workerAccess(queue, store);
  const files: readonly (readonly [string, SecretKeyRef | undefined])[] = [
    [CREDENTIAL_FILES.uri, uri],
    [CREDENTIAL_FILES.user, server?.userSecretRef],
    [CREDENTIAL_FILES.password, server?.passwordSecretRef],
    [CREDENTIAL_FILES.ca, ca],
    [CREDENTIAL_FILES.certificate, certificate === undefined ? undefined : { name: certificate, key: "tls.crt" }],
    [CREDENTIAL_FILES.key, certificate === undefined ? undefined : { name: certificate, key: "tls.key" }],
  ];
  const sources = files.flatMap(([path, ref]) =>
    ref ? [{ secret: { name: ref.name, items: [{ key: ref.key, path }] } }] : [],
  );
  return {
    volume: { name: STORE_VOLUME, projected: { sources } },
    mount: { name: STORE_VOLUME, mountPath: STORE_DIRECTORY, readOnly: true },
  };
}
