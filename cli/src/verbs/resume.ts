import type { Hold } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { describeHold, heldThing, isSpecHold, remedyFor } from "../holds.ts";
import { printableLine } from "../output/printable.ts";
import { printResult } from "../output/result.ts";
import { findQueue, readStore } from "../queues.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import type { RunVerb } from "../verb.ts";

interface Outcome {
  readonly released: readonly Hold[];
  /** What keeps the queue paused all the same. */
  readonly remaining: readonly Hold[];
  readonly now: Date;
  /** Queues with holds of their own, when `*` was resumed. */
  readonly heldByThemselves: readonly string[];
}

/** The holds to release: the one that is named, else all but the one of the JobQueue object. */
export function chooseHolds(holds: readonly Hold[], queue: string, name: string | undefined): readonly Hold[] {
  const own = holds.filter((hold) => hold.queue === queue);
  if (name === undefined) return own.filter((hold) => !isSpecHold(hold));
  const named = own.filter((hold) => hold.name === name);
  if (named.length > 0) return named;
  const others = own.map((hold) => hold.name).join(", ");
  throw new Failure("notFound", `nothing named '${name}' holds ${queue === "*" ? "'*'" : `queue ${queue}`}`, {
    remedy: own.length === 0 ? "Nothing else holds it either." : `It is held by: ${others}.`,
  });
}

async function resume(
  source: Source,
  queue: string,
  options: { name: string | undefined; reason: string; actor: string },
): Promise<Outcome> {
  const before = await readStore(source);
  const holds = queue === "*" ? before.everyQueue : findQueue(before, queue).holds;
  const released: Hold[] = [];
  for (const hold of chooseHolds(holds, queue, options.name)) {
    const { actor, reason } = options;
    if (await source.release({ queue, name: hold.name, actor, reason })) released.push(hold);
  }
  const after = await readStore(source);
  const remaining =
    queue === "*" ? after.everyQueue : (after.queues.find((entry) => entry.queue === queue)?.holds ?? []);
  const heldByThemselves = after.queues
    .filter((entry) => entry.holds.some((hold) => hold.queue !== "*"))
    .map((entry) => entry.queue);
  return { released, remaining, now: after.now, heldByThemselves: queue === "*" ? heldByThemselves : [] };
}

function tell(queue: string, { released, remaining, now, heldByThemselves }: Outcome): string {
  const name = heldThing(queue);
  const lines = released.map((hold) => `Released ${printableLine(describeHold(hold, now))}`);
  if (remaining.length > 0) {
    lines.push(`${name} is still paused by:`);
    for (const hold of remaining)
      lines.push(`  ${printableLine(describeHold(hold, now))}`, `    ${printableLine(remedyFor(hold))}`);
  } else if (released.length === 0) {
    lines.push(queue === "*" ? "Nothing holds '*'." : `${name} is not paused.`);
  } else {
    lines.push(queue === "*" ? "Nothing holds '*' any more." : `${name} is active: workers start its jobs again.`);
  }
  if (released.some(isSpecHold)) {
    lines.push("Should a JobQueue still say Paused, the operator puts that hold back within seconds.");
  }
  if (heldByThemselves.length > 0) lines.push(`Still paused by holds of their own: ${heldByThemselves.join(", ")}.`);
  return lines.join("\n");
}

/** `jobqueue resume QUEUE`. */
export const run: RunVerb = async (args, terminal) => {
  const queue = args.positional("QUEUE");
  const outcome = await withSource(args, terminal, async (open) => {
    const { actor } = await personOf(open, terminal.env);
    return resume(open.source, queue, {
      name: args.text("name"),
      reason: args.text("reason") ?? "resumed by hand",
      actor,
    });
  });
  printResult(args, terminal, {
    value: { queue, paused: outcome.remaining.length > 0, released: outcome.released, remaining: outcome.remaining },
    names: outcome.released.map((hold) => hold.name),
    text: () => tell(queue, outcome),
  });
  return outcome.remaining.length > 0 ? EXIT_CODES.stillPaused.code : 0;
};
