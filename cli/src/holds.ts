import type { Hold } from "@jobqueue/store";
import { formatDuration } from "./duration.ts";

/** Source and name of the hold that `spec.state` of a JobQueue or a JobStore asserts (operator, controllers/spec-hold.ts). */
const SPEC = "spec";

/** Whether a hold belongs to an object of the cluster rather than to a person. */
export function isSpecHold(hold: Hold): boolean {
  return hold.name === SPEC && hold.source === SPEC;
}

/** An object of the cluster whose `spec.state` holds. */
interface Owner {
  readonly kind: "JobQueue" | "JobStore";
  readonly namespace: string;
  readonly name: string;
}

/** The object that a hold `spec` belongs to; its actor reads `jobqueue-operator:NAMESPACE/NAME@UID`. */
export function ownerOf(hold: Hold): Owner | undefined {
  const match = isSpecHold(hold) ? /^jobqueue-operator:([^/@\s]+)\/([^/@\s]+)@/.exec(hold.actor) : null;
  const [, namespace, name] = match ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  return { kind: hold.queue === "*" ? "JobStore" : "JobQueue", namespace, name };
}

/** What a hold is on, at the beginning of a sentence. */
export function heldThing(queue: string): string {
  return queue === "*" ? "Every queue" : `Queue ${queue}`;
}

/** Who holds, in a few words: `ana@laptop`, `JobQueue shop/mailers`, `JobStore shop/default`. */
function holderOf(hold: Hold): string {
  const owner = ownerOf(hold);
  return owner ? `${owner.kind} ${owner.namespace}/${owner.name}` : hold.actor;
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
  const owner = ownerOf(hold);
  if (owner) {
    return `Set spec.state of ${owner.kind} ${owner.name} to Active where its manifest is kept, or: kubectl -n ${owner.namespace} patch ${owner.kind.toLowerCase()} ${owner.name} --type merge -p '{"spec":{"state":"Active"}}'`;
  }
  if (isSpecHold(hold)) {
    const what = hold.queue === "*" ? "no JobStore manages this store" : "no JobQueue manages this queue";
    return `If ${what} any more: jobqueue resume ${hold.queue === "*" ? "'*'" : hold.queue} --name spec`;
  }
  return `jobqueue resume ${hold.queue === "*" ? "'*'" : hold.queue}${hold.queue === "*" ? "" : ` --name ${hold.name}`}`;
}
