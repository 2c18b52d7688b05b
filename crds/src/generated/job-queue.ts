// Made by crds/scripts/generate.ts from crds/src/schema/; change those and run "make generate".

import type { API_VERSION } from "../names.ts";
import type { ObjectMeta } from "../object-meta.ts";
import type { Condition } from "./condition.ts";

/** A JobQueue is a queue of jobs in Postgres and, optionally, the workers that run them. */
export interface JobQueue {
  apiVersion: typeof API_VERSION;
  kind: "JobQueue";
  metadata: ObjectMeta;
  /** What you want. */
  spec: JobQueueSpec;
  /** What is. Written by the operator; counts may be rounded and some seconds old. */
  status?: JobQueueStatus;
}

/** What you want. */
export interface JobQueueSpec {
  /** Name of the queue in the store. Left out: metadata.name. Cannot change. (at most 63 characters) */
  queueName?: string;
  /** The JobStore that holds the queue. Cannot change. Left out: the one named default in this namespace. */
  storeRef: JobStoreRef;
  /** Active runs jobs. Paused starts no more jobs, running ones finish. Stopped is Paused, and the workers go once no job of the queue runs, at the latest after drainTimeoutSeconds; workers that also serve other queues stay. Other holds, set by people, keep a queue paused whatever stands here. Default Active. */
  state: "Active" | "Paused" | "Stopped";
  /** When the pause ends by itself, such as 2026-08-01T12:00:00Z, by the clock of the database; fractions of a second do not count. Needs state: Paused. Nothing edits this object when the time comes. (at most 64 characters) */
  pausedUntil?: string;
  /** Why it is paused; shown wherever the pause is shown. (at most 256 characters) */
  pauseReason?: string;
  /** Most jobs of this queue that run at the same time, over all workers. Left out: not managed from here. (minimum -2147483648, maximum 100000) */
  concurrency?: number;
  /** What happens after a failed attempt, unless the job says otherwise. What is left out is not managed from here. */
  retry?: JobQueueRetry;
  /** Most one attempt may take, unless the job says otherwise; for jobs enqueued from now on. Left out: not managed from here. (minimum 1, maximum 604800) */
  timeoutSeconds?: number;
  /** How long the result of a completed job is kept, unless the job says otherwise; 0 keeps none. The job itself is kept as long as the store says; for jobs enqueued from now on. Left out: not managed from here. (minimum 0, maximum 315360000) */
  resultTTLSeconds?: number;
  /** What happens to a job whose worker was lost, unless the job says otherwise: Retry runs it again, Fail makes it dead, Hold keeps it until a person retries it. Left out: not managed from here. */
  onWorkerLoss?: "Retry" | "Fail" | "Hold";
  /** Jobs the store enqueues by itself at given times. Each tick fires exactly once or is recorded as skipped. They are named QUEUE/NAME in the store; one that is taken away here is deleted there. A paused queue enqueues, and starts nothing. (at most 64 items) */
  schedules?: JobQueueSchedule[];
  /** What deleting this JobQueue does in the store: Retain leaves queue and jobs, DeleteIfEmpty removes a queue without live and dead jobs, Delete removes the queue with all its jobs, once none runs. The last two add a finaliser; writing Retain takes it away again. Default Retain. */
  deletionPolicy: "Retain" | "DeleteIfEmpty" | "Delete";
  /** What good service means for this queue. Sets the condition BacklogWithinTarget and tells events, changes nothing else. */
  objectives?: JobQueueObjectives;
  /** Number of workers; counts only together with workers. kubectl scale, an HPA and KEDA write here; leave it out of Git when one of them does. Default 1. (minimum 0, maximum 1000) */
  replicas: number;
  /** The pool: a Deployment of workers that consume this queue. Without it the JobQueue manages only the queue in the store, and the workers of another JobQueue may serve it. */
  workers?: JobQueueWorkers;
}

/** The JobStore that holds the queue. Cannot change. Left out: the one named default in this namespace. */
export interface JobStoreRef {
  /** Name of the JobStore. Default default. (at most 63 characters) */
  name: string;
  /** Namespace of the JobStore, whose allowedNamespaces must let this one in. Its Secrets cannot be used here: workers need storeCredentials. Left out: this namespace. (at most 63 characters) */
  namespace?: string;
}

/** What happens after a failed attempt, unless the job says otherwise. What is left out is not managed from here. */
export interface JobQueueRetry {
  /** Attempts in all, the first included; for jobs enqueued from now on. Attempts lost to infrastructure are not counted. (minimum 1, maximum 1000) */
  maxAttempts?: number;
  /** Wait longer after each failure: initialSeconds, doubled each time, at most maxSeconds. */
  exponential?: JobQueueExponentialRetry;
  /** Wait these times after the first, second ... failure; the last one repeats. (at most 64 items) */
  intervalsSeconds?: number[];
}

