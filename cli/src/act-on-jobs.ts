import type { BulkFilter, BulkOutcome, Job } from "@jobqueue/store";
import { personOf } from "./actor.ts";
import type { Arguments } from "./arguments.ts";
import { confirm } from "./confirm.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { usageFailure } from "./failure.ts";
import { describeFilter, jobChoice } from "./job-choice.ts";
import { renderJobTable } from "./job-table.ts";
import { type By, exitOf, type JobAct, type Outcome, tellOutcome } from "./job-act.ts";
import { printableLine } from "./output/printable.ts";
import { printResult } from "./output/result.ts";
import { type OpenSource, withSource } from "./source/open-source.ts";
import type { Source } from "./source/source.ts";
import { remark, type Terminal } from "./terminal.ts";
import type { RunVerb } from "./verb.ts";

/** How many jobs of a filter are shown before it is asked. */
const SAMPLE = 5;
const DEFAULT_MAX = 1000;

async function onIds(act: JobAct, ids: readonly string[], args: Arguments, terminal: Terminal): Promise<number> {
  const dryRun = args.on("dry-run");
  const outcomes = await withSource(args, terminal, async (open) => {
    const by = await byOf(open, args, terminal);
    const { source } = open;
    const told: Outcome[] = [];
    for (const id of ids) {
      const job = dryRun ? await source.getJob(id, { payloads: false }) : undefined;
      const predicted = job === undefined ? "not_found" : act.predict(job);
      told.push(tellOutcome(act, id, dryRun ? predicted : await source[act.one](id, by), dryRun));
    }
    return told;
  });
  printResult(args, terminal, {
    value: outcomes,
    names: outcomes.filter(({ done }) => done).map(({ id }) => id),
    text: () => outcomes.map(({ message }) => printableLine(message)).join("\n"),
  });
  const refused = outcomes.filter(({ done }) => !done);
  if (outcomes.length > 1 && refused.length > 0) {
    remark(terminal, `${refused.length} of ${outcomes.length} jobs were refused.`);
  }
  return exitOf(outcomes);
}

async function byOf(open: OpenSource, args: Arguments, terminal: Terminal): Promise<By> {
  const { actor } = await personOf(open, terminal.env);
  return { actor, reason: args.text("reason") ?? "by hand" };
}

function jobs(count: number): string {
  return count === 1 ? "1 job" : `${count} jobs`;
}

async function sampleOf(source: Source, ids: readonly string[]): Promise<{ sample: Job[]; now: Date }> {
  const found = await Promise.all(ids.slice(0, SAMPLE).map(async (id) => source.getJob(id, { payloads: false })));
  return { sample: found.filter((job) => job !== undefined), now: await source.now() };
}

/** What would happen, for people: a count, and some of the jobs. */
function preview(act: JobAct, seen: Preview, filter: BulkFilter, terminal: Terminal): string {
  const { matched, affected, sample, now } = seen;
  const capped = matched > affected ? ` of ${matched}` : "";
  const head = `${act.name} would act on ${affected}${capped} ${matched === 1 ? "job" : "jobs"} (${describeFilter(filter)})`;
  const some = affected > sample.length ? `, such as` : "";
  return `${printableLine(head)}${some}:\n${renderJobTable(sample, now, terminal)}`;
}

interface Preview {
  readonly matched: number;
  /** How many --max lets through. */
  readonly affected: number;
  readonly ids: readonly string[];
  readonly sample: readonly Job[];
  readonly now: Date;
}

async function onFilter(act: JobAct, filter: BulkFilter, args: Arguments, terminal: Terminal): Promise<number> {
  const max = args.number("max") ?? DEFAULT_MAX;
  const ask = !args.on("yes") && !args.on("dry-run");
  if (ask && !terminal.interactive) {
    throw usageFailure(
      `${act.name} by flags asks before it acts, and there is no terminal to ask on`,
      "Look with --dry-run, then give --yes.",
    );
  }
  const result = await withSource(args, terminal, async (open) => {
    const by = await byOf(open, args, terminal);
    const { source } = open;
    if (args.on("yes")) return source[act.many](filter, { ...by, max, dryRun: false });
    const counted = await source[act.many](filter, { ...by, max, dryRun: true });
    const affected = Math.min(counted.matched, max);
    const seen: Preview = { ...counted, affected, ...(await sampleOf(source, counted.ids)) };
    if (args.on("dry-run")) return seen;
    if (seen.affected === 0) return { ...counted, changed: 0 };
    remark(terminal, preview(act, seen, filter, terminal));
    await confirm(terminal, `Go on and ${act.name} ${jobs(seen.affected)}?`);
    return source[act.many](filter, { ...by, max, dryRun: false });
  });
  if ("sample" in result) {
    const { matched, affected, ids } = result;
    printResult(args, terminal, {
      value: { matched, changed: 0, ids, dryRun: true },
      names: ids,
      text: () => (matched === 0 ? none(act, filter) : preview(act, result, filter, terminal)),
    });
    if (matched > affected) remark(terminal, moreMatch(matched - affected));
    return 0;
  }
  return tellMany(act, result, { filter, max }, args, terminal);
}

function none(act: JobAct, filter: BulkFilter): string {
  return printableLine(`There is nothing to ${act.name} (${describeFilter(filter)}). ${act.never}`);
}

function moreMatch(count: number): string {
  return `${count} more ${count === 1 ? "matches" : "match"}: run it again, or raise --max.`;
}

function tellMany(
  act: JobAct,
  { matched, changed, ids }: BulkOutcome,
  { filter, max }: { readonly filter: BulkFilter; readonly max: number },
  args: Arguments,
  terminal: Terminal,
): number {
  const left = Math.min(matched, max) - changed;
  const more = Math.max(0, matched - max);
  printResult(args, terminal, {
    value: { matched, changed, ids, dryRun: false },
    names: ids,
    text: () => (matched === 0 ? none(act, filter) : `${act.done} ${jobs(changed)}.`),
  });
  if (left > 0) remark(terminal, `${jobs(left)} changed meanwhile, or cannot be: left alone.`);
  if (more > 0) remark(terminal, moreMatch(more));
  if (left > 0) return EXIT_CODES.refused.code;
  return more > 0 ? EXIT_CODES.moreMatch.code : EXIT_CODES.ok.code;
}

/** The verb that does this to the jobs of the command line. */
export function actOnJobs(act: JobAct): RunVerb {
  return async (args, terminal) => {
    const choice = jobChoice(args, act.name);
    return "ids" in choice ? onIds(act, choice.ids, args, terminal) : onFilter(act, choice.filter, args, terminal);
  };
}
