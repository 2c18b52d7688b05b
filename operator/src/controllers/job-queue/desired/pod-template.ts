/**
 * The pods of a pool. What the template leaves out follows the `restricted` Pod Security Standard, with a read-only root
 * file system besides; what the operator sets (labels, environment, grace, identity) wins over the template.
 */
import {
  WORKER_CONTAINER,
  type Affinity,
  type Container,
  type ContainerSecurityContext,
  type InitContainer,
  type JobQueue,
  type JobQueueWorkers,
  type JobStore,
  type PodAffinity,
  type Probe,
  type TopologySpreadConstraint,
} from "@jobqueue/crds";
import { credentials, WORKER_HTTP_PORT, workerEnvironment } from "./environment.ts";
import { labelsOf, selectorOf } from "./names.ts";

/**
 * Seconds between the end of the drain time and SIGKILL: the worker then still has to abort what is left, hand it back
 * and say goodbye to the store.
 */
const GRACE_MARGIN_SECONDS = 15;

/** Name and place of the volume that takes temporary files where the root file system is read-only. */
const SCRATCH = { name: "jobqueue-tmp", mountPath: "/tmp" } as const;

/** The pod template of the Deployment. The JobQueue must have `spec.workers`. */
export function podTemplate(queue: JobQueue, store: JobStore): object {
  const workers = queue.spec.workers;
  if (!workers) throw new Error("a JobQueue without workers has no pods");
  const { metadata, spec } = workers.template;
  const scratch = needsScratch(workers);
  const volumes = [
    ...(spec.volumes ?? []),
    credentials(queue, store).volume,
    ...(scratch ? [{ name: SCRATCH.name, emptyDir: {} }] : []),
  ];
  return {
    metadata: { ...metadata, labels: { ...metadata?.labels, ...labelsOf(queue) } },
    spec: {
      ...spec,
      containers: spec.containers.map((container) =>
        restricted(container.name === WORKER_CONTAINER ? workerContainer(container, queue, store, scratch) : container),
      ),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(restricted) }),
      volumes,
      ...(spec.topologySpreadConstraints && {
        topologySpreadConstraints: spec.topologySpreadConstraints.map((constraint) => ofThisPool(constraint, queue)),
      }),
      ...(spec.affinity && { affinity: affinityOf(spec.affinity, queue) }),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" }, ...spec.securityContext },
      ...(workers.serviceAccountName !== undefined && { serviceAccountName: workers.serviceAccountName }),
      automountServiceAccountToken: false, // workers talk to Postgres, not to the API server
      enableServiceLinks: false, // a Service of a matching name would otherwise set JOBQUEUE_* variables
      terminationGracePeriodSeconds: workers.drainTimeoutSeconds + GRACE_MARGIN_SECONDS,
    },
  };
}

function workerContainer(container: Container, queue: JobQueue, store: JobStore, scratch: boolean): Container {
  const mounts = [
    ...(container.volumeMounts ?? []),
    credentials(queue, store).mount,
    ...(scratch ? [{ name: SCRATCH.name, mountPath: SCRATCH.mountPath }] : []),
  ];
  return {
    ...container,
    env: [...workerEnvironment(queue, store, container.image), ...(container.env ?? [])],
    volumeMounts: mounts,
    // Many pods that start on one busy node take minutes. Were that silence to the liveness probe, it would end them all, and
    // their next start would be as slow (seen with 20 workers on two processors).
    startupProbe: container.startupProbe ?? get("/livez", { periodSeconds: 2, failureThreshold: 150 }),
    // A minute and a half of silence: the worker's own watchdog ends a blocked process after one, with a diagnosis.
    livenessProbe: container.livenessProbe ?? get("/livez", { periodSeconds: 10, failureThreshold: 9 }),
    readinessProbe: container.readinessProbe ?? get("/readyz", { periodSeconds: 5, failureThreshold: 3 }),
  };
}

const get = (path: string, times: Pick<Probe, "periodSeconds" | "failureThreshold">): Probe => ({
  httpGet: { path, port: WORKER_HTTP_PORT },
  timeoutSeconds: 5,
  ...times,
});

/** What containers must say for themselves; a template may only deviate where the CRD lets it. */
function restricted<C extends Container | InitContainer>(container: C): C {
  const defaults: ContainerSecurityContext = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  };
  return { ...container, securityContext: { ...defaults, ...container.securityContext } };
}

/** Handlers get their payload as a file, so the worker itself needs a place to write, unless the template has one. */
function needsScratch({ template }: JobQueueWorkers): boolean {
  const worker = template.spec.containers.find((container) => container.name === WORKER_CONTAINER);
  const writable = worker?.securityContext?.readOnlyRootFilesystem === false;
  const mounted = worker?.volumeMounts?.some((mount) => mount.mountPath.replace(/\/+$/, "") === SCRATCH.mountPath);
  const taken = template.spec.volumes?.some((volume) => volume.name === SCRATCH.name);
  return !writable && !mounted && !taken;
}

/** A selector that is left out means the workers of this pool; to Kubernetes it would mean no pod at all. */
function ofThisPool<T extends { labelSelector?: TopologySpreadConstraint["labelSelector"] }>(
  term: T,
  queue: JobQueue,
): T {
  return { ...term, labelSelector: term.labelSelector ?? { matchLabels: { ...selectorOf(queue) } } };
}

function affinityOf(affinity: Affinity, queue: JobQueue): Affinity {
  const pods = (rules: PodAffinity): PodAffinity => ({
    ...rules,
    ...(rules.requiredDuringSchedulingIgnoredDuringExecution && {
      requiredDuringSchedulingIgnoredDuringExecution: rules.requiredDuringSchedulingIgnoredDuringExecution.map((term) =>
        ofThisPool(term, queue),
      ),
    }),
    ...(rules.preferredDuringSchedulingIgnoredDuringExecution && {
      preferredDuringSchedulingIgnoredDuringExecution: rules.preferredDuringSchedulingIgnoredDuringExecution.map(
        (entry) => ({ ...entry, podAffinityTerm: ofThisPool(entry.podAffinityTerm, queue) }),
      ),
    }),
  });
  return {
    ...affinity,
    ...(affinity.podAffinity && { podAffinity: pods(affinity.podAffinity) }),
    ...(affinity.podAntiAffinity && { podAntiAffinity: pods(affinity.podAntiAffinity) }),
  };
}
