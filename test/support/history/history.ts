/**
 * What happened in a run, merged from two witnesses that know nothing of each other: the log of every process (what it
 * asked, what it was told, what its handlers did) and the ledger of the database (what rows became, in commit order).
 * The assertions are functions of this and of nothing else.
 */

/** State of a job as the checker knows it; its own table, so that a mistake in the store's is not shared. */
export type CheckedState =
  "pending" | "running" | "scheduled" | "failed" | "deferred" | "completed" | "cancelled" | "dead";

/** States that end a generation. */
export const TERMINAL_STATES: ReadonlySet<CheckedState> = new Set(["completed", "cancelled", "dead"]);

/** A job's row as one transaction left it. */
export interface JobRow {
  readonly state: CheckedState;
  readonly queue: string;
  readonly priority: number;
  /** Milliseconds since 1970, with fractions, as all times here. */
  readonly runAt: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly recoveries: number;
  readonly generation: number;
  /** Lease token while it runs; of a terminal row the token it ended under. */
  readonly token: number | null;
  readonly worker: string | null;
  readonly claimedAt: number | null;
  /** When it is stale although its worker lives. */
  readonly deadline: number | null;
  readonly deadReason: string | null;
  readonly uniqueKey: string | null;
  readonly concurrencyKey: string | null;
  readonly tag: string | null;
  /** Changes with every recovery; only compared. */
  readonly lastRecovery: string | null;
}

/** One change of one job by one transaction. Before is null for a new job, after for one that was deleted. */
export interface Transition {
  readonly job: string;
  /** When the transaction committed. */
  readonly at: number;
  /** Position in the ledger; for one job this is commit order. */
  readonly order: number;
  /** The transaction. */
  readonly transaction: string;
  /** When the server got the statement, and when the row was written: both before the commit. */
  readonly statementAt: number;
  readonly writtenAt: number;
  readonly before: JobRow | null;
  readonly after: JobRow | null;
}

/** A worker's row as a transaction left it. */
export interface WorkerChange {
  readonly worker: string;
  readonly at: number;
  readonly order: number;
  readonly live: boolean;
  readonly leaseUntil: number;
}

/** A hold that was placed or changed (`until` null: for as long as it stands), or taken away. */
export interface HoldChange {
  readonly queue: string;
  readonly name: string;
  readonly at: number;
  readonly order: number;
  readonly placed: boolean;
  readonly until: number | null;
}

/** What people and the operator change and answer for. */
export type Accountable = "hold" | "schedule" | "settings" | "intent" | "term";

/** What one transaction changed of that, and what it wrote of it to the audit trail. */
export interface Account {
  readonly transaction: string;
  readonly at: number;
  readonly changes: readonly { readonly of: Accountable; readonly what: string }[];
  /** The actions of its audit events. */
  readonly actions: readonly string[];
  /** Rows it changed of any kept table but the audit trail. */
  readonly touched: number;
}

/** A decision to restart a pod, as it was written before the pod was touched. */
export interface Intent {
  readonly podUid: string;
  readonly pool: string;
  readonly at: number;
  /** When it was over; null: not yet. */
  readonly closedAt: number | null;
  /** Given up before the pod was touched. */
  readonly abandoned: boolean;
  /** A person asked for it: not counted against the budget. */
  readonly asked: boolean;
  /** The term it was decided in, and the one that was the last to be taken by then; null: none. */
  readonly term?: { readonly decidedIn: number | null; readonly last: number | null };
  /** Its worker as the store had it when it was decided; absent: the store had none. */
  readonly worker?: WorkerThen;
}

/** A worker whose restart was decided. */
export interface WorkerThen {
  readonly leaseUntil: number;
  readonly heartbeatAt: number;
  /** Its slots were all taken by handlers that do not end. */
  readonly stuck: boolean;
  /** How long it had claimed nothing, milliseconds, by its own word. */
  readonly lastClaimAgeMs: number;
}

/** A pod that the operator had removed, as the API server tells. */
interface Kill {
  readonly podUid: string;
  readonly at: number;
}

/** How many restarts of a pool are allowed. */
export interface RestartBudget {
  readonly pool: string;
  readonly concurrent: number;
  readonly windowMs: number;
  readonly most: number;
  /** How long a worker must have been silent, or have claimed nothing, milliseconds; not judged when absent. */
  readonly hungAfterMs?: number;
}