/** Wait longer after each failure: initialSeconds, doubled each time, at most maxSeconds. */
export interface JobQueueExponentialRetry {
  /** Wait after the first failure. (minimum 1, maximum 86400) */
  initialSeconds: number;
  /** Longest wait. (minimum 1, maximum 2592000) */
  maxSeconds: number;
  /** Share of each wait that is random, so that jobs that failed together do not return together. Left out: 20. (minimum 0, maximum 100) */
  jitterPercent?: number;
}

export interface JobQueueSchedule {
  /** Name of the schedule within this queue. (at most 63 characters) */
  name: string;
  /** Five fields: minute, hour, day of month, month, day of week. Lists (,), ranges (-), steps (/) and the names JAN to DEC and SUN to SAT are allowed; L, LW, 15W, 5L and MON#2 too. Where both days are restricted, either is enough. (at most 128 characters) */
  cron: string;
  /** Time zone of the IANA database, such as Europe/Berlin. Left out: UTC. (at most 64 characters) */
  timeZone?: string;
  /** Kind of the job: the name its handler is registered under. (at most 128 characters) */
  kind: string;
  /** Payload of the job, any JSON object. Write integers above 9007199254740991 as text, and leave a key out instead of writing null: kubectl apply drops nulls. */
  payload?: Readonly<Record<string, unknown>>;
  /** Lower runs first. Left out: 0. (minimum -32768, maximum 32767) */
  priority?: number;
  /** Most one run may take. Left out: that of the queue. (minimum 1, maximum 604800) */
  timeoutSeconds?: number;
  /** What to do with ticks that nobody could fire within a minute: Skip records them, FireLatest fires the newest, FireAll fires each, at most 100. Left out: FireLatest. */
  missedTicks?: "Skip" | "FireLatest" | "FireAll";
  /** Paused keeps the schedule but fires nothing. Left out: not managed from here, people pause it by command. */
  state?: "Active" | "Paused";
}

/** What good service means for this queue. Sets the condition BacklogWithinTarget and tells events, changes nothing else. */
export interface JobQueueObjectives {
  /** No pending job should wait longer than this. (minimum 1, maximum 2592000) */
  oldestPendingSeconds?: number;
  /** No more jobs than this should be pending. (minimum 0, maximum 1000000000) */
  pending?: number;
}

/** The pool: a Deployment of workers that consume this queue. Without it the JobQueue manages only the queue in the store, and the workers of another JobQueue may serve it. */
export interface JobQueueWorkers {
  /** Further queues of the same store that these workers serve, strictly in this order, after the queue itself: a job of a later queue is started only when no earlier one has any that is ready. A queue named here may have workers of its own as well. (at most 16 items) */
  alsoServes?: string[];
  /** Jobs one worker runs at a time. Default 10. (minimum 1, maximum 1000) */
  slots: number;
  /** Time a worker has to finish its jobs when it is asked to stop; what it has not started goes back at once. The termination grace period of the pod is a little longer. Cluster autoscalers cut that at 600 s. Default 30. (minimum 1, maximum 86400) */
  drainTimeoutSeconds: number;
  /** A new pod counts after being ready this long. Default 0. (minimum 0, maximum 3600) */
  minReadySeconds: number;
  /** A roll-out without progress for this long has failed. Default 600. (minimum 10, maximum 86400) */
  progressDeadlineSeconds: number;
  /** How pods are replaced when the template changes. */
  strategy: JobQueueStrategy;
  /** With it, a PodDisruptionBudget protects the pool against node drains. Pods that are not ready can always be evicted. */
  disruptionBudget?: JobQueueDisruptionBudget;
  /** Labels and annotations of the Deployment itself; those of its pods stand in template.metadata. */
  deploymentMetadata?: JobQueueDeploymentMetadata;
  /** Lets the operator choose the number of workers from the backlog, that of alsoServes included; jobs that wait in a paused queue do not count. With it, spec.replicas is ignored. Do not combine it with an HPA or a KEDA ScaledObject. */
  autoscaling?: JobQueueAutoscaling;
  /** How hung workers are found and replaced. A worker is never restarted while the store is out, and never beyond these limits. */
  health: JobQueueHealth;
  /** Secrets of this namespace with which the workers reach the store, in place of those that the JobStore names. Needed when the JobStore is in another namespace; elsewhere for workers with fewer rights than others. */
  storeCredentials?: JobQueueStoreCredentials;
  /** Service account of the pods, for example for a cloud identity; its token is not mounted. Left out: the default one of the namespace. (at most 253 characters) */
  serviceAccountName?: string;
  /** The pods of the pool, as in a Deployment, limited to the fields listed below. What is missing on purpose: host namespaces, paths and ports, privileged mode, added capabilities, service account tokens, schedulerName, nodeName. serviceAccountName and the time to drain stand beside template. */
  template: PodTemplate;
}

