/**
 * The kinds of Kubernetes the operator reads and makes, as far as it looks into them. Wire types: plain JSON, times as
 * RFC 3339 strings. Only types, so that decisions may import them.
 */
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Stored } from "../kube/index.ts";

/** A JobQueue as the API server stores it. */
export type StoredJobQueue = Stored<JobQueue>;

/** A JobStore as the API server stores it. */
export type StoredJobStore = Stored<JobStore>;

/** `apps/v1` Deployment. The pod template is kept as plain JSON: it is compared, never interpreted. */
export interface Deployment {
  readonly metadata?: object;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: object;
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** A Deployment as the API server stores it. */
export type StoredDeployment = Stored<Deployment>;

/** `policy/v1` PodDisruptionBudget; compared, never interpreted. */
export interface DisruptionBudget {
  readonly metadata?: object;
  readonly spec?: object;
}

/** What a pod says of one of its containers. */
export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
  };
  readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly reason?: string } };
}

/** `v1` Pod. */
export interface Pod {
  readonly metadata?: object;
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** A Pod as the API server stores it. */
export type StoredPod = Stored<Pod>;

/** `v1` Namespace: only its labels are read. */
export interface Namespace {
  readonly metadata?: object;
}

/** `v1` Secret. Values are base64. */
export interface Secret {
  readonly metadata?: object;
  readonly data?: Readonly<Record<string, string>>;
}
