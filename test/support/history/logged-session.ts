import { Database, type Session, StoreError } from "@jobqueue/store";
import type { Call, CallOutcome, Leased, Operation } from "./history.ts";
import { nowMs, type ProcessLog } from "./process-log.ts";

/** SQL functions whose calls are logged, and the operation each is. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  enqueue: "enqueue",
  enqueue_many: "enqueue",
  claim: "claim",
  claim_batch: "claim",
  complete: "complete",
  fail: "fail",
  snooze: "snooze",
  return_unstarted: "return",
  acknowledge_cancel: "acknowledge_cancel",
  hold: "hold",
  release: "release",
  recover_stale: "recover",
  retry_job: "retry",
  cancel_job: "cancel",
  delete_job: "delete",
  fire_schedule: "fire",
};

const CALL = new RegExp(`\\."?(${Object.keys(OPERATIONS).join("|")})"?\\s*\\(`);

/** Operations whose first two arguments are ids and their lease tokens. */
const FINISHING: ReadonlySet<Operation> = new Set(["complete", "fail", "snooze", "return", "acknowledge_cancel"]);

type Query = <Row>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/**
 * Makes every `Database` of this process log its calls of the store. It is done at the one place where SQL leaves the
 * product, so that a worker under test is the product's own, unchanged.
 */
export function logEveryCall(log: ProcessLog): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with the `this` it is called for
  const query = Database.prototype.query;
  Database.prototype.query = async function logged<Row>(
    this: Database,
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return logCall<Row>(log, (text, bound) => query.call(this, text, bound) as Promise<never[]>, sql, values);
  };
}

/** A session that logs its calls of the store: for several actors in one process. */
export function loggedSession(session: Session, log: ProcessLog): Session {
  return {
    schema: session.schema,
    query: async (sql, values = []) => logCall(log, session.query.bind(session), sql, values),
    noteEnqueued: (queues) => session.noteEnqueued?.(queues),
  };
}

async function logCall<Row>(log: ProcessLog, query: Query, sql: string, values: readonly unknown[]): Promise<Row[]> {
  const operation = OPERATIONS[CALL.exec(sql)?.[1] ?? ""];
  if (operation === undefined) return query<Row>(sql, values);
  const call = log.invoke(operation, askedOf(operation, values));
  try {
    const rows = await query<Row>(sql, values);
    log.write({
      e: "answer",
      t: nowMs(),
      call,
      outcome: "ok",
      ...answerOf(operation, rows as Record<string, unknown>[]),
    });
    return rows;
  } catch (error) {
    log.write({ e: "answer", t: nowMs(), call, outcome: outcomeOf(error), error: String(error) });
    throw error;
  }
}

function askedOf(operation: Operation, values: readonly unknown[]): { leased?: Leased[]; marks?: string[] } {
  if (FINISHING.has(operation)) return { leased: pairs(values[0], values[1]) };
  if (operation === "enqueue") return { marks: marksOf(values) };
  return operation === "delete" ? { leased: [{ job: String(values[0]), token: 0 }] } : {};
}

/** What an error says about whether the statement took effect. */
export function outcomeOf(error: unknown): CallOutcome {
  if (!(error instanceof StoreError)) return "unknown";
  // Refused by the server with a code of its own: rolled back. Without one the answer was lost, or never sent.
  if (error.sqlstate === undefined)
    return error.code === "invalid_input" || error.code === "not_primary" ? "fail" : "unknown";
  return /^(08|57P)/.test(error.sqlstate) ? "unknown" : "fail";
}

function answerOf(
  operation: Operation,
  rows: readonly Record<string, unknown>[],
): { leased?: Leased[]; lost?: string[]; enqueued?: Call["enqueued"] } {
  const [first] = rows;
  // One row per job, or one row of lists.
  if (operation === "claim") {
    if (first !== undefined && "ids" in first) return { leased: claimedBatch(first) };
    return { leased: rows.map((row) => ({ job: textOf(row["id"]), token: Number(textOf(row["lease_token"])) })) };
  }
  if (operation === "enqueue") {
    if (first !== undefined && "ids" in first) return { enqueued: enqueuedBatch(first) };
    return { enqueued: rows.map((row) => ({ job: textOf(row["id"]), outcome: textOf(row["outcome"]) })) };
  }
  if (FINISHING.has(operation)) return { lost: listOf(Object.values(first ?? {})[0]) };
  return {};
}

function claimedBatch(row: Record<string, unknown>): Leased[] {
  const token = Number(textOf(row["lease_token"]));
  return listOf(row["ids"]).map((job) => ({ job, token }));
}

function enqueuedBatch(row: Record<string, unknown>): { job: string; outcome: string }[] {
  const outcomes = listOf(row["outcomes"]);
  return listOf(row["ids"]).map((job, at) => ({ job, outcome: outcomes[at] ?? "inserted" }));
}

/** A value that must be there: a log that misreads what the product sends or gets would make the checker blind. */
function textOf(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new TypeError(`logged-session.ts does not know how to read ${JSON.stringify(value)} of a call of the store`);
}

/** A list as an array, as the text of a Postgres array, or as texts with commas between; null is an empty one. */
function listOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map(textOf);
  return textOf(value)
    .replace(/^\{|\}$/g, "")
    .split(",")
    .filter((element) => element !== "");
}

function pairs(ids: unknown, tokens: unknown): Leased[] {
  const list = listOf(tokens);
  return listOf(ids).map((job, at) => ({ job, token: Number(list[at]) }));
}

/** The tags of the jobs, by which a producer knows them. */
function marksOf(values: readonly unknown[]): string[] {
  const options = Array.isArray(values[3]) ? (values[3] as unknown[]) : [values[3]];
  return options.flatMap((option) => {
    const tag = (typeof option === "string" ? (JSON.parse(option) as { tag?: string }) : {}).tag;
    return tag === undefined ? [] : [tag];
  });
}