/** How pods are replaced when the template changes. */
export interface JobQueueStrategy {
  /** RollingUpdate replaces step by step; Recreate stops all first, for versions that must not meet. Default RollingUpdate. */
  type: "RollingUpdate" | "Recreate";
  /** Pods above replicas during a roll-out: a number or a percentage (rounded up). Default 25%. (at most 4 characters) */
  maxSurge: number | string;
  /** Pods that may be missing during a roll-out: a number or a percentage (rounded down). Default 0. (at most 4 characters) */
  maxUnavailable: number | string;
}

/** With it, a PodDisruptionBudget protects the pool against node drains. Pods that are not ready can always be evicted. */
export interface JobQueueDisruptionBudget {
  /** Pods that may be away at the same time: a number or a percentage (rounded up). Default 1. (at most 4 characters) */
  maxUnavailable: number | string;
}

/** Labels and annotations of the Deployment itself; those of its pods stand in template.metadata. */
export interface JobQueueDeploymentMetadata {
  /** Labels; at most 32. */
  labels?: {
    [k: string]: string;
  };
  /** Annotations; at most 32. */
  annotations?: {
    [k: string]: string;
  };
}

/** Lets the operator choose the number of workers from the backlog, that of alsoServes included; jobs that wait in a paused queue do not count. With it, spec.replicas is ignored. Do not combine it with an HPA or a KEDA ScaledObject. */
export interface JobQueueAutoscaling {
  /** Fewest workers; 0 lets an empty queue cost nothing. Default 1. (minimum 0, maximum 1000) */
  minReplicas: number;
  /** Most workers. (minimum 1, maximum 1000) */
  maxReplicas: number;
  /** Wanted workers = (pending + running) / this, rounded up. Default 10. (minimum 1, maximum 100000) */
  jobsPerWorker: number;
  /** Also add workers while the oldest pending job waits longer than this. The larger answer wins. Left out: age does not count. (minimum 1, maximum 2592000) */
  oldestPendingSeconds?: number;
  /** How fast it grows. */
  scaleUp: JobQueueScaleUp;
  /** How fast it shrinks. Only idle workers are ever removed. */
  scaleDown: JobQueueScaleDown;
}

/** How fast it grows. */
export interface JobQueueScaleUp {
  /** Use the smallest answer of this many seconds. Default 0. (minimum 0, maximum 3600) */
  stabilizationSeconds: number;
  /** Most workers added at once: a number, or a share of the present ones (rounded up, at least 1). A step takes 15 s. Default 100%. (at most 4 characters) */
  maxPerStep: number | string;
}

/** How fast it shrinks. Only idle workers are ever removed. */
export interface JobQueueScaleDown {
  /** Use the largest answer of this many seconds. Default 300. (minimum 0, maximum 3600) */
  stabilizationSeconds: number;
  /** Most workers removed at once: a number, or a share of the present ones (rounded down, at least 1). A step takes 15 s. Default 25%. (at most 4 characters) */
  maxPerStep: number | string;
  /** The queue must be empty this long before the last worker goes. Default 600. (minimum 0, maximum 86400) */
  cooldownToZeroSeconds: number;
}

/** How hung workers are found and replaced. A worker is never restarted while the store is out, and never beyond these limits. */
export interface JobQueueHealth {
  /** Restart replaces hung workers, Report only tells, Disabled does not look. Default Restart. */
  mode: "Disabled" | "Report" | "Restart";
  /** A worker whose heartbeat is older than this has lapsed. Default 90. (minimum 15, maximum 3600) */
  heartbeatTimeoutSeconds: number;
  /** A worker whose event loop stands still this long gives up its leases. Raise it for CPU-bound handlers. Default 30. (minimum 5, maximum 3600) */
  loopStallSeconds: number;
  /** A new pod is not judged before this. Default 120. (minimum 0, maximum 3600) */
  startupGraceSeconds: number;
  /** With more lapsed workers than this, a number or a percentage (rounded down, at least 1), nothing is restarted: it is not the workers. Default 50%. (at most 4 characters) */
  maxUnhealthy: number | string;
  /** Most workers being replaced at the same time. Default 1. (minimum 1, maximum 100) */
  maxConcurrentRestarts: number;
  /** Shortest time between two restarts. Default 30. (minimum 0, maximum 3600) */
  minSecondsBetweenRestarts: number;
  /** After too many lapsed at once: how long everything must be well before restarts resume. Default 600. (minimum 0, maximum 86400) */
  stormCooldownSeconds: number;
  /** Grace period of a hung pod, which cannot drain. Left out: the smaller of 30 and drainTimeoutSeconds. Never 0, which would not wait for the process to be gone. (minimum 1, maximum 3600) */
  hungGracePeriodSeconds?: number;
  /** A disruption budget refused the eviction this long: delete the pod instead. 0 means never. Default 300. (minimum 0, maximum 86400) */
  evictionTimeoutSeconds: number;
}

/** Secrets of this namespace with which the workers reach the store, in place of those that the JobStore names. Needed when the JobStore is in another namespace; elsewhere for workers with fewer rights than others. */
export interface JobQueueStoreCredentials {
  /** A Secret with the whole URL of the store. */
  uriSecretRef: WorkerSecretKeyRef;
  /** A Secret with the CA certificates to trust. Left out: those of the system. */
  caSecretRef?: WorkerSecretKeyRef;
  /** A Secret of type kubernetes.io/tls with the client certificate. */
  clientCertificateSecretRef?: WorkerSecretRef;
}

