import type { Action } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import type { Stored } from "../../../kube/index.ts";
import type { StoredJobQueue } from "../../kubernetes-objects.ts";
import type { Observed } from "../observed.ts";

/** How often to look whether the garbage collector is through. */
const LOOK_MS = 2_000;

/** How long it is left to the garbage collector, from when this JobQueue was made. It takes seconds. */
const PATIENCE_MS = 30_000;

/**
 * How long a Deployment that is missed is not made anew because pods of an earlier one run on. A watch of the garbage collector
 * that broke is opened again after at most 30 s (client-go, reflector.go), give or take what it adds at random.
 */
const PODS_PATIENCE_MS = 60_000;

/** How each kind is removed. */
const REMOVAL = { Deployment: "deleteDeployment", PodDisruptionBudget: "deleteDisruptionBudget" } as const;

/**
 * What belonged to an earlier JobQueue of this name goes: it is the garbage collector's to remove, and after a while ours. For a
 * collector that missed the deletion, because its watch was broken just then, sees the JobQueue as changed and never as gone
 * when it looks again (chaos with faults of the API server has shown it).
 */
export function leftover(
  queue: StoredJobQueue,
  kind: keyof typeof REMOVAL,
  { metadata }: Stored,
  now: number,
): Finding {
  const { namespace = "", name, uid, resourceVersion, deletionTimestamp } = metadata;
  const sentence = `The ${kind} ${name} of an earlier JobQueue of this name is being removed.`;
  const isLate = now - Date.parse(queue.metadata.creationTimestamp) >= PATIENCE_MS && deletionTimestamp === undefined;
  if (!isLate) return waitFor(sentence);
  return progressing(sentence, {
    do: REMOVAL[kind],
    namespace,
    name,
    uid,
    resourceVersion,
    reason: "LeftBehind",
    sentence,
  });
}

/**
 * While pods of a Deployment that is gone are neither gone nor leaving, no new one is made. For a garbage collector whose watch
 * was broken when the old one went would see the new one of the same name as the old one, changed, and the ReplicaSet of the old
 * one, with its pods, would stay for ever; without a new one it sees that the old one is gone. Pods that stay although nobody is
 * to remove them (`kubectl delete --cascade=orphan`) are waited for only so long: the new Deployment adopts them.
 */
export function leftoverPods(pods: Observed["pods"], since: number | undefined, now: number): Finding | undefined {
  if (pods === "unknown" || since === undefined || now - since >= PODS_PATIENCE_MS) return undefined;
  const staying = pods
    .filter(({ over, leaving }) => !over && !leaving)
    .map(({ name }) => name)
    .toSorted();
  if (staying[0] === undefined) return undefined;
  const others = staying.length === 1 ? "" : ` and ${staying.length - 1} more`;
  return waitFor(
    `The Deployment of the workers is made once the pods of an earlier one leave: ${staying[0]}${others}.`,
  );
}

const progressing = (sentence: string, action: Action): Finding => ({
  problem: { reason: "Progressing", sentence, ready: "False", needsPerson: false },
  actions: [action],
});

const waitFor = (sentence: string): Finding =>
  progressing(sentence, { do: "wait", ms: LOOK_MS, reason: "Progressing", sentence });
