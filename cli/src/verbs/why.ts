import { getJob, type Reason, type Session, whyJob, whyQueue } from "@jobqueue/store";
import { withStore } from "../connect/open-store.ts";
import { Failure } from "../failure.ts";
import { isJobId } from "../job-id.ts";
import { printableLine } from "../output/printable.ts";
import { printResult } from "../output/result.ts";
import { findQueue, readStore } from "../queues.ts";
import type { RunVerb } from "../verb.ts";
import { remedyOf, type Subject } from "../why-remedies.ts";

interface Answer {
  readonly subject: Subject;
  readonly reasons: readonly Reason[];
}

async function aboutQueue(session: Session, queue: string): Promise<Answer | undefined> {
  const reasons = await whyQueue(session, queue);
  return reasons[0]?.code === "unknown_queue" ? undefined : { subject: { queue }, reasons };
}

async function aboutJob(session: Session, id: string): Promise<Answer | undefined> {
  const reasons = await whyJob(session, id);
  if (reasons[0]?.code === "not_found") return undefined;
  const job = await getJob(session, id, { payloads: false });
  return job && { subject: { queue: job.queue, job: id }, reasons };
}

async function ask(session: Session, what: string): Promise<Answer> {
  const job = isJobId(what) ? await aboutJob(session, what) : undefined;
  const answer = job ?? (await aboutQueue(session, what));
  if (answer) return answer;
  if (isJobId(what)) {
    throw new Failure("notFound", `the store has no job ${what}`, {
      remedy: "Finished jobs are there only as long as their history is kept. `jobqueue jobs` lists what there is.",
    });
  }
  // Suggests the queue that was probably meant.
  findQueue(await readStore(session), what);
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
  const answer = await withStore(args, terminal, async ({ database }) => ask(database, what));
  const { subject, reasons } = answer;
  printResult(args, terminal, {
    value: { ...subject, reasons: reasons.map((reason) => ({ ...reason, remedy: remedyOf(reason, subject) })) },
    names: reasons.map((reason) => reason.code),
    text: () => render(answer),
  });
  return 0;
};
