import type { Account, Accountable, Intent, WorkerThen } from "./history.ts";
import { instant, type LedgerRow } from "./ledger.ts";

type Row = LedgerRow["new"];

/** Columns that programs move on without anybody answering for it: a tick that fired, a canary that beat. */
const MOVED_ON = new Set(["next_at", "last_tick", "last_tick_at", "canary_at", "updated_at"]);

const ACCOUNTABLE: Partial<Record<LedgerRow["source"], Accountable>> = {
  holds: "hold",
  schedules: "schedule",
  store_settings: "settings",
  restart_intents: "intent",
  leaders: "term",
};

/** What each transaction changed that somebody answers for, and what of it stands in the audit trail. */
export function readAccounts(rows: readonly LedgerRow[]): Account[] {
  const transactions = new Map<string, LedgerRow[]>();
  for (const row of rows) transactions.set(row.xid, [...(transactions.get(row.xid) ?? []), row]);
  return [...transactions].flatMap(([transaction, group]) => {
    const changes = group.flatMap((row) => {
      const of = ACCOUNTABLE[row.source];
      return of !== undefined && isChange(row) ? [{ of, what: nameOf(row.new ?? row.old) }] : [];
    });
    const events = group.filter(({ source }) => source === "audit_events");
    const touched = group.length - events.length;
    const actions = events.flatMap(({ new: event }) => (event === null ? [] : [String(event["action"])]));
    if (changes.length === 0 && actions.length === 0) return [];
    return [{ transaction, at: group[0]?.committed_at ?? 0, changes, actions, touched }];
  });
}

function isChange({ source, old, new: row, committed_at }: LedgerRow): boolean {
  // A hold that has ended is tidied away by whoever comes by.
  const until = row === null ? instant(old?.["until"]) : null;
  if (source === "holds" && until !== null && until <= committed_at) return false;
  // A term begins as a row without one.
  if (source === "leaders" && old === null) return false;
  return old === null || row === null || JSON.stringify(lasting(old)) !== JSON.stringify(lasting(row));
}

function lasting(row: NonNullable<Row>): unknown {
  return Object.entries(row).filter(([column]) => !MOVED_ON.has(column));
}

function nameOf(row: Row): string {
  return ["queue", "name", "scope", "pod_uid", "state"]
    .filter((column) => typeof row?.[column] === "string")
    .map((column) => String(row?.[column]))
    .join("/");
}

/** Every intent to restart a pod, as it was in the end. */
export function readIntents(rows: readonly LedgerRow[]): Intent[] {
  const intents = new Map<string, Intent>();
  const workers = new Map<string, WorkerThen>();
  let last: number | null = null;
  for (const { source, new: row, committed_at: at } of rows) {
    if (row === null) continue;
    if (source === "workers") workers.set(String(row["id"]), workerThen(row));
    if (source === "leaders") last = Number(row["term"]);
    if (source !== "restart_intents") continue;
    const podUid = String(row["pod_uid"]);
    const known = intents.get(podUid);
    const opened = row["state"] === "open" || known === undefined;
    const worker = opened ? workers.get(String(row["worker_id"])) : known.worker;
    intents.set(podUid, {
      podUid,
      pool: String(row["pool"]),
      // One that was given up and decided anew counts from then.
      at: opened ? at : known.at,
      closedAt: instant(row["closed_at"]),
      abandoned: row["state"] === "abandoned",
      asked: row["asked"] === true,
      term: (opened ? undefined : known.term) ?? { decidedIn: row["term"] === null ? null : Number(row["term"]), last },
      ...(worker && { worker }),
    });
  }
  return [...intents.values()];
}

function workerThen(row: NonNullable<Row>): WorkerThen {
  return {
    leaseUntil: instant(row["lease_until"]) ?? 0,
    heartbeatAt: instant(row["heartbeat_at"]) ?? 0,
    stuck: Number(row["slots_stuck"] ?? 0) >= Number(row["concurrency"] ?? 1),
    lastClaimAgeMs: Number(row["last_claim_age_ms"] ?? 0),
  };
}