export interface WorkerSecretKeyRef {
  /** Name of the Secret. (at most 253 characters) */
  name: string;
  /** Key inside it. (at most 253 characters) */
  key: string;
}

/** A Secret of type kubernetes.io/tls with the client certificate. */
export interface WorkerSecretRef {
  /** Name of the Secret. (at most 253 characters) */
  name: string;
}

/** The pods of the pool, as in a Deployment, limited to the fields listed below. What is missing on purpose: host namespaces, paths and ports, privileged mode, added capabilities, service account tokens, schedulerName, nodeName. serviceAccountName and the time to drain stand beside template. */
export interface PodTemplate {
  /** Labels and annotations of the pods. */
  metadata?: PodTemplateMetadata;
  /** The pods. A part of the PodSpec of Kubernetes, field by field: what is not listed here cannot be set. */
  spec: PodSpec;
}

/** Labels and annotations of the pods. */
export interface PodTemplateMetadata {
  /** Labels; at most 32. */
  labels?: {
    [k: string]: string;
  };
  /** Annotations; at most 32. */
  annotations?: {
    [k: string]: string;
  };
}

/** The pods. A part of the PodSpec of Kubernetes, field by field: what is not listed here cannot be set. */
export interface PodSpec {
  /** Containers of the pod. The one named worker runs the jobs; the operator gives it the store and the facts about its pod. (at most 4 items) */
  containers: Container[];
  /** Containers that run before the worker, and sidecars (restartPolicy: Always). (at most 4 items) */
  initContainers?: InitContainer[];
  /** Volumes of the pod. Paths of the node, service account tokens, inline CSI and network volumes are not available; use a PersistentVolumeClaim. (at most 32 items) */
  volumes?: Volume[];
  /** Secrets used to pull the images. (at most 8 items) */
  imagePullSecrets?: {
    /** Name of the Secret. (at most 253 characters) */
    name: string;
  }[];
  /** Labels a node must have. */
  nodeSelector?: {
    [k: string]: string;
  };
  /** Taints the pods tolerate. (at most 16 items) */
  tolerations?: Toleration[];
  /** How evenly the workers spread over nodes or zones. (at most 8 items) */
  topologySpreadConstraints?: TopologySpreadConstraint[];
  /** Which nodes suit, and which other pods should be near or far. */
  affinity?: Affinity;
  /** Priority class of the pods. The classes of the system are not available. (at most 253 characters) */
  priorityClassName?: string;
  /** Runtime class of the pods, such as one with a sandbox. (at most 253 characters) */
  runtimeClassName?: string;
  /** Security settings of the pod. Everything left out follows the 'restricted' Pod Security Standard. */
  securityContext?: PodSecurityContext;
}

export interface Container {
  /** Name of the container; the one that runs jobs is called worker. (at most 63 characters) */
  name: string;
  /** Image to run, best with a tag or digest that never changes. (at most 1024 characters) */
  image: string;
  /** When to pull the image. */
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /** Replaces the entry point of the image; no shell. (at most 64 items) */
  command?: string[];
  /** Arguments to the entry point. (at most 64 items) */
  args?: string[];
  /** Working directory. (at most 512 characters) */
  workingDir?: string;
  /** Environment variables. They merge by name, so two field managers can each own their own. (at most 128 items) */
  env?: EnvVar[];
  /** Whole Secrets or ConfigMaps as environment variables. Later entries win over earlier ones, env wins over all. (at most 16 items) */
  envFrom?: EnvFrom[];
  /** Ports the container listens on. (at most 16 items) */
  ports?: ContainerPort[];
  /** CPU, memory and other resources of the container. */
  resources?: ContainerResources;
  /** Where the volumes of this pod appear in the container. (at most 32 items) */
  volumeMounts?: VolumeMount[];
  /** Security settings of the container. Everything left out follows the 'restricted' Pod Security Standard. */
  securityContext?: ContainerSecurityContext;
  /** Whether the process is alive. Left out on the container worker: GET /livez on port 8080. It must never ask the database. */
  livenessProbe?: Probe;
  /** Whether the pod counts as ready. Left out on the container worker: GET /readyz on port 8080. */
  readinessProbe?: Probe;
  /** Holds the other probes back until it has succeeded once. Left out on the container worker: GET /livez on port 8080 for at most five minutes. */
  startupProbe?: Probe;
  /** What runs before the container gets SIGTERM. */
  lifecycle?: {
    /** Only for programs that cannot handle SIGTERM; the worker can. */
    preStop?: {
      /** Run a command in the container. */
      exec: ExecAction;
    };
  };
}

