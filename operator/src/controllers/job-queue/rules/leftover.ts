import type { Finding } from "../../../plan/action.ts";
import type { Stored } from "../../../kube/index.ts";
import type { StoredJobQueue } from "../../kubernetes-objects.ts";

/** How often to look whether the garbage collector is through. */
const LOOK_MS = 2_000;

/** How long it is left to the garbage collector, from when this JobQueue was made. It takes seconds. */
const PATIENCE_MS = 30_000;

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
  const reason = "Progressing";
  const isLate = now - Date.parse(queue.metadata.creationTimestamp) >= PATIENCE_MS && deletionTimestamp === undefined;
  return {
    problem: { reason, sentence, ready: "False", needsPerson: false },
    actions: [
      isLate
        ? { do: REMOVAL[kind], namespace, name, uid, resourceVersion, reason: "LeftBehind", sentence }
        : { do: "wait", ms: LOOK_MS, reason, sentence },
    ],
  };
}
