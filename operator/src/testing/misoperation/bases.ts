/**
 * Specs from which every field is changed. Together they have all fields of both kinds (a test counts them): a new field is
 * added here, with a value.
 */

/** A spec of a JobQueue or of a JobStore, and what it is called. */
export interface Base {
  readonly name: string;
  readonly spec: object;
}

const METRICS = { name: "metrics", containerPort: 9090, protocol: "TCP" };
const TIMES = {
  initialDelaySeconds: 1,
  periodSeconds: 10,
  timeoutSeconds: 5,
  successThreshold: 1,
  failureThreshold: 6,
};

/** The three forms of a probe, one of which a container may have. */
const PROBES = [
  { httpGet: { path: "/live", port: 9090, scheme: "HTTP" }, ...TIMES },
  { exec: { command: ["true"] }, ...TIMES },
  { tcpSocket: { port: 9090 }, ...TIMES },
] as const;

function container(turn: number): Readonly<Record<string, unknown>> {
  const probe = (place: number): object | undefined => PROBES[(turn + place) % PROBES.length];
  return {
    image: "registry.example/worker:1",
    imagePullPolicy: "IfNotPresent",
    command: ["node", "worker.js"],
    args: ["--verbose", "--quiet"],
    workingDir: "/data",
    env: [
      { name: "PLAIN", value: "1" },
      { name: "KEY", valueFrom: { secretKeyRef: { name: "secret", key: "key", optional: true } } },
      { name: "REGION", valueFrom: { configMapKeyRef: { name: "settings", key: "region", optional: true } } },
      { name: "ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      {
        name: "MEMORY",
        valueFrom: { resourceFieldRef: { resource: "limits.memory", containerName: "worker", divisor: "1Mi" } },
      },
    ],
    envFrom: [
      { prefix: "A_", secretRef: { name: "more", optional: true } },
      { configMapRef: { name: "others", optional: true } },
    ],
    ports: [METRICS],
    resources: { requests: { cpu: "100m" }, limits: { memory: "1Gi" } },
    volumeMounts: [{ name: "data", mountPath: "/data", subPath: "part", readOnly: true }],
    securityContext: {
      runAsUser: 1001,
      runAsGroup: 1001,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
      seccompProfile: { type: "Localhost", localhostProfile: "profiles/worker.json" },
    },
    livenessProbe: probe(0),
    readinessProbe: probe(1),
    startupProbe: probe(2),
    lifecycle: { preStop: { exec: { command: ["sleep", "1"] } } },
  };
}

const items = [{ key: "a", path: "a", mode: 256 }];
const downward = [
  { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
  { path: "memory", resourceFieldRef: { resource: "limits.memory", containerName: "worker", divisor: "1Mi" } },
];

const VOLUMES = [
  { name: "data", emptyDir: { medium: "Memory", sizeLimit: "1Gi" } },
  { name: "settings", configMap: { name: "settings", items, optional: true, defaultMode: 256 } },
  { name: "secret", secret: { secretName: "secret", items, optional: true, defaultMode: 256 } },
  {
    name: "projected",
    projected: {
      defaultMode: 256,
      sources: [
        { configMap: { name: "settings", items, optional: true } },
        { secret: { name: "secret", items, optional: true } },
        { downwardAPI: { items: downward } },
      ],
    },
  },
  { name: "downward", downwardAPI: { defaultMode: 256, items: downward } },
  { name: "claim", persistentVolumeClaim: { claimName: "claim", readOnly: true } },
];

const matchExpressions = [{ key: "tier", operator: "In", values: ["a", "b"] }];
const labelSelector = { matchLabels: { team: "a" }, matchExpressions };
const nodes = {
  matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }],
  matchFields: [{ key: "metadata.name", operator: "In", values: ["node-1"] }],
};
const podTerms = {
  requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey: "zone" }],
  preferredDuringSchedulingIgnoredDuringExecution: [
    { weight: 5, podAffinityTerm: { labelSelector, topologyKey: "zone" } },
  ],
};

const PLACEMENT = {
  imagePullSecrets: [{ name: "registry" }],
  nodeSelector: { disk: "ssd" },
  tolerations: [{ key: "dedicated", operator: "Equal", value: "a", effect: "NoExecute", tolerationSeconds: 60 }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "DoNotSchedule",
      minDomains: 2,
      nodeAffinityPolicy: "Honor",
      nodeTaintsPolicy: "Honor",
      labelSelector,
      matchLabelKeys: ["pod-template-hash"],
    },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [nodes] },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference: nodes }],
    },
    podAffinity: podTerms,
    podAntiAffinity: podTerms,
  },
  priorityClassName: "batch",
  runtimeClassName: "sandbox",
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    fsGroup: 1000,
    fsGroupChangePolicy: "OnRootMismatch",
    supplementalGroups: [2000],
    seccompProfile: { type: "Localhost", localhostProfile: "profiles/pod.json" },
  },
};

/** A pool in which every container has the probes in another form. */
function pool(turn: number): object {
  const { livenessProbe: _live, readinessProbe: _ready, lifecycle: _hooks, ...sidecar } = container(turn);
  return {
    replicas: 0,
    workers: {
      template: {
        metadata: { labels: { team: "a" }, annotations: { "example.com/note": "a" } },
        spec: {
          containers: [{ name: "worker", ...container(turn) }],
          // A sidecar is an init container that stays: it may have the probe of its start.
          initContainers: [{ name: "sidecar", restartPolicy: "Always", ...sidecar }],
          volumes: VOLUMES,
          ...PLACEMENT,
        },
      },
    },
  };
}

