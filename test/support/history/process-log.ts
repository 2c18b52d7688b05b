import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import type { Call, CallOutcome, Deed, Fault, Leased, Operation } from "./history.ts";

/** A line of a log: short names, since there are many. */
export type LogLine =
  | {
      readonly e: "invoke";
      readonly t: number;
      readonly call: number;
      readonly op: Operation;
      readonly leased?: readonly Leased[];
      readonly marks?: readonly string[];
    }
  | {
      readonly e: "answer";
      readonly t: number;
      readonly call: number;
      readonly outcome: CallOutcome;
      readonly error?: string;
      readonly leased?: readonly Leased[];
      readonly lost?: readonly string[];
      readonly enqueued?: Call["enqueued"];
    }
  | {
      readonly e: "deed";
      readonly t: number;
      readonly what: Deed["what"];
      readonly job: string;
      readonly token: number;
      readonly queue: string;
    }
  | { readonly e: "fault"; readonly t: number; readonly id: string; readonly target: string; readonly to: number };

/** Now, milliseconds since 1970 with fractions; all processes of a run are on one machine, as is its database. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The append-only log of one process. A line is with the system when `write` returns, so that a process that is killed
 * leaves everything it knew.
 */
export class ProcessLog {
  readonly #file: number;
  #calls = 0;

  constructor(directory: string, process: string) {
    mkdirSync(directory, { recursive: true });
    this.#file = openSync(join(directory, `${process}.jsonl`), "a");
  }

  write(line: LogLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** Logs what is about to be asked; returns the number of the call. */
  invoke(op: Operation, details: { leased?: readonly Leased[]; marks?: readonly string[] } = {}): number {
    const call = ++this.#calls;
    this.write({ e: "invoke", t: nowMs(), call, op, ...details });
    return call;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What the logs of a directory say. */
export interface ProcessLogs {
  readonly calls: readonly Call[];
  readonly deeds: readonly Deed[];
  readonly faults: readonly Fault[];
}

/** Reads all logs of a directory. A call without an answer has an unknown outcome; a last line cut short is no line. */
export function readProcessLogs(directory: string): ProcessLogs {
  const files = readdirSync(directory).filter((file) => file.endsWith(".jsonl"));
  const logs = files.map((file) =>
    parseProcessLog(basename(file, ".jsonl"), readFileSync(join(directory, file), "utf8")),
  );
  return {
    calls: logs.flatMap(({ calls }) => calls),
    deeds: logs.flatMap(({ deeds }) => deeds),
    faults: logs.flatMap(({ faults }) => faults),
  };
}

/** The log of one process, from its text. */
export function parseProcessLog(process: string, text: string): ProcessLogs {
  const calls = new Map<number, Call>();
  const deeds: Deed[] = [];
  const faults: Fault[] = [];
  const lines = text.split("\n");
  // What follows the last line break was being written when the process ended.
  lines.pop();
  for (const line of lines) {
    const entry = JSON.parse(line) as LogLine;
    if (entry.e === "deed")
      deeds.push({ process, at: entry.t, what: entry.what, job: entry.job, token: entry.token, queue: entry.queue });
    else if (entry.e === "fault") faults.push({ id: entry.id, target: entry.target, from: entry.t, to: entry.to });
    else if (entry.e === "invoke") calls.set(entry.call, callOf(process, entry));
    else {
      const call = calls.get(entry.call);
      if (call === undefined) throw new Error(`${process} answers call ${entry.call}, which it did not make`);
      calls.set(entry.call, {
        ...call,
        endedAt: entry.t,
        outcome: entry.outcome,
        error: entry.error,
        leased: entry.leased ?? call.leased,
        lost: entry.lost ?? [],
        enqueued: entry.enqueued ?? [],
      });
    }
  }
  return { calls: [...calls.values()], deeds, faults };
}

function callOf(process: string, { t, op, leased, marks }: Extract<LogLine, { e: "invoke" }>): Call {
  return {
    process,
    operation: op,
    invokedAt: t,
    endedAt: null,
    outcome: "unknown",
    leased: leased ?? [],
    lost: [],
    marks: marks ?? [],
    enqueued: [],
  };
}

/** Appends lines for a process that is not there any more or has no log of its own, such as a fault's begin. */
export function appendLine(directory: string, process: string, line: LogLine): void {
  appendFileSync(join(directory, `${process}.jsonl`), `${JSON.stringify(line)}\n`);
}
