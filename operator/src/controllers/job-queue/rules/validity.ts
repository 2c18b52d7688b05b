import { RESERVED_ENV, WORKER_CONTAINER, type JobQueue } from "@jobqueue/crds";
import type { Finding } from "../../../plan/plan.ts";
import { lacksCredentials } from "../desired/environment.ts";
import { queueNameOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/**
 * What the CRD already refuses is looked at again: an object may be older than a rule, or the CRD may have been replaced.
 * Nothing that would defeat the operator's own settings gets past this point. A pool that cannot be right is not made or
 * changed (nothing is desired then), but what exists goes on working and the queue can still be paused.
 */
export function validity({ queue, store }: Observed): Finding {
  const sentence = queue && whatIsInvalid(queue);
  if (sentence !== undefined) {
    return { problem: { reason: "InvalidPodTemplate", sentence, ready: "False", needsPerson: true } };
  }
  if (!queue || store.is === "absent" || store.is === "notAllowed") return {};
  const lacking = lacksCredentials(queue, store.jobStore);
  if (lacking === undefined) return {};
  return { problem: { reason: "StoreCredentialsMissing", sentence: lacking, ready: "False", needsPerson: true } };
}

/** What is wrong with spec.workers and what to do about it, or `undefined`. */
export function whatIsInvalid(queue: JobQueue): string | undefined {
  const workers = queue.spec.workers;
  if (!workers) return undefined;
  const worker = workers.template.spec.containers.find((container) => container.name === WORKER_CONTAINER);
  if (!worker)
    return `spec.workers.template.spec.containers has no container named ${WORKER_CONTAINER}; name the one that runs the jobs so.`;
  const reserved = worker.env?.find(
    ({ name }) =>
      RESERVED_ENV.names.some((own) => own === name) || RESERVED_ENV.prefixes.some((prefix) => name.startsWith(prefix)),
  );
  if (reserved)
    return `The operator sets ${reserved.name} of the container ${WORKER_CONTAINER}; write your value under another name.`;
  const served = [queueNameOf(queue), ...(workers.alsoServes ?? [])];
  const twice = served.find((name, position) => served.indexOf(name) !== position);
  if (twice !== undefined)
    return `spec.workers.alsoServes names the queue ${twice} twice; name every queue once, and not the queue itself.`;
  return undefined;
}
