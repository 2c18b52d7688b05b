import type { Hold } from "@jobqueue/store";
import { formatDuration } from "./duration.ts";

/** Source and name of the hold that a JobQueue's `spec.state` asserts (operator, controllers/spec-hold.ts). */
const SPEC = "spec";

/** Whether a hold belongs to a JobQueue object rather than to a person. */
export function isSpecHold(hold: Hold): boolean {
  return hold.name === SPEC && hold.source === SPEC;
}

/** The JobQueue that a hold `spec` belongs to; its actor reads `jobqueue-operator:NAMESPACE/NAME@UID`. */
export function jobQueueOf(hold: Hold): { readonly namespace: string; readonly name: string } | undefined {
  const match = isSpecHold(hold) ? /^jobqueue-operator:([^/@\s]+)\/([^/@\s]+)@/.exec(hold.actor) : null;
  const [, namespace, name] = match ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** What a hold is on, at the beginning of a sentence. */
export function heldThing(queue: string): string {
  return queue === "*" ? "Every queue" : `Queue ${queue}`;
}

/** Who holds, in a few words: `ana@laptop`, or `JobQueue shop/mailers`. */
function holderOf(hold: Hold): string {
  const jobQueue = jobQueueOf(hold);
  return jobQueue ? `JobQueue ${jobQueue.namespace}/${jobQueue.name}` : hold.actor;
}

/** A hold on one line: who, why, since when, until when. Times are ages as of the database's `now`. */
export function describeHold(hold: Hold, now: Date): string {
  const since = `for ${formatDuration((now.getTime() - hold.since.getTime()) / 1000)}`;
  const ends = hold.until === null ? "" : `, ends in ${formatDuration((hold.until.getTime() - now.getTime()) / 1000)}`;
  const name = isSpecHold(hold) || hold.actor.startsWith(`${hold.name}@`) ? "" : ` (${hold.name})`;
  return `${holderOf(hold)}${name}: ${hold.reason || "no reason given"} (${since}${ends})`;
}

/** What to do so that a hold ends, as a sentence. */
export function remedyFor(hold: Hold): string {
  const jobQueue = jobQueueOf(hold);
  if (jobQueue) {
    return `Set spec.state of JobQueue ${jobQueue.name} to Active where its manifest is kept, or: kubectl -n ${jobQueue.namespace} patch jobqueue ${jobQueue.name} --type merge -p '{"spec":{"state":"Active"}}'`;
  }
  if (isSpecHold(hold)) {
    return `If no JobQueue manages this queue any more: jobqueue resume ${hold.queue} --name spec`;
  }
  return `jobqueue resume ${hold.queue === "*" ? "'*'" : hold.queue}${hold.queue === "*" ? "" : ` --name ${hold.name}`}`;
}