const plainTemplate = { spec: { containers: [{ name: "worker", image: "registry.example/worker:1" }] } };

/** Specs of JobQueues. */
export const JOB_QUEUE_BASES: readonly Base[] = [
  {
    name: "policy",
    spec: {
      queueName: "policy",
      storeRef: { name: "default" },
      state: "Paused",
      pausedUntil: "2036-01-01T00:00:00Z",
      pauseReason: "night",
      concurrency: 5,
      retry: { maxAttempts: 3, exponential: { initialSeconds: 5, maxSeconds: 600, jitterPercent: 10 } },
      timeoutSeconds: 60,
      resultTTLSeconds: 3600,
      onWorkerLoss: "Retry",
      schedules: [
        {
          name: "nightly",
          cron: "0 3 1 1 *",
          timeZone: "Europe/Berlin",
          kind: "report",
          payload: { of: "night" },
          priority: 5,
          timeoutSeconds: 60,
          missedTicks: "Skip",
          state: "Active",
        },
      ],
      deletionPolicy: "Retain",
      objectives: { oldestPendingSeconds: 900, pending: 1000 },
    },
  },
  { name: "intervals", spec: { retry: { maxAttempts: 4, intervalsSeconds: [10, 60] } } },
  {
    name: "knobs",
    spec: {
      replicas: 0,
      workers: {
        alsoServes: ["other"],
        slots: 5,
        drainTimeoutSeconds: 60,
        minReadySeconds: 5,
        progressDeadlineSeconds: 300,
        strategy: { type: "RollingUpdate", maxSurge: "30%", maxUnavailable: 1 },
        disruptionBudget: { maxUnavailable: 1 },
        deploymentMetadata: { labels: { team: "a" }, annotations: { "example.com/note": "a" } },
        health: {
          mode: "Report",
          heartbeatTimeoutSeconds: 60,
          loopStallSeconds: 20,
          startupGraceSeconds: 60,
          maxUnhealthy: "40%",
          maxConcurrentRestarts: 2,
          minSecondsBetweenRestarts: 20,
          stormCooldownSeconds: 300,
          hungGracePeriodSeconds: 5,
          evictionTimeoutSeconds: 100,
        },
        serviceAccountName: "bucket",
        storeCredentials: {
          uriSecretRef: { name: "default", key: "uri" },
          caSecretRef: { name: "ca", key: "ca.crt" },
          clientCertificateSecretRef: { name: "client" },
        },
        template: plainTemplate,
      },
    },
  },
  {
    name: "autoscaled",
    spec: {
      workers: {
        autoscaling: {
          minReplicas: 1,
          maxReplicas: 3,
          jobsPerWorker: 5,
          oldestPendingSeconds: 60,
          scaleUp: { stabilizationSeconds: 5, maxPerStep: 2 },
          scaleDown: { stabilizationSeconds: 0, maxPerStep: 1, cooldownToZeroSeconds: 60 },
        },
        template: plainTemplate,
      },
    },
  },
  { name: "of-another-namespace", spec: { storeRef: { name: "shared", namespace: "platform" } } },
  { name: "pool-a", spec: pool(0) },
  { name: "pool-b", spec: pool(1) },
  { name: "pool-c", spec: pool(2) },
];

const settings = {
  schema: "jobqueue",
  allowedNamespaces: { from: "All" },
  migrations: "Auto",
  state: "Paused",
  pausedUntil: "2036-01-01T00:00:00Z",
  pauseReason: "move",
  poolSize: 3,
  pollIntervalSeconds: 2,
  statementTimeoutSeconds: 10,
  staleLockRecovery: { mode: "Report", graceSeconds: 5, intervalSeconds: 20, limit: 100 },
  retention: { completedSeconds: 86_400, cancelledSeconds: 86_400, deadSeconds: 86_400, auditSeconds: 864_000 },
};

/** Specs of JobStores; the Secret `default` leads to a database, the others do not exist. */
export const JOB_STORE_BASES: readonly Base[] = [
  {
    name: "by-uri",
    spec: {
      connection: {
        uriSecretRef: { name: "default", key: "uri" },
        directURISecretRef: { name: "default", key: "uri" },
        workerURISecretRef: { name: "default", key: "uri" },
        tls: { mode: "Disabled" },
      },
      ...settings,
    },
  },
  {
    name: "by-fields",
    spec: {
      connection: {
        server: {
          host: "127.0.0.1",
          port: 1,
          database: "jobs",
          userSecretRef: { name: "user", key: "user" },
          passwordSecretRef: { name: "user", key: "password" },
        },
        tls: {
          mode: "VerifyFull",
          caSecretRef: { name: "ca", key: "ca.crt" },
          clientCertificateSecretRef: { name: "client" },
        },
      },
      allowedNamespaces: { from: "Selector", selector: labelSelector },
    },
  },
  {
    name: "by-fields-named",
    spec: {
      connection: {
        server: {
          host: "127.0.0.1",
          port: 1,
          database: "jobs",
          user: "operator",
          passwordSecretRef: { name: "user", key: "p" },
        },
        tls: { mode: "EncryptOnly" },
      },
    },
  },
];
