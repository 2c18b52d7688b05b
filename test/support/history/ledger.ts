import { quoteIdentifier, type Session } from "@jobqueue/store";
import type { CheckedState, FinalJob, HoldChange, JobRow, Transition, WorkerChange } from "./history.ts";

/** Tables whose changes are kept. */
const TABLES = [
  "jobs",
  "job_history",
  "workers",
  "holds",
  "schedules",
  "store_settings",
  "restart_intents",
  "leaders",
  "audit_events",
] as const;

/** Numbers of the states in the database. */
const STATES: Readonly<Record<number, CheckedState>> = {
  0: "pending",
  1: "running",
  2: "scheduled",
  3: "failed",
  4: "deferred",
  10: "completed",
  11: "cancelled",
  12: "dead",
};

/**
 * Makes the database keep, from now on, what becomes of every row: triggers write to a schema of their own, in the same
 * transaction as the change, so the ledger has exactly what committed. Needs `track_commit_timestamp` for exact order.
 */
export async function keepLedger(session: Session): Promise<void> {
  const store = quoteIdentifier(session.schema);
  await session.query("create schema ledger");
  await session.query(`create table ledger.changes (
    seq bigint generated always as identity primary key, xid xid8 not null default pg_current_xact_id(),
    source text not null, statement_at timestamptz not null default statement_timestamp(),
    written_at timestamptz not null default clock_timestamp(), old jsonb, new jsonb)`);
  await session.query(
    "create table ledger.effects (job bigint not null, token bigint not null, process text not null, at timestamptz not null default clock_timestamp())",
  );
  await session.query(`create function ledger.keep() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp as $$
    declare c_large constant text[] := '{payload,result,labels,errors,last_error,progress,process,ids}';
    begin
      insert into changes (source, old, new) values (tg_argv[0],
        case when tg_op <> 'INSERT' then to_jsonb(old) - c_large end, case when tg_op <> 'DELETE' then to_jsonb(new) - c_large end);
      return null;
    end $$`);
  for (const table of TABLES) {
    await session.query(`create trigger ledger after insert or update or delete on ${store}.${table}
      for each row execute function ledger.keep('${table}')`);
  }
}

/** A row of the ledger. */
export interface LedgerRow {
  readonly seq: number;
  readonly xid: string;
  readonly source: (typeof TABLES)[number];
  readonly committed_at: number;
  readonly statement_at: number;
  readonly written_at: number;
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly new: Readonly<Record<string, unknown>> | null;
}

/** Reads the ledger, in the order it was written. */
export async function readLedger(session: Session): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (;;) {
    const page = await session.query<LedgerRow>(
      `select seq::float8 as seq, xid::text as xid, source, old, new, ${milliseconds("statement_at")} as statement_at,
         ${milliseconds("written_at")} as written_at,
         ${milliseconds("coalesce(case when current_setting('track_commit_timestamp')::boolean then pg_xact_commit_timestamp(xid::xid) end, written_at)")} as committed_at
       from ledger.changes where seq > $1 order by seq limit 20000`,
      [rows.at(-1)?.seq ?? 0],
    );
    rows.push(...page);
    if (page.length < 20_000) return rows;
  }
}

/** Milliseconds with fractions: a float8 keeps microseconds of our century. */
function milliseconds(expression: string): string {
  return `extract(epoch from ${expression})::float8 * 1000`;
}

/** Every job as the tables have it now. */
export async function readFinals(session: Session): Promise<FinalJob[]> {
  const store = quoteIdentifier(session.schema);
  const rows = await session.query<{
    job: string;
    generation: number;
    state: number;
    superseded: boolean;
    tag: string | null;
  }>(
    `select id::text as job, generation, state, false as superseded, tag from ${store}.jobs
     union all select id::text, generation, state, superseded, tag from ${store}.job_history`,
  );
  return rows.map((row) => ({ ...row, state: stateOf(row.state) }));
}

/** The ledger as transitions of jobs, changes of workers and of holds. */
export function readChanges(rows: readonly LedgerRow[]): {
  readonly transitions: Transition[];
  readonly workers: WorkerChange[];
  readonly holds: HoldChange[];
} {
  return {
    transitions: transitionsOf(rows.filter(({ source }) => source === "jobs" || source === "job_history")),
    workers: rows.flatMap((row) => (row.source === "workers" && row.new ? [workerChange(row, row.new)] : [])),
    holds: rows.flatMap((row) => (row.source === "holds" ? [holdChange(row)] : [])),
  };
}

/**
 * A move between the two tables is one transition: a delete from one and an insert into the other by one transaction. A
 * row that the same transaction made and removed again was never there.
 */
