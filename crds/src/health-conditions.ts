/** The conditions of a JobQueue that tell of the health of its workers; a part of the closed table in `conditions.ts`. */
export const HEALTH_CONDITIONS = {
  // Do the workers get on? There only with spec.workers.
  Healthy: {
    AllWorkersHealthy: { status: ["True"], actor: "nobody", meaning: "No worker is hung." },
    WorkersHung: {
      status: ["False"],
      actor: "operator",
      meaning:
        "Workers are there but make no progress. They are replaced within the limits of spec.workers.health; RestartsSuspended says what is in the way.",
    },
    CrashLoop: {
      status: ["False"],
      actor: "user",
      meaning:
        "Five workers of one template in a row were replaced without having finished a job: change the template, or ask for a restart by annotation.",
    },
    NotLooked: {
      status: ["Unknown"],
      actor: "nobody",
      meaning: "spec.workers.health.mode is Disabled, or the pods have not been listed yet.",
    },
    StoreUnreachable: {
      status: ["Unknown"],
      actor: "administrator",
      meaning: "The store does not say how the workers are. None is restarted meanwhile.",
    },
  },
  // What keeps hung workers from being replaced? There only while something does.
  RestartsSuspended: {
    SuspendedByAnnotation: {
      status: ["True"],
      actor: "user",
      meaning: "The annotation jobqueue.dev/restarts is suspended: remove it to let hung workers be replaced.",
    },
    ReportOnly: { status: ["True"], actor: "user", meaning: "spec.workers.health.mode is Report." },
    StoreOutage: {
      status: ["True"],
      actor: "nobody",
      meaning:
        "The store was out, its credentials changed (which takes two minutes to reach all workers), or the operator has just begun to lead: workers are judged after one heartbeat timeout without a break.",
    },
    ApiServerDegraded: {
      status: ["True"],
      actor: "administrator",
      meaning: "The API server does not answer as it should; what is seen of pods may be old.",
    },
    FleetUnhealthy: {
      status: ["True"],
      actor: "administrator",
      meaning:
        "More than a fifth of all workers of the store lost their lease at once: see the network and the database.",
    },
    TooManyUnhealthy: {
      status: ["True"],
      actor: "user",
      meaning: "More workers of the pool are hung at once than spec.workers.health.maxUnhealthy allows.",
    },
    Cooldown: {
      status: ["True"],
      actor: "nobody",
      meaning: "Too many were hung at once a while ago; restarts resume after stormCooldownSeconds of calm.",
    },
    RolloutInProgress: { status: ["True"], actor: "nobody", meaning: "The workers are being rolled out anyway." },
    NodeUnreachable: {
      status: ["True"],
      actor: "administrator",
      meaning: "The node of the hung worker does not answer: Kubernetes replaces the pod.",
    },
    LeftToKubernetes: {
      status: ["True"],
      actor: "nobody",
      meaning: "The pod does not run, or its node restarts its container already: nothing is added to that.",
    },
    NotConfirmed: {
      status: ["True"],
      actor: "user",
      meaning: "Only the worker's own row in the store says that it is stuck, and its readiness probe says otherwise.",
    },
    NoIndependentEvidence: {
      status: ["True"],
      actor: "nobody",
      meaning:
        "It is the only worker of the store: it is replaced once the store has been reachable for two heartbeat timeouts.",
    },
    CrashLoop: { status: ["True"], actor: "user", meaning: "Explained by Healthy." },
    Backoff: {
      status: ["True"],
      actor: "nobody",
      meaning: "Workers of this template were replaced shortly before; each time the next waits longer.",
    },
    BudgetSpent: {
      status: ["True"],
      actor: "nobody",
      meaning: "As many workers are being replaced, or were in ten minutes, as the limits allow.",
    },
    EvictionForbidden: {
      status: ["True"],
      actor: "administrator",
      meaning: "The operator may not evict or delete pods here: give its role create pods/eviction and delete pods.",
    },
    DisruptionBudgetRefuses: {
      status: ["True"],
      actor: "administrator",
      meaning:
        "A PodDisruptionBudget refuses the eviction. After evictionTimeoutSeconds the pod is deleted, unless that is 0.",
    },
  },
} as const;