export interface EnvVar {
  /** Name of the variable. In the container worker, JOBQUEUE_*, POD_*, NODE_NAME and DATABASE_URL belong to the operator. (at most 128 characters) */
  name: string;
  /** Plain value. $(OTHER) refers to a variable defined before this one. For anything secret use valueFrom.secretKeyRef. (at most 32768 characters) */
  value?: string;
  /** Where the value comes from. Write exactly one of the fields below. */
  valueFrom?: EnvVarSource;
}

/** Where the value comes from. Write exactly one of the fields below. */
export interface EnvVarSource {
  /** One key of a Secret in the namespace of this JobQueue. */
  secretKeyRef?: ObjectKeyRef;
  /** One key of a ConfigMap in the namespace of this JobQueue. */
  configMapKeyRef?: ObjectKeyRef;
  /** A field of the pod. */
  fieldRef?: PodFieldRef;
  /** A resource of a container, such as limits.memory. */
  resourceFieldRef?: {
    /** limits.cpu, limits.memory, requests.cpu and so on. (at most 64 characters) */
    resource: string;
    /** Container to read; left out: this one. (at most 63 characters) */
    containerName?: string;
    /** Unit of the result, a quantity such as 1Mi; left out: 1. (at most 32 characters) */
    divisor?: number | string;
  };
}

export interface ObjectKeyRef {
  /** Name of the object. (at most 253 characters) */
  name: string;
  /** Key inside it. (at most 253 characters) */
  key: string;
  /** When true, a missing object or key leaves this out instead of blocking the pod. */
  optional?: boolean;
}

/** A field of the pod. */
export interface PodFieldRef {
  /** Path of the field, such as status.podIP or metadata.labels['team']. (at most 256 characters) */
  fieldPath: string;
}

export interface EnvFrom {
  /** Put before every name. (at most 64 characters) */
  prefix?: string;
  /** A Secret in the namespace of this JobQueue. */
  secretRef?: ObjectRef;
  /** A ConfigMap in the namespace of this JobQueue. */
  configMapRef?: ObjectRef;
}

export interface ObjectRef {
  /** Name of the object. (at most 253 characters) */
  name: string;
  /** When true, a missing object or key leaves this out instead of blocking the pod. */
  optional?: boolean;
}

export interface ContainerPort {
  /** Name of the port. (at most 15 characters) */
  name?: string;
  /** Number of the port. (minimum 1, maximum 65535) */
  containerPort: number;
  /** TCP, UDP or SCTP. Left out: TCP. */
  protocol?: "TCP" | "UDP" | "SCTP";
}

/** CPU, memory and other resources of the container. */
export interface ContainerResources {
  /** What the scheduler reserves. */
  requests?: {
    /** A quantity such as 100m, 1, 256Mi. (at most 32 characters) */
    [k: string]: number | string;
  };
  /** What the container may not exceed. */
  limits?: {
    /** A quantity such as 100m, 1, 256Mi. (at most 32 characters) */
    [k: string]: number | string;
  };
}

export interface VolumeMount {
  /** Name of an entry of volumes. (at most 63 characters) */
  name: string;
  /** Absolute path inside the container. (at most 512 characters) */
  mountPath: string;
  /** Path inside the volume to mount instead of its root; relative and without "..". (at most 512 characters) */
  subPath?: string;
  /** Mount it read-only. */
  readOnly?: boolean;
}

/** Security settings of the container. Everything left out follows the 'restricted' Pod Security Standard. */
export interface ContainerSecurityContext {
  /** Numeric user id; never 0. (minimum 0, maximum 4294967295) */
  runAsUser?: number;
  /** Numeric group id. (minimum 1, maximum 4294967295) */
  runAsGroup?: number;
  /** Always true. */
  runAsNonRoot?: boolean;
  /** Left out: true. Write false only for an image that must write beside its volumes. */
  readOnlyRootFilesystem?: boolean;
  /** Always false. */
  allowPrivilegeEscalation?: boolean;
  /** Always false. */
  privileged?: boolean;
  /** Linux capabilities. ALL are dropped. */
  capabilities?: {
    /** ALL. (at most 1 items) */
    drop?: "ALL"[];
    /** Only NET_BIND_SERVICE can be added back. (at most 1 items) */
    add?: "NET_BIND_SERVICE"[];
  };
  /** Seccomp profile. Left out: RuntimeDefault. */
  seccompProfile?: SeccompProfile;
}

/** Seccomp profile. Left out: RuntimeDefault. */
export interface SeccompProfile {
  /** RuntimeDefault, or Localhost with localhostProfile. */
  type: "RuntimeDefault" | "Localhost";
  /** File below the seccomp directory of the kubelet. (at most 253 characters) */
  localhostProfile?: string;
}

