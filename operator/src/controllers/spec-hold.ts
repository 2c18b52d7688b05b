/**
 * The hold `spec`.
 *
 * A queue is paused while any hold is in force on it; the claim statement itself checks that, so a pause needs no operator
 * to last. `spec.state: Paused` (or `Stopped`) of a JobQueue is one such hold, named `spec`. The protocol:
 *
 * 1. *One owner.* The hold `spec` of a queue belongs to the JobQueue that manages the queue (the oldest one, see
 *    `rules/conflict.ts`). Nobody else sets or releases it; the operator touches no other hold and never writes `spec`.
 * 2. *Asserted, not called once.* Each pass compares the hold in the store with the spec and mends the difference, also when
 *    somebody removed or changed it by hand. So Git cannot be overruled for longer than a look at the store takes (5 s),
 *    and a person who wants to pause or resume beside Git uses a hold of another name.
 *    `pausedUntil` is the hold's own end: it passes by the database's clock, also while no operator runs, and the hold is
 *    not asserted again after it.
 * 3. *Before the workers.* A JobQueue that starts its life paused gets its hold before its Deployment.
 * 4. *It says whose it is.* `actor` names the JobQueue and, by the first digits of its UID, the JobStore:
 *    `jobqueue-operator:shop/mailers@1f9a2b3c`. A UID is never used twice, by no cluster.
 * 5. *Orphans.* There is no finalizer, so a JobQueue that is deleted while paused leaves its hold behind. The JobStore
 *    releases it when (a) it bears the UID of this JobStore, so it is not that of another cluster on the same database,
 *    (b) no JobQueue manages the queue, as the cache has shown for a minute (a recreation, as GitOps tools do it, passes
 *    through that state), and (c) a live read says the same. The release is audited. When (a) does not hold, for example
 *    because the JobStore too was made anew, the queue stays paused until somebody manages it or resumes it by hand:
 *    the safe side. A new JobQueue for the queue owns the hold from its first pass on, whoever set it.
 * 6. *The whole store.* `spec.state: Paused` of a JobStore is the hold `spec` on `*`, by the same rules but for ownership,
 *    see `job-store/rules/hold.ts`. It stays when the JobStore is deleted: nothing of a store is.
 */

import { timestamp } from "./conditions.ts";

/** Name and source of the hold. */
export const SPEC_HOLD = "spec";

/** The part of a spec that says whether and why and until when something is held. */
export interface PauseSpec {
  readonly state: "Active" | "Paused" | "Stopped";
  readonly pausedUntil?: string | undefined;
  readonly pauseReason?: string | undefined;
}

/** The hold that a spec asks for, as long as it has not ended; `undefined` for an active one. */
export function holdOfSpec(spec: PauseSpec): { readonly because: string; readonly until?: string } | undefined {
  if (spec.state === "Active") return undefined;
  const because = spec.pauseReason?.trim() ? spec.pauseReason : `spec.state is ${spec.state}`; // the store wants a reason
  if (spec.state === "Stopped" || spec.pausedUntil === undefined) return { because };
  return { because, until: timestamp(Date.parse(spec.pausedUntil)) };
}

/**
 * The store refuses a hold that ends in the past. The operator knows the database's clock to within a round trip, so it
 * leaves this much room, milliseconds.
 */
const CLOCK_ROOM_MS = 1_000;

/** Whether a hold's end has come, or is too near to set the hold anew. `databaseNow` in milliseconds since the epoch. */
export function hasEnded(until: string | undefined, databaseNow: number): boolean {
  return until !== undefined && Date.parse(until) <= databaseNow + CLOCK_ROOM_MS;
}

const PREFIX = "jobqueue-operator:";

/** The part of a JobStore's UID that an actor bears. */
const UID_DIGITS = 8;

/** Who an object or an audit event says acted: the operator, for this JobQueue. */
export function actorFor(jobQueue: string): string {
  return `${PREFIX}${jobQueue}`;
}

/** The actor of a hold `spec`. `jobQueue` is "namespace/name". */
export function specActor(jobQueue: string, jobStore: { readonly metadata: { readonly uid: string } }): string {
  return `${actorFor(jobQueue)}@${jobStore.metadata.uid.slice(0, UID_DIGITS)}`;
}

/** Whether the operator set a hold `spec` for this object, in this or an earlier incarnation of it. `key`: "namespace/name". */
export function isHoldOf(hold: { readonly source: string; readonly actor: string }, key: string): boolean {
  return hold.source === SPEC_HOLD && hold.actor.startsWith(`${actorFor(key)}@`);
}

/** Whether an actor is the operator, for this JobQueue on this JobStore. */
export function isHeldBy(
  actor: string,
  jobQueue: string,
  jobStore: { readonly metadata: { readonly uid: string } },
): boolean {
  return actor === specActor(jobQueue, jobStore);
}

/** The JobQueue that a hold of this JobStore says it belongs to; `undefined` when the hold is not this JobStore's. */
export function ownerOfSpecHold(
  hold: { readonly name: string; readonly source: string; readonly actor: string },
  jobStore: { readonly metadata: { readonly uid: string } },
): { readonly namespace: string; readonly name: string } | undefined {
  return hold.name === SPEC_HOLD && hold.source === SPEC_HOLD ? ownerNamed(hold.actor, jobStore) : undefined;
}

/** The JobQueue that an actor of `specActor` names; `undefined` for any other actor, and for those of another JobStore. */
export function ownerNamed(
  actor: string,
  jobStore: { readonly metadata: { readonly uid: string } },
): { readonly namespace: string; readonly name: string } | undefined {
  if (!actor.startsWith(PREFIX)) return undefined;
  const [owner, uid, ...more] = actor.slice(PREFIX.length).split("@");
  const [namespace, name, ...rest] = owner?.split("/") ?? [];
  if (!namespace || !name || more.length > 0 || rest.length > 0) return undefined;
  return uid === jobStore.metadata.uid.slice(0, UID_DIGITS) ? { namespace, name } : undefined;
}
