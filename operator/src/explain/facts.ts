/** What was observed of a JobQueue, in sentences. What could not be read says so: it is unknown, and nothing follows from it. */
import { conditionOf } from "../controllers/conditions.ts";
import { holdsTold } from "../controllers/holds-told.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../controllers/job-queue/desired/names.ts";
import type { Observed, StoreObserved } from "../controllers/job-queue/observed.ts";
import type { StoredJobQueue, StoredJobStore } from "../controllers/kubernetes-objects.ts";
import type { Looked } from "./look-from-here.ts";
import type { Unread } from "./read.ts";

/** One thing that was observed. */
export interface Fact {
  /** What it is about: "JobQueue", "store", "Deployment" … */
  readonly about: string;
  /** Whether it could be read at all. */
  readonly known: boolean;
  readonly says: string;
}

/** Where the JobQueue that is explained was read. */
export type Origin =
  /** As the API server has it. */
  | { readonly from: "cluster" }
  /** As applying a file would make it; `exists`: there is one of the name already. */
  | { readonly from: "file"; readonly file: string; readonly exists: boolean };

/** All that was observed. */
export interface Seen {
  readonly origin: Origin;
  readonly queue: StoredJobQueue;
  readonly jobStore: StoredJobStore | undefined;
  readonly observed: Observed;
  readonly looked: Looked | undefined;
  readonly unread: readonly Unread[];
}

const many = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;
const known = (about: string, says: string): Fact => ({ about, known: true, says });

/** The facts, in the order in which the rules ask for them. */
export function factsOf(seen: Seen): readonly Fact[] {
  const { observed, unread } = seen;
  const missing = (what: Unread["what"]): string | undefined => unread.find((one) => one.what === what)?.why;
  const orUnread = (what: Unread["what"], about: string, says: () => readonly string[]): readonly Fact[] => {
    const why = missing(what);
    return why === undefined
      ? says().map((one) => known(about, one))
      : [{ about, known: false, says: `Unknown: ${why}.` }];
  };
  return [
    known("JobQueue", queueSays(seen)),
    ...orUnread("JobQueues", "other JobQueues", () => othersSay(observed)),
    ...storeSays(seen),
    ...orUnread("Deployment", "Deployment", () => [deploymentSays(observed)]),
    ...templateSays(observed, missing("dry run")),
    ...orUnread("pods", "pods", () => [podsSay(observed)]),
  ];
}

function queueSays({ origin, queue }: Seen): string {
  const { state, replicas, workers } = queue.spec;
  const spec = `spec.state ${state}, ${workers ? `spec.replicas ${replicas}` : "no workers of its own"}`;
  const going = queue.metadata.deletionTimestamp === undefined ? "" : ", being deleted";
  const what = `queue ${queueNameOf(queue)} of store ${storeKeyOf(queue)}: ${spec}${going}.`;
  if (origin.from === "cluster") return `As it is in the cluster, generation ${queue.metadata.generation}; ${what}`;
  const before = origin.exists ? "laid over the one in the cluster" : "there is none of the name yet";
  return `As applying ${origin.file} would make it (${before}); ${what}`;
}

function othersSay({ rivals, servedBy }: Observed): readonly string[] {
  const sentences = [
    ...(rivals.length === 0 ? [] : [`${rivals.map(({ name }) => name).join(", ")} for the same queue.`]),
    ...servedBy.map(({ name, ready }) => `The workers of ${name} (${ready} ready) serve this queue too.`),
  ];
  return sentences.length === 0 ? ["None for the same queue, and none whose workers serve it."] : sentences;
}

function storeSays({ observed: { store }, queue, jobStore, looked }: Seen): readonly Fact[] {
  if (!jobStore) return [known("JobStore", `There is none named ${storeKeyOf(queue)}.`)];
  const ready = conditionOf(jobStore.status?.conditions, "Ready");
  const itself = ready
    ? `Its own status says Ready=${ready.status} (${ready.reason}): ${ready.message}`
    : "It has no status yet: no operator has looked at it.";
  const facts = [known("JobStore", itself)];
  if (store.is === "notAllowed")
    return [...facts, { about: "allowedNamespaces", known: store.known, says: store.sentence }];
  if (!looked) return facts;
  if (looked.view.is !== "up") {
    const why = looked.how.length === 0 ? "no way to it was given." : `${looked.how.join("; ")}.`;
    return [...facts, { about: "store", known: false, says: `Unknown: ${why}` }];
  }
  facts.push(known("store", `Reached ${looked.how.join("; ")}: Postgres ${looked.view.serverVersion}.`));
  const { leader } = looked;
  facts.push(
    known(
      "operator",
      leader
        ? `${leader.holder} leads this store since ${leader.takenAt.toISOString()}, its canary was written last at ${leader.canaryAt?.toISOString() ?? "no time yet"}.`
        : "None has led this store yet.",
    ),
  );
  return store.is === "ready" ? [...facts, ...contentSays(store, queueNameOf(queue))] : facts;
}

function contentSays(store: Extract<StoreObserved, { is: "ready" }>, queue: string): readonly Fact[] {
  const { counts, holds, workers, schedules } = store;
  const oldest = counts?.oldestPendingSeconds;
  const age = oldest === undefined ? "" : `, the oldest pending one for ${Math.round(oldest)} s`;
  const jobs = counts
    ? `${counts.pending} pending, ${counts.scheduled} scheduled, ${counts.running} running (${counts.stale} stale), ${counts.dead} dead${age}.`
    : `The store does not know the queue ${queue} yet.`;
  const alive = workers.filter((worker) => worker.alive).length;
  return [
    known("jobs", jobs),
    known("holds", holds.length === 0 ? "None is in force." : `${holdsTold(holds, queue)}.`),
    known("workers", `${many(workers.length, "worker")} of this pool in the store, ${alive} with a lease in force.`),
    known("schedules", schedules.length === 0 ? "None." : `${schedules.map(({ name }) => name).join(", ")}.`),
  ];
}

function deploymentSays({ deployment, queue, desired }: Observed): string {
  if (deployment.is === "unknown") return `Unknown: ${deployment.sentence}`;
  if (deployment.is === "absent")
    return queue?.spec.workers ? "There is none yet." : "There is none, and none is wanted.";
  if (deployment.is === "foreign") return `One of the name is there and belongs to ${deployment.owner}.`;
  if (deployment.is === "leftover") return "That of an earlier JobQueue of this name is still there.";
  const { metadata, spec, status } = deployment.object;
  const wanted = desired ? `, ${desired.spec.replicas} wanted now` : "";
  return `${metadata.name}: ${spec?.replicas ?? 0} replicas, ${status?.readyReplicas ?? 0} ready${wanted}.`;
}

function templateSays({ desired, template }: Observed, unread: string | undefined): readonly Fact[] {
  const about = "dry run";
  if (unread !== undefined) return [{ about, known: false, says: `Unknown: ${unread}.` }];
  if (!desired) return [];
  if (template.is === "accepted") return [known(about, "The API server accepts the Deployment, or has it already.")];
  if (template.is === "refused") return [known(about, `The API server refuses the Deployment: ${template.sentence}`)];
  return [{ about, known: false, says: `Unknown: ${template.sentence}` }];
}

function podsSay({ pods, queue }: Observed): string {
  if (pods === "unknown") return "Unknown.";
  const over = pods.filter((pod) => pod.over).length;
  return `${many(pods.length, "pod")} of the pool ${queue ? poolOf(queue) : ""}${over === 0 ? "" : `, ${over} of them over`}.`;
}