export interface Probe {
  /** GET on the pod itself; 200 to 399 is success. */
  httpGet?: {
    /** Path, such as /livez. (at most 512 characters) */
    path?: string;
    /** Port number, or the name of one of the ports of the container. (at most 15 characters) */
    port: number | string;
    /** HTTP or HTTPS. Left out: HTTP. */
    scheme?: "HTTP" | "HTTPS";
  };
  /** Connect to a port of the pod. */
  tcpSocket?: {
    /** Port number, or the name of one of the ports of the container. (at most 15 characters) */
    port: number | string;
  };
  /** Run a command in the container; exit status 0 is success. */
  exec?: ExecAction;
  /** Wait before the first probe. (minimum 0, maximum 3600) */
  initialDelaySeconds?: number;
  /** Time between probes. (minimum 1, maximum 3600) */
  periodSeconds?: number;
  /** A probe slower than this failed. (minimum 1, maximum 3600) */
  timeoutSeconds?: number;
  /** Successes in a row needed after a failure. (minimum 1, maximum 100) */
  successThreshold?: number;
  /** Failures in a row before the kubelet acts. (minimum 1, maximum 1000) */
  failureThreshold?: number;
}

export interface ExecAction {
  /** The command and its arguments; no shell. (at most 32 items) */
  command: string[];
}

export interface InitContainer {
  /** Name of the container. (at most 63 characters) */
  name: string;
  /** Image to run, best with a tag or digest that never changes. (at most 1024 characters) */
  image: string;
  /** When to pull the image. */
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /** Replaces the entry point of the image; no shell. (at most 64 items) */
  command?: string[];
  /** Arguments to the entry point. (at most 64 items) */
  args?: string[];
  /** Working directory. (at most 512 characters) */
  workingDir?: string;
  /** Environment variables. They merge by name, so two field managers can each own their own. (at most 128 items) */
  env?: EnvVar[];
  /** Whole Secrets or ConfigMaps as environment variables. Later entries win over earlier ones, env wins over all. (at most 16 items) */
  envFrom?: EnvFrom[];
  /** Ports the container listens on. (at most 16 items) */
  ports?: ContainerPort[];
  /** CPU, memory and other resources of the container. */
  resources?: ContainerResources;
  /** Where the volumes of this pod appear in the container. (at most 32 items) */
  volumeMounts?: VolumeMount[];
  /** Security settings of the container. Everything left out follows the 'restricted' Pod Security Standard. */
  securityContext?: ContainerSecurityContext;
  /** Always makes this a sidecar that starts before the worker and ends after it. */
  restartPolicy?: "Always";
  /** For a sidecar: what must succeed before the next container starts. */
  startupProbe?: Probe;
}

export interface Volume {
  /** Name of the volume. Names starting with jobqueue- belong to the operator. (at most 63 characters) */
  name: string;
  /** Scratch space that lives as long as the pod. */
  emptyDir?: {
    /** Memory keeps it in memory. */
    medium?: "" | "Memory";
    /** Most it may hold, a quantity such as 1Gi. (at most 32 characters) */
    sizeLimit?: number | string;
  };
  /** A ConfigMap in the namespace of this JobQueue. */
  configMap?: {
    /** Name of the object. (at most 253 characters) */
    name: string;
    /** Keys to take; left out: all. (at most 64 items) */
    items?: KeyToPath[];
    /** When true, a missing object or key leaves this out instead of blocking the pod. */
    optional?: boolean;
    /** File mode in decimal, such as 420 for 0644. (minimum 0, maximum 511) */
    defaultMode?: number;
  };
  /** A Secret in the namespace of this JobQueue. */
  secret?: {
    /** Keys to take; left out: all. (at most 64 items) */
    items?: KeyToPath[];
    /** When true, a missing object or key leaves this out instead of blocking the pod. */
    optional?: boolean;
    /** Name of the Secret. (at most 253 characters) */
    secretName: string;
    /** File mode in decimal, such as 420 for 0644. (minimum 0, maximum 511) */
    defaultMode?: number;
  };
  /** Several Secrets, ConfigMaps and pod fields in one directory. */
  projected?: {
    /** File mode in decimal, such as 420 for 0644. (minimum 0, maximum 511) */
    defaultMode?: number;
    /** What to put there. (at most 8 items) */
    sources: ProjectedSource[];
  };
  /** Fields of the pod as files. */
  downwardAPI?: {
    /** File mode in decimal, such as 420 for 0644. (minimum 0, maximum 511) */
    defaultMode?: number;
    /** Files to write. (at most 16 items) */
    items?: DownwardFile[];
  };
  /** A claim in the namespace of this JobQueue. Workers on several nodes need one that can be mounted by many. */
  persistentVolumeClaim?: {
    /** Name of the claim. (at most 253 characters) */
    claimName: string;
    /** Mount it read-only. */
    readOnly?: boolean;
  };
}

export interface KeyToPath {
  /** Key. (at most 253 characters) */
  key: string;
  /** File name below the mount; relative and without "..". (at most 512 characters) */
  path: string;
  /** File mode in decimal, such as 420 for 0644. (minimum 0, maximum 511) */
  mode?: number;
}

