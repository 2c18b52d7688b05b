/** Handlers that say what they do: in the log of their process, and as a row in a table, stamped with their lease token. */
import { setTimeout as sleep } from "node:timers/promises";
import { Database, parseStoreUrl } from "@jobqueue/store";
import { defineHandler, type JobContext } from "@jobqueue/worker";
import type { Deed } from "../support/history/history.ts";
import { nowMs, ProcessLog } from "../support/history/process-log.ts";

/** What a job of a run is made of. */
export interface Work {
  /** How long it takes. */
  readonly ms?: number;
  /** Instead of `ms`: until when, milliseconds since 1970. */
  readonly until?: number;
  /** Attempts that throw before one returns. */
  readonly failures?: number;
}

const name = process.env["CHAOS_PROCESS"] ?? `worker-${process.pid}`;

/** The log of this process. */
export const processLog = new ProcessLog(process.env["CHAOS_DIRECTORY"] ?? ".", name);

const effects = new Database({
  connection: parseStoreUrl(process.env["DATABASE_URL"] ?? ""),
  applicationName: `${name} effects`,
  poolSize: 3,
  statementTimeoutMs: 3_000,
});

function say(what: Deed["what"], { jobId, queue, fencingToken }: JobContext): void {
  processLog.write({ e: "deed", t: nowMs(), what, job: jobId, token: Number(fencingToken), queue });
}

function telling(run: (work: Work, context: JobContext) => Promise<void> | void) {
  return async (payload: Work, context: JobContext): Promise<{ readonly process: string }> => {
    say("started", context);
    try {
      await run(payload, context);
      // A plain effect: it may happen again under another token, which the checker counts as a duplicate.
      await effects.query("insert into ledger.effects (job, token, process) values ($1, $2, $3)", [
        context.jobId,
        context.fencingToken,
        name,
      ]);
      say("effect", context);
      context.signal.throwIfAborted();
    } catch (error) {
      say("threw", context);
      throw error;
    }
    say("returned", context);
    return { process: name };
  };
}

async function work({ ms = 5 }: Work, { signal }: JobContext): Promise<void> {
  await sleep(ms, undefined, { signal });
}

function fail({ failures = 0 }: Work, { attempt }: JobContext): void {
  if (attempt <= failures) throw new Error(`attempt ${attempt} of a job that fails ${failures} times`);
}

function block({ ms = 100, until = nowMs() + ms }: Work): void {
  while (nowMs() < until);
}

export default [
  defineHandler("work", telling(work)),
  defineHandler("fail", telling(fail)),
  defineHandler("block", telling(block)),
];