function transitionsOf(rows: readonly LedgerRow[]): Transition[] {
  const transitions: Transition[] = [];
  const groups = new Map<string, LedgerRow[]>();
  for (const row of rows) {
    const key = `${row.xid}/${String((row.new ?? row.old)?.["id"])}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  for (const group of groups.values()) transitions.push(...transitionsOfOne(group));
  return transitions.sort((a, b) => a.order - b.order);
}

function transitionsOfOne(group: readonly LedgerRow[]): Transition[] {
  const left = group.filter((row) => row.source === "jobs" && row.new === null);
  const ended = group.filter((row) => row.source === "job_history" && row.old === null);
  const removed = group.filter((row) => row.source === "job_history" && row.new === null);
  const superseded = group.find(
    (row) =>
      row.source === "job_history" &&
      row.old !== null &&
      row.new !== null &&
      row.old["superseded"] !== row.new["superseded"],
  );
  const transitions: Transition[] = [];
  for (const row of group) {
    if (row.source === "jobs" && row.new !== null) {
      // A retry by a person: what was terminal is live again.
      const from = row.old ?? superseded?.old ?? removed[0]?.old ?? null;
      transitions.push(transition(row, from, row.new));
    } else if (row.source === "jobs") {
      const end = ended[left.indexOf(row)];
      transitions.push(transition(row, row.old, end?.new ?? null));
    } else if (row.old === null && ended.indexOf(row) >= left.length && removed.length === 0) {
      // A terminal row of a job that no row left for.
      transitions.push(transition(row, null, row.new));
    }
  }
  joinSteps(transitions);
  const [first] = transitions;
  const last = transitions.at(-1);
  return transitions.length > 1 && first?.before === null && last?.after === null ? [] : transitions;
}

/** A function may write a row twice before it moves it: what only prepares the next step belongs to it. */
function joinSteps(transitions: Transition[]): void {
  for (let at = transitions.length - 2; at >= 0; at--) {
    const [step, next] = [transitions[at], transitions[at + 1]];
    if (!step?.before || !step.after || next === undefined) continue;
    const prepares = step.before.state === step.after.state && step.before.token === step.after.token;
    if (prepares) transitions.splice(at, 2, { ...next, before: step.before });
  }
}

type Row = LedgerRow["new"];

function transition(row: LedgerRow, before: Row, after: Row): Transition {
  return {
    job: String((before ?? after)?.["id"]),
    at: row.committed_at,
    order: row.seq,
    transaction: row.xid,
    statementAt: row.statement_at,
    writtenAt: row.written_at,
    before: jobRow(before),
    after: jobRow(after),
  };
}

function jobRow(row: Row): JobRow | null {
  if (row === null) return null;
  return {
    state: stateOf(Number(row["state"])),
    queue: String(row["queue"]),
    priority: Number(row["priority"]),
    runAt: instant(row["run_at"]) ?? 0,
    attempt: Number(row["attempt"]),
    maxAttempts: Number(row["max_attempts"]),
    recoveries: Number(row["recoveries"]),
    generation: Number(row["generation"] ?? 1),
    token: numberOf(row["lease_token"]),
    worker: textOf(row["worker_id"]),
    claimedAt: instant(row["claimed_at"]),
    deadline: instant(row["deadline"]),
    deadReason: textOf(row["dead_reason"]),
    uniqueKey: textOf(row["unique_key"]),
    // The store's mark for "none, where keys take turns".
    concurrencyKey: textOf(row["concurrency_key"]) || null,
    tag: textOf(row["tag"]),
    lastRecovery: row["last_recovery"] ? JSON.stringify(row["last_recovery"]) : null,
  };
}

function workerChange(row: LedgerRow, worker: Readonly<Record<string, unknown>>): WorkerChange {
  return {
    worker: String(worker["id"]),
    at: row.committed_at,
    order: row.seq,
    live: worker["state"] === "active" || worker["state"] === "draining",
    leaseUntil: instant(worker["lease_until"]) ?? 0,
  };
}

function holdChange(row: LedgerRow): HoldChange {
  const hold = row.new ?? row.old ?? {};
  return {
    queue: String(hold["queue"]),
    name: String(hold["name"]),
    at: row.committed_at,
    order: row.seq,
    placed: row.new !== null,
    until: instant(hold["until"]),
  };
}

function stateOf(stored: number): CheckedState {
  const state = STATES[stored];
  if (state === undefined) throw new Error(`the store has a state ${stored}`);
  return state;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** An instant of a row, milliseconds. Postgres writes them into jsonb with microseconds; `Date` would cut them. */
export function instant(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const [, whole = "", fraction = "", zone = ""] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(value) ?? [];
  return Date.parse(`${whole}${zone}`) + Number(`0.${fraction || "0"}`) * 1000;
}
