/** Where the kinds of `kubernetes-objects.ts` live in the API. */
import { GROUP, PLURALS, VERSION, type JobQueue, type JobStore } from "@jobqueue/crds";
import { defineResource } from "../kube/index.ts";
import type { Deployment, DisruptionBudget, Namespace, Pod, Secret } from "./kubernetes-objects.ts";

/** jobqueue.dev JobQueue. */
export const JOB_QUEUES = defineResource<JobQueue>({
  group: GROUP,
  version: VERSION,
  plural: PLURALS.JobQueue,
  kind: "JobQueue",
});

/** jobqueue.dev JobStore. */
export const JOB_STORES = defineResource<JobStore>({
  group: GROUP,
  version: VERSION,
  plural: PLURALS.JobStore,
  kind: "JobStore",
});

/** apps Deployment. */
export const DEPLOYMENTS = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  plural: "deployments",
  kind: "Deployment",
});

/** Namespace. Watched by an operator that works in all namespaces, for the labels that a JobStore may ask for. */
export const NAMESPACES = defineResource<Namespace>({
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
});

/** policy PodDisruptionBudget. */
export const DISRUPTION_BUDGETS = defineResource<DisruptionBudget>({
  group: "policy",
  version: "v1",
  plural: "poddisruptionbudgets",
  kind: "PodDisruptionBudget",
});

/** Pod. */
export const PODS = defineResource<Pod>({ group: "", version: "v1", plural: "pods", kind: "Pod" });

/** Secret. Read one by one by name, never listed or watched: the operator needs no right to see them all. */
export const SECRETS = defineResource<Secret>({ group: "", version: "v1", plural: "secrets", kind: "Secret" });
