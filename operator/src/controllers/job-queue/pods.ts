/**
 * What is read from a pod, and what keeps its worker from running.
 *
 * A pod whose node fell silent is marked by Kubernetes, not by its kubelet: the node controller sets `Ready` to False and
 * leaves `ContainersReady` as the kubelet last wrote it (kubernetes pkg/controller/util/node, MarkPodsNotReady). No other
 * state looks like that, as templates cannot have readiness gates; so nodes themselves need not be watched.
 */
import { WORKER_CONTAINER } from "@jobqueue/crds";
import type { ContainerStatus, Pod, StoredPod } from "../kubernetes-objects.ts";
import type { PodObserved, PodTrouble } from "./observed.ts";

/** Conditions of a pod that are looked at. */
const CONDITIONS: ReadonlySet<string> = new Set(["Ready", "ContainersReady", "PodScheduled"]);

/** Annotation by which the ReplicaSet controller chooses the pods that go first (KEP-2255). */
export const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/** What the cache keeps of a pod: only what is read here, since the rest of thousands of pods is not worth its memory. */
export function trimPod({ apiVersion, kind, metadata, spec, status }: StoredPod): StoredPod {
  const { name, namespace = "", uid, resourceVersion, creationTimestamp, labels = {}, deletionTimestamp } = metadata;
  const cost = metadata.annotations?.[DELETION_COST];
  const { phase, conditions, containerStatuses, initContainerStatuses } = status ?? {};
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
      labels,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(cost !== undefined && { annotations: { [DELETION_COST]: cost } }),
    },
    ...(spec?.nodeName !== undefined && { spec: { nodeName: spec.nodeName } }),
    status: {
      ...(phase !== undefined && { phase }),
      ...(conditions && { conditions: conditions.filter(({ type }) => CONDITIONS.has(type)).map(trimCondition) }),
      ...(initContainerStatuses && { initContainerStatuses: initContainerStatuses.map(trimContainer) }),
      ...(containerStatuses && { containerStatuses: containerStatuses.map(trimContainer) }),
    },
  };
}

type PodCondition = NonNullable<NonNullable<Pod["status"]>["conditions"]>[number];

function trimCondition({ type, status, reason, message }: PodCondition): PodCondition {
  return { type, status, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
}

function trimContainer({ name, image, ready, restartCount, state, lastState }: ContainerStatus): ContainerStatus {
  const { waiting, running } = state ?? {};
  const { terminated } = lastState ?? {};
  return {
    name,
    ...(image !== undefined && { image }),
    ...(ready !== undefined && { ready }),
    ...(restartCount !== undefined && { restartCount }),
    ...(waiting && { state: { waiting: { reason: waiting.reason ?? "", message: waiting.message ?? "" } } }),
    ...(running?.startedAt !== undefined && { state: { running: { startedAt: running.startedAt } } }),
    ...(terminated && {
      lastState: { terminated: { exitCode: terminated.exitCode, reason: terminated.reason ?? "" } },
    }),
  };
}

/** Whether all its containers have ended for good. */
export function hasEnded({ status }: Pick<Pod, "status">): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** A pod as decisions see it. */
export function podObserved(pod: StoredPod): PodObserved {
  const { metadata, spec, status } = pod;
  const cost = metadata.annotations?.[DELETION_COST];
  const over = hasEnded(pod);
  const trouble = over ? undefined : troubleOf(pod);
  return {
    uid: metadata.uid,
    name: metadata.name,
    over,
    leaving: metadata.deletionTimestamp !== undefined,
    ready: status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false,
    running: status?.phase === "Running",
    templateHash: metadata.labels?.["pod-template-hash"] ?? "",
    createdAt: Date.parse(metadata.creationTimestamp),
    ...workerStart(pod),
    ...(cost !== undefined && { deletionCost: cost }),
    ...(spec?.nodeName !== undefined && { node: spec.nodeName }),
    ...(trouble && { trouble }),
  };
}

/** When the container of the worker was started last. */
function workerStart({ status }: StoredPod): Pick<PodObserved, "startedAt"> {
  const worker = status?.containerStatuses?.find(({ name }) => name === WORKER_CONTAINER);
  const at = worker?.state?.running?.startedAt;
  return at === undefined ? {} : { startedAt: Date.parse(at) };
}

/** Reasons of a waiting container that mean its image. */
const IMAGE_REASONS: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
]);
/** Reasons of a waiting container that could not be made or started. */
const START_REASONS: ReadonlySet<string> = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

function troubleOf(pod: StoredPod): PodTrouble | undefined {
  const { metadata, spec, status } = pod;
  const is = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  if (is("Ready")?.status === "False" && is("ContainersReady")?.status === "True") {
    const node = spec?.nodeName ?? "";
    const sentence = `the node ${node} of pod ${metadata.name} does not answer; kubectl describe node ${node} says since when, and Kubernetes replaces the pod as its tolerations say`;
    return { reason: "NodeUnreachable", sentence };
  }
  if (metadata.deletionTimestamp !== undefined) return undefined; // on its way out, whatever it lacks
  const scheduled = is("PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return {
      reason: "Unschedulable",
      sentence: `no node takes pod ${metadata.name}: ${withoutStop(scheduled.message ?? "")}`,
    };
  }
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const trouble = troubleOfContainer(container, metadata.name);
    if (trouble) return trouble;
  }
  return undefined;
}

/**
 * The kubelet's own words are quoted only where they stay the same: about images they alternate between two texts, and
 * about crashes they count seconds, so that each would be a write of the status for ever.
 */
function troubleOfContainer(container: ContainerStatus, pod: string): PodTrouble | undefined {
  const { name, image = "", ready = false, restartCount = 0, state, lastState } = container;
  const waiting = state?.waiting?.reason ?? "";
  if (IMAGE_REASONS.has(waiting)) {
    const sentence = `the image ${image} of container ${name} cannot be pulled; kubectl describe pod ${pod} says why`;
    return { reason: "ImagePullFailed", sentence };
  }
  if (START_REASONS.has(waiting)) {
    const said = withoutStop(state?.waiting?.message ?? waiting);
    return { reason: "ContainerNotStarted", sentence: `container ${name} of pod ${pod} cannot be started: ${said}` };
  }
  const ended = lastState?.terminated;
  if (waiting === "CrashLoopBackOff" || (!ready && restartCount > 0 && ended)) {
    const how = ended ? `exit code ${ended.exitCode}${because(ended)}` : "an unknown exit code";
    const sentence = `container ${name} of pod ${pod} ended with ${how} and is started again by its node, each time later; kubectl logs ${pod} -c ${name} --previous says why`;
    return { reason: "WorkersCrashing", sentence };
  }
  return undefined;
}

/** The reason of an exit, where it says more than the number. */
function because({ reason = "" }: { readonly reason?: string }): string {
  return reason === "" || reason === "Error" || reason === "Completed" ? "" : ` (${reason})`;
}

const withoutStop = (sentence: string): string => sentence.trim().replace(/\.+$/, "");