/** What a run with an operator knows besides. */
export interface OperatorFacts {
  readonly kills: readonly Kill[];
  readonly budgets: readonly RestartBudget[];
  /**
   * Times in which nothing may be restarted: the store or the API server was away, or a breaker was open. Nothing may be decided
   * for longer, until it has `settled`.
   */
  readonly noRestarts: readonly {
    readonly why: string;
    readonly from: number;
    readonly to: number;
    readonly settled?: number;
  }[];
  /** Counts that were shown, and what SQL said at that instant. */
  readonly summaries: readonly {
    readonly what: string;
    readonly at: number;
    readonly shown: number;
    readonly truth: number;
  }[];
  /** What the operator wrote after it had come to rest. */
  readonly lateWrites: readonly { readonly what: string; readonly at: number }[];
  /** What was not as the spec says long after the last fault. */
  readonly unsettled: readonly { readonly what: string; readonly at: number }[];
  /** What an operator wrote while another one, or nobody, held the Lease. */
  readonly writesWithoutLease: readonly { readonly what: string; readonly at: number }[];
}

/** Operations whose calls are logged. */
export type Operation =
  | "enqueue"
  | "claim"
  | "complete"
  | "fail"
  | "snooze"
  | "return"
  | "acknowledge_cancel"
  | "hold"
  | "release"
  | "recover"
  | "retry"
  | "cancel"
  | "delete"
  | "fire";

/** What the caller learned. `unknown`: it was never told, so both are possible. */
export type CallOutcome = "ok" | "fail" | "unknown";

/** A job and the lease token a call named or returned. */
export interface Leased {
  readonly job: string;
  readonly token: number;
}

/** One call of the store by one process. */
export interface Call {
  readonly process: string;
  readonly operation: Operation;
  readonly invokedAt: number;
  readonly endedAt: number | null;
  readonly outcome: CallOutcome;
  readonly error?: string | undefined;
  /** Pairs that a finishing call sent, or that a claim returned. */
  readonly leased: readonly Leased[];
  /** Of a finishing call: jobs whose lease it was told is lost. */
  readonly lost: readonly string[];
  /** Of an enqueue: what the producer calls each job (its tag), and what it was told. */
  readonly marks: readonly string[];
  readonly enqueued: readonly { readonly job: string; readonly outcome: string }[];
}

/** What a handler did under a lease. `effect` is a row in a table of its own, stamped with the token. */
export interface Deed {
  readonly process: string;
  readonly at: number;
  readonly what: "started" | "effect" | "returned" | "threw";
  readonly job: string;
  readonly token: number;
  readonly queue: string;
}

/** A fault and how long it was applied; what happened meanwhile may be late, never wrong. */
export interface Fault {
  readonly id: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
}

/** A job as the store shows it at the end. */
export interface FinalJob {
  readonly job: string;
  readonly generation: number;
  readonly state: CheckedState;
  readonly superseded: boolean;
  readonly tag: string | null;
}

/** Limits of a queue that held for the whole run. */
export interface Limits {
  readonly queue: string;
  readonly maxRunning?: number | undefined;
  readonly maxRunningPerKey?: number | undefined;
}

/** A schedule, the instants it had to fire in the run, and those it says it skipped. */
export interface CheckedSchedule {
  readonly name: string;
  readonly ticks: readonly number[];
  readonly skipped: readonly number[];
  /** Jobs it made: for which tick, as the job says itself, and when they were there. */
  readonly fired: readonly { readonly job: string; readonly tick: number | null; readonly at: number }[];
  /** How much later than its tick a job may be there. */
  readonly latenessMs: number;
}

/** Expectations of a run that the store does not know. */
export interface Expectations {
  /** The run ended with everything done: nothing may be live any more. */
  readonly drained: boolean;
  /** Jobs of smaller place that one claim may leave behind: 0 with one worker and no faults; null when not judged. */
  readonly inversions: number | null;
  /** How long after a hold a process may start what it had claimed before (G11), milliseconds. */
  readonly startsAfterHoldMs: number;
  /** Wait after the n-th failed attempt is between these, milliseconds. */
  readonly retryWaitMs: (attempt: number) => { readonly least: number; readonly most: number };
}

/** Everything the assertions look at. */
export interface History {
  readonly transitions: readonly Transition[];
  readonly workers: readonly WorkerChange[];
  readonly holds: readonly HoldChange[];
  readonly calls: readonly Call[];
  readonly deeds: readonly Deed[];
  readonly faults: readonly Fault[];
  readonly finals: readonly FinalJob[];
  readonly limits: readonly Limits[];
  readonly schedules: readonly CheckedSchedule[];
  readonly accounts: readonly Account[];
  readonly intents: readonly Intent[];
  readonly operator: OperatorFacts;
  readonly expectations: Expectations;
}

/** The retry policy of a queue that says nothing: 1 s, doubled up to an hour, a fifth more or less. */
export function defaultRetryWaitMs(attempt: number): { readonly least: number; readonly most: number } {
  const wait = Math.min(3_600_000, 1_000 * 2 ** (Math.min(attempt, 20) - 1));
  return { least: wait * 0.8, most: wait * 1.2 };
}

/** The facts of a run without an operator. */
export const NO_OPERATOR: OperatorFacts = {
  kills: [],
  budgets: [],
  noRestarts: [],
  summaries: [],
  lateWrites: [],
  unsettled: [],
  writesWithoutLease: [],
};
