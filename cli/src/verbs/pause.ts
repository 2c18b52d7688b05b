import { personOf } from "../actor.ts";
import { exactDuration } from "../duration.ts";
import { usageFailure } from "../failure.ts";
import { heldThing } from "../holds.ts";
import { nearest } from "../nearest.ts";
import { printResult } from "../output/result.ts";
import { type QueueView, readStore } from "../queues.ts";
import { withSource } from "../source/open-source.ts";
import { remark } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

function unknownQueue(name: string, queues: readonly QueueView[]): string {
  const near = nearest(
    name,
    queues.map((queue) => queue.queue),
  );
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  return `The store had no queue '${name}' until now; it is paused from its first job on.${meant}`;
}

/** `jobqueue pause QUEUE`. */
export const run: RunVerb = async (args, terminal) => {
  const queue = args.positional("QUEUE");
  const reason = args.text("reason") ?? "";
  const forSeconds = args.number("for");
  if (forSeconds === 0)
    throw usageFailure("--for 0s would end at once", "Leave --for out to pause until somebody resumes.");
  if (args.text("name") === "spec") {
    throw usageFailure(
      "the hold 'spec' belongs to the JobQueue object",
      "Set its spec.state to Paused, or choose another --name.",
    );
  }
  const placed = await withSource(args, terminal, async (open) => {
    const { source } = open;
    const person = await personOf(open, terminal.env);
    const name = args.text("name") ?? person.user;
    const before = await readStore(source);
    const known = queue === "*" || before.queues.some((candidate) => candidate.queue === queue);
    // Ends by the database's clock, whatever ours says.
    const now = await source.now();
    const until = forSeconds === undefined ? undefined : new Date(now.getTime() + forSeconds * 1000);
    const changed = await source.hold({ queue, name, reason, actor: person.actor, source: "cli", until });
    const found = (await source.listHolds(queue)).find((entry) => entry.queue === queue && entry.name === name);
    const running =
      queue === "*"
        ? before.queues.reduce((sum, entry) => sum + entry.running, 0)
        : (before.queues.find((entry) => entry.queue === queue)?.running ?? 0);
    return { hold: found, name, changed, running, warning: known ? undefined : unknownQueue(queue, before.queues) };
  });
  if (placed.warning !== undefined) remark(terminal, placed.warning);
  printResult(args, terminal, {
    value: { ...placed.hold, changed: placed.changed },
    names: [placed.name],
    text: () => {
      const until = forSeconds === undefined ? "until somebody resumes it" : `for ${exactDuration(forSeconds)}`;
      const finishing =
        placed.running === 0
          ? ""
          : ` ${placed.running} ${placed.running === 1 ? "job was running and finishes" : "jobs were running and finish"}.`;
      const again = queue === "*" ? "'*'" : queue;
      return `${heldThing(queue)} is paused ${until}, by hold ${placed.name}: no worker starts another job.${finishing}\nTo go on: jobqueue resume ${again}`;
    },
  });
  return 0;
};