export interface ProjectedSource {
  /** A ConfigMap in the namespace of this JobQueue. */
  configMap?: {
    /** Name of the object. (at most 253 characters) */
    name: string;
    /** Keys to take; left out: all. (at most 64 items) */
    items?: KeyToPath[];
    /** When true, a missing object or key leaves this out instead of blocking the pod. */
    optional?: boolean;
  };
  /** A Secret in the namespace of this JobQueue. */
  secret?: {
    /** Name of the object. (at most 253 characters) */
    name: string;
    /** Keys to take; left out: all. (at most 64 items) */
    items?: KeyToPath[];
    /** When true, a missing object or key leaves this out instead of blocking the pod. */
    optional?: boolean;
  };
  /** Fields of the pod. */
  downwardAPI?: {
    /** Files to write. (at most 16 items) */
    items?: DownwardFile[];
  };
}

export interface DownwardFile {
  /** File name; relative. (at most 512 characters) */
  path: string;
  /** A field of the pod. */
  fieldRef?: PodFieldRef;
  /** A resource of a container, such as limits.memory. */
  resourceFieldRef?: {
    /** limits.cpu, limits.memory, requests.cpu and so on. (at most 64 characters) */
    resource: string;
    /** Container to read. (at most 63 characters) */
    containerName: string;
    /** Unit of the result, a quantity such as 1Mi; left out: 1. (at most 32 characters) */
    divisor?: number | string;
  };
}

export interface Toleration {
  /** Key of the taint. (at most 317 characters) */
  key: string;
  /** Equal compares value, Exists does not. Left out: Equal. */
  operator?: "Equal" | "Exists";
  /** Value of the taint. (at most 63 characters) */
  value?: string;
  /** Which effect to tolerate; left out: all. */
  effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  /** With NoExecute: how long to stay. (minimum 0, maximum 86400) */
  tolerationSeconds?: number;
}

export interface TopologySpreadConstraint {
  /** Largest difference allowed between two domains. (minimum 1, maximum 1000) */
  maxSkew: number;
  /** Node label that makes a domain, such as topology.kubernetes.io/zone. (at most 317 characters) */
  topologyKey: string;
  /** What to do when it cannot hold. */
  whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway";
  /** Fewest domains that must be counted. (minimum 1, maximum 1000) */
  minDomains?: number;
  /** Whether nodes outside the affinity count. */
  nodeAffinityPolicy?: "Honor" | "Ignore";
  /** Whether tainted nodes count. */
  nodeTaintsPolicy?: "Honor" | "Ignore";
  /** Which pods count. Left out: the workers of this pool. */
  labelSelector?: LabelSelector;
  /** Labels whose values join the selector. (at most 8 items) */
  matchLabelKeys?: string[];
}

/** Which pods count. Left out: the workers of this pool. */
export interface LabelSelector {
  /** Labels that must be present with these values. */
  matchLabels?: {
    [k: string]: string;
  };
  /** Conditions that must all hold. (at most 16 items) */
  matchExpressions?: {
    /** Label. (at most 317 characters) */
    key: string;
    /** How the value is compared. */
    operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    /** Values; for In and NotIn only. (at most 32 items) */
    values?: string[];
  }[];
}

/** Which nodes suit, and which other pods should be near or far. */
export interface Affinity {
  /** Which nodes suit. */
  nodeAffinity?: {
    /** Must hold. */
    requiredDuringSchedulingIgnoredDuringExecution?: {
      /** One of these terms must hold. (at most 8 items) */
      nodeSelectorTerms: NodeSelectorTerm[];
    };
    /** Counts towards the choice. (at most 8 items) */
    preferredDuringSchedulingIgnoredDuringExecution?: {
      /** Weight of the term. (minimum 1, maximum 100) */
      weight: number;
      /** The term. */
      preference: NodeSelectorTerm;
    }[];
  };
  /** Pods to be near. */
  podAffinity?: PodAffinity;
  /** Pods to be far from. */
  podAntiAffinity?: PodAffinity;
}

export interface NodeSelectorTerm {
  /** Conditions on labels; all must hold. (at most 16 items) */
  matchExpressions?: NodeRequirement[];
  /** Conditions on fields; only metadata.name exists. (at most 16 items) */
  matchFields?: NodeRequirement[];
}

export interface NodeRequirement {
  /** Label or field. (at most 317 characters) */
  key: string;
  /** How the value is compared. */
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  /** Values to compare with. (at most 32 items) */
  values?: string[];
}

export interface PodAffinity {
  /** Must hold. (at most 8 items) */
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[];
  /** Counts towards the choice. (at most 8 items) */
  preferredDuringSchedulingIgnoredDuringExecution?: {
    /** Weight of the term. (minimum 1, maximum 100) */
    weight: number;
    /** The term. */
    podAffinityTerm: PodAffinityTerm;
  }[];
}

export interface PodAffinityTerm {
  /** Which pods count. Left out: the workers of this pool. */
  labelSelector?: LabelSelector;
  /** Node label that makes a domain, such as kubernetes.io/hostname. (at most 317 characters) */
  topologyKey: string;
}

