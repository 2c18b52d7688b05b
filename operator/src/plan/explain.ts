/** A plan in words, without carrying it out: for the log and for people who ask what the operator would do. */
import type { Action } from "./action.ts";

/** What each action would do: "set hold spec on queue mailers". */
const WHAT: { readonly [Kind in Action["do"]]: (action: Extract<Action, { do: Kind }>) => string } = {
  applyDeployment: ({ deployment, uid }) =>
    `${uid === undefined ? "create" : "change"} Deployment ${deployment.metadata.name}`,
  deleteDeployment: ({ name }) => `delete Deployment ${name}`,
  applyDisruptionBudget: ({ budget, uid }) =>
    `${uid === undefined ? "create" : "change"} PodDisruptionBudget ${budget.metadata.name}`,
  deleteDisruptionBudget: ({ name }) => `delete PodDisruptionBudget ${name}`,
  ensureQueue: ({ queue, store }) => `make queue ${queue} known to store ${store}`,
  deleteQueue: ({ queue, onlyIfEmpty }) => `delete queue ${queue}${onlyIfEmpty ? " if it is empty" : " and its jobs"}`,
  setFinalizers: ({ finalizers }) =>
    finalizers.length === 0 ? "take the finaliser away" : `make the finalisers ${finalizers.join(", ")}`,
  configureQueue: ({ queue, policy }) => `configure queue ${queue}: ${Object.keys(policy).join(", ")}`,
  configureStore: ({ store, settings }) => `configure store ${store}: ${Object.keys(settings).join(", ")}`,
  putSchedule: ({ schedule }) => `put schedule ${schedule.name}`,
  pauseSchedule: ({ name, paused }) => `${paused ? "pause" : "resume"} schedule ${name}`,
  deleteSchedule: ({ name }) => `delete schedule ${name}`,
  setHold: ({ hold, queue, until }) =>
    `set hold ${hold} on queue ${queue}${until === undefined ? "" : ` until ${until}`}`,
  releaseHold: ({ hold, queue }) => `release hold ${hold} of queue ${queue}`,
  recoverPods: ({ pods }) => `recover the jobs of ${pods.length} ${pods.length === 1 ? "pod" : "pods"}`,
  configurePool: ({ pool, settings }) => `tell pool ${pool}: ${Object.keys(settings).join(", ")}`,
  openRestart: ({ restart }) => `decide to replace the worker of pod ${restart.pod}`,
  continueRestart: ({ restart }) => `go on replacing pod ${restart.pod} (${restart.state})`,
  recoverStale: ({ store }) => `recover the stale jobs of store ${store}`,
  drainWorkers: ({ count, pool }) => `drain up to ${count} idle ${count === 1 ? "worker" : "workers"} of pool ${pool}`,
  releaseWorkers: ({ workers }) => `release ${workers.length} drained ${workers.length === 1 ? "worker" : "workers"}`,
  rankPods: ({ pods, cost }) =>
    `${cost === undefined ? "take the deletion cost off" : "let go first"} ${pods.map(({ name }) => name).join(", ")}`,
  recoverQueue: ({ queue }) => `recover the stale jobs of queue ${queue}`,
  watchStore: ({ jobStore: { metadata } }) => `watch store ${metadata.namespace}/${metadata.name}`,
  forgetStore: ({ store }) => `stop watching store ${store}`,
  migrateStore: ({ store }) => `migrate the schema of store ${store}`,
  maintainStore: ({ store }) => `maintain store ${store}`,
  patchStatus: ({ countsOnly }) => `write the ${countsOnly ? "counts" : "status"}`,
  emitEvent: ({ type }) => `tell (${type})`,
  wait: ({ ms }) => `wait ${Math.ceil(ms / 1000)} s`,
};

/** The action with its reason: "set hold spec on queue mailers (PausedBySpec): spec.state is Paused." */
export function explain(action: Action): string {
  const what = WHAT[action.do] as (action: Action) => string;
  return `${what(action)} (${action.reason}): ${action.sentence}`;
}
