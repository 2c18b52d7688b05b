import { readFile } from "node:fs/promises";
import { text as readText } from "node:stream/consumers";
import type { NewJob } from "@jobqueue/store";
import { usageFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Most jobs, and roughly most bytes of payload, that one statement, or one request to the admin API (2 MiB), carries. */
export const BATCH_JOBS = 500;
const BATCH_BYTES = 512 * 1024;

/** Text of the payload as given: the value itself, `@FILE`, or `-` for standard input. */
export async function payloadText(given: string, terminal: Pick<Terminal, "stdin">): Promise<string> {
  if (given === "-") return readText(terminal.stdin);
  if (!given.startsWith("@")) return given;
  const file = given.slice(1);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw usageFailure(`the file of --payload cannot be read: ${(cause as Error).message}`);
  }
}

/** The value of a payload, or a failure that shows where the text stops being JSON. */
export function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const remedy = /^[\w.-]+$/.test(text.trim())
      ? `A string needs its own quotes: --payload '"${text.trim()}"'. A file is given as @${text.trim()}.`
      : `In a shell, put it into single quotes: --payload '{"to": "ana"}'.`;
    throw usageFailure(`--payload is not JSON: ${(cause as Error).message}`, remedy);
  }
}

/** What one command line asks to be enqueued. */
export interface EnqueuePlan {
  /** All that jobs have in common. */
  readonly template: Omit<NewJob, "payload" | "uniqueKey">;
  /** Text of the payload; `undefined` leaves it to the store. */
  readonly payload: string | undefined;
  readonly uniqueKey: string | undefined;
  /** How many jobs; `undefined` is one in which `{i}` means nothing. */
  readonly count: number | undefined;
}

/** The jobs of a plan, in batches for one statement each. With a count, `{i}` becomes the number of the job. */
export function* batches(plan: EnqueuePlan): Generator<NewJob[], void> {
  const { template, payload, uniqueKey, count } = plan;
  const numbered = count !== undefined;
  const same =
    payload === undefined || (numbered && payload.includes("{i}")) ? undefined : { value: parsePayload(payload) };
  const bytes = Math.max(1, payload?.length ?? 0);
  const size = Math.max(1, Math.min(BATCH_JOBS, Math.floor(BATCH_BYTES / bytes)));
  let batch: NewJob[] = [];
  for (let number = 1; number <= (count ?? 1); number += 1) {
    const fill = (text: string): string => (numbered ? text.replaceAll("{i}", String(number)) : text);
    const own = payload === undefined ? {} : { payload: same ? same.value : parsePayload(fill(payload)) };
    batch.push({ ...template, ...own, ...(uniqueKey === undefined ? {} : { uniqueKey: fill(uniqueKey) }) });
    if (batch.length < size && number < (count ?? 1)) continue;
    yield batch;
    batch = [];
  }
}