/** Security settings of the pod. Everything left out follows the 'restricted' Pod Security Standard. */
export interface PodSecurityContext {
  /** Numeric user id; never 0. (minimum 0, maximum 4294967295) */
  runAsUser?: number;
  /** Numeric group id. (minimum 1, maximum 4294967295) */
  runAsGroup?: number;
  /** Always true. */
  runAsNonRoot?: boolean;
  /** Group that owns the volumes. (minimum 1, maximum 4294967295) */
  fsGroup?: number;
  /** Always, or only when the root of the volume differs. */
  fsGroupChangePolicy?: "OnRootMismatch" | "Always";
  /** Further groups. (at most 16 items) */
  supplementalGroups?: number[];
  /** Seccomp profile. Left out: RuntimeDefault. */
  seccompProfile?: SeccompProfile;
}

/** What is. Written by the operator; counts may be rounded and some seconds old. */
export interface JobQueueStatus {
  /** metadata.generation of the spec this status was computed from. (minimum 0) */
  observedGeneration?: number;
  /** Name of the queue in the store. (at most 63 characters) */
  queueName?: string;
  /** Namespace and name of the JobStore. (at most 127 characters) */
  store?: string;
  /** Pods of the pool; what kubectl scale and an HPA see. (minimum 0) */
  replicas?: number;
  /** Label selector of the pods of the pool, as text, for an HPA. (at most 1024 characters) */
  selector?: string;
  /** Workers of the pool. */
  workers?: JobQueueWorkerCounts;
  /** Jobs of the queue. */
  jobs?: JobQueueJobCounts;
  /** Since when the oldest pending job could have run. (at most 64 characters) */
  oldestPendingSince?: string;
  /** Why the queue is paused: the holds that are in force, at most 16, the oldest first. (at most 16 items) */
  holds?: JobQueueHold[];
  /** Holds in force, where they are more than holds lists. (minimum 0) */
  holdsTotal?: number;
  /** Names of the holds in force, the oldest first, for the column PAUSED-BY. Left out when the queue is not paused. (at most 2080 characters) */
  pausedBy?: string;
  /** The last time jobs of lost workers were handed on, if the operator that did it lived to write it here; "jobqueue audit" shows every one. */
  lastRecovery?: JobQueueRecovery;
  /** The last worker that was restarted. */
  lastRestart?: JobQueueRestart;
  /** The last value of each request annotation that was carried out. */
  handledRequests?: JobQueueHandledRequests;
  /** Ready, Paused, Drained, WorkersAvailable, Healthy; BacklogWithinTarget with objectives, RestartsSuspended when restarts are held back, ReconcileSuspended while an annotation asks for it, Stalled when a person has to act. (at most 16 items) */
  conditions?: Condition[];
}

/** Workers of the pool. */
export interface JobQueueWorkerCounts {
  /** Wanted. (minimum 0) */
  desired?: number;
  /** Pods that are ready: their worker has a lease and can claim. (minimum 0) */
  ready?: number;
  /** Running at least one job. (minimum 0) */
  busy?: number;
  /** Making no progress. (minimum 0) */
  hung?: number;
  /** Finishing and about to go. (minimum 0) */
  draining?: number;
}

/** Jobs of the queue. */
export interface JobQueueJobCounts {
  /** Ready to run. (minimum 0) */
  pending?: number;
  /** Waiting for their time or for a retry. (minimum 0) */
  scheduled?: number;
  /** Being run. (minimum 0) */
  running?: number;
  /** Given up; a person has to look. (minimum 0) */
  dead?: number;
}

export interface JobQueueHold {
  /** The queue that is held; * is the whole store. (at most 63 characters) */
  queue: string;
  /** Name of the hold; spec is the one of this object. (at most 128 characters) */
  name: string;
  /** Where the hold comes from, such as spec or cli. (at most 32 characters) */
  source?: string;
  /** Who. (at most 256 characters) */
  actor?: string;
  /** Why. (at most 256 characters) */
  reason?: string;
  /** Since when. (at most 64 characters) */
  since?: string;
  /** Until when; left out: until somebody releases it. (at most 64 characters) */
  until?: string;
}

/** The last time jobs of lost workers were handed on, if the operator that did it lived to write it here; "jobqueue audit" shows every one. */
export interface JobQueueRecovery {
  /** When. (at most 64 characters) */
  time?: string;
  /** How many jobs. (minimum 0) */
  jobs?: number;
  /** Why. (at most 128 characters) */
  reason?: string;
}

/** The last worker that was restarted. */
export interface JobQueueRestart {
  /** When. (at most 64 characters) */
  time?: string;
  /** Name of the pod. (at most 253 characters) */
  pod?: string;
  /** UID of the pod. (at most 64 characters) */
  uid?: string;
  /** Why. (at most 128 characters) */
  reason?: string;
}

/** The last value of each request annotation that was carried out. */
export interface JobQueueHandledRequests {
  /** jobqueue.dev/recover-requested. (at most 128 characters) */
  recover?: string;
  /** jobqueue.dev/restart-requested. (at most 128 characters) */
  restart?: string;
}
