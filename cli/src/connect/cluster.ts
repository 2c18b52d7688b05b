import { KubeError, isForbidden, isUnauthorized, type KubeClient } from "@jobqueue/operator/kube";
import { Failure } from "../failure.ts";

/** The cluster of a kubeconfig or of the pod we run in. */
export interface Cluster {
  readonly client: KubeClient;
  /** Namespace of the context or of the pod; `default` when neither says one, as kubectl has it. */
  readonly namespace: string;
  /** Whether we run in the cluster, where its host names work. */
  readonly inside: boolean;
  /** For people: which kubeconfig and context. */
  readonly source: string;
  readonly close: () => Promise<void>;
}

/** What the edge threw, as a sentence that says what to do. */
export function clusterFailure(error: unknown, what: string): unknown {
  if (!(error instanceof KubeError)) return error;
  const because = error.message.replace(/^(GET|POST|PUT|PATCH|DELETE) \S+: /, "");
  if (error.reason === "NotConfigured") {
    return new Failure("clusterFailed", because, {
      remedy: "Name a cluster with --kubeconfig or --context.",
      cause: error,
    });
  }
  const remedy = isForbidden(error)
    ? "Your account in the cluster lacks that right; with the URL of the store at hand, use --store-url."
    : isUnauthorized(error)
      ? "The cluster does not accept your credentials; log in again (kubectl must work as well)."
      : undefined;
  return new Failure("clusterFailed", `${what}: ${because}`, { remedy, cause: error });
}

/** Makes ready to talk to a cluster; nothing is sent yet. */
export async function openCluster(options: {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<Cluster> {
  const { connectOnce } = await import("@jobqueue/operator/kube");
  try {
    const { access, client } = await connectOnce({ ...options, userAgent: "jobqueue" });
    return {
      client,
      namespace: access.namespace ?? "default",
      inside: access.source === "in-cluster service account",
      source: access.source,
      close: async () => client.transport.close(),
    };
  } catch (error) {
    throw clusterFailure(error, "the cluster cannot be used");
  }
}

/** Who the cluster takes us for, to be written beside the name of the local user; `undefined` when it does not say. */
export async function clusterUser(cluster: Cluster): Promise<string | undefined> {
  try {
    const review = await cluster.client.transport.request<{ status?: { userInfo?: { username?: string } } }>({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    });
    return review.status?.userInfo?.username;
  } catch {
    // Served since Kubernetes 1.28, and only ever an ornament: the hold is what matters.
    return undefined;
  }
}
