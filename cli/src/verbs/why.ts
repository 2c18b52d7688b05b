import type { Reason } from "@jobqueue/store";
import { Failure } from "../failure.ts";
import { isJobId } from "../job-id.ts";
import { printableLine } from "../output/printable.ts";
import { printResult } from "../output/result.ts";
import { findQueue, readStore } from "../queues.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import type { RunVerb } from "../verb.ts";
import { remedyOf, type Subject } from "../why-remedies.ts";

interface Answer {
  readonly subject: Subject;
  readonly reasons: readonly Reason[];
}

async function aboutQueue(source: Source, queue: string): Promise<Answer | undefined> {
  const reasons = await source.whyQueue(queue);
  return reasons[0]?.code === "unknown_queue" ? undefined : { subject: { queue }, reasons };
}

async function aboutJob(source: Source, id: string): Promise<Answer | undefined> {
  const reasons = await source.whyJob(id);
  if (reasons[0]?.code === "not_found") return undefined;
  const job = await source.getJob(id, { payloads: false });
  return job && { subject: { queue: job.queue, job: id }, reasons };
}

async function ask(source: Source, what: string): Promise<Answer> {
  const job = isJobId(what) ? await aboutJob(source, what) : undefined;
  const answer = job ?? (await aboutQueue(source, what));
  if (answer) return answer;
  if (isJobId(what)) {
    throw new Failure("notFound", `the store has no job ${what}`, {
      remedy: "Finished jobs are there only as long as their history is kept. `jobqueue jobs` lists what there is.",
    });
  }
  // Suggests the queue that was probably meant.
  findQueue(await readStore(source), what);
  throw new Failure("notFound", `the store has no queue '${what}'`);
}

/** The reasons, numbered, each with what to do about it beneath. */
function render({ subject, reasons }: Answer): string {
  return reasons
    .flatMap((reason, index) => {
      const remedy = remedyOf(reason, subject);
      const number = reasons.length === 1 ? "" : `${index + 1}. `;
      const line = `${number}${printableLine(reason.message)}`;
      return remedy === undefined ? [line] : [line, `${" ".repeat(number.length + 2)}${printableLine(remedy)}`];
    })
    .join("\n");
}

/** `jobqueue why QUEUE|ID`. */
export const run: RunVerb = async (args, terminal) => {
  const what = args.positional("WHAT");
  const answer = await withSource(args, terminal, async ({ source }) => ask(source, what));
  const { subject, reasons } = answer;
  printResult(args, terminal, {
    value: { ...subject, reasons: reasons.map((reason) => ({ ...reason, remedy: remedyOf(reason, subject) })) },
    names: reasons.map((reason) => reason.code),
    text: () => render(answer),
  });
  return 0;
};
