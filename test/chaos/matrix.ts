/**
 * The fault matrix: every fault the product was made for, as data. A test holds every row to a test that exists or to a
 * reason, and docs/reference/fault-matrix.md is made from it. The faults that chaos applies at random carry the same ids.
 */
import { ADMIN_ROWS } from "./admin-rows.ts";
import { GOVERNOR_ROWS } from "./governor-rows.ts";
import { KUBERNETES_ROWS } from "./kubernetes-rows.ts";
import { type MatrixRow, notShown, shown } from "./matrix-row.ts";
import { NODE_ROWS } from "./node-rows.ts";
import { OPERATOR_ROWS } from "./operator-rows.ts";

const CRASH = "worker/src/crash.worker.test.ts";
const HUNG = "worker/src/hung.worker.test.ts";
const DRAIN = "worker/src/drain.worker.test.ts";
const OUTAGE = "worker/src/outage.worker.test.ts";
const LEASE = "store/src/jobs/lease.store.test.ts";
const ACTS = "store/src/jobs/act-on-job.store.test.ts";
const RECOVERY = "store/src/jobs/recover-stale.store.test.ts";
const WORKERS = "store/src/workers/workers.store.test.ts";
const MIGRATE = "store/src/migrations/migrate.store.test.ts";
const FAULTS = "store/src/faults";

const WORKER_ROWS: readonly MatrixRow[] = [
  shown(
    "W1",
    "worker killed in the middle of a handler",
    "runs again within lease, sweep interval and 5 s; new token; one loss counted",
    { [CRASH]: ["G8, W1:"] },
  ),
  shown(
    "W2",
    "worker stopped past its lease, going on after another claimed",
    "nothing it says changes the job; its handler is aborted; one terminal state",
    { [CRASH]: ["G5, W2:", "W2: a worker stopped for longer"] },
  ),
  shown("W3", "as W2, but it goes on before anybody recovered", "its completion is taken, nothing runs twice", {
    [CRASH]: ["W3:"],
    [LEASE]: ["W3:"],
  }),
  shown("W4", "as W2, and a person's retry sets the attempts back in between", "still refused: attempts are no fence", {
    [CRASH]: ["G5, W4:"],
    [LEASE]: ["W4:"],
    [ACTS]: ["W4, G5:"],
  }),
  shown("W5", "the same worker claims again what it lost", "the old attempt is refused, the new one is fine", {
    [CRASH]: ["G5, W5:"],
    [LEASE]: ["W5:"],
  }),
  shown(
    "W6",
    "event loop blocked, shortly, past its budget, for ever",
    "shortly: nothing lost; past the budget: the lease is; for ever: the process ends itself and says why",
    {
      [HUNG]: [
        "W6: a handler that blocks the event loop",
        "W6: a loop blocked past its budget",
        "W6: a handler that blocks for longer",
        "W6: a handler that blocks for ever",
      ],
      [WORKERS]: ["W6:"],
    },
  ),
  shown(
    "W7",
    "a handler that waits for ever while the loop turns",
    "aborted at its timeout; its slot counts as stuck, others go on; all stuck: the process ends itself",
    { [HUNG]: ["W7: a handler that ignores", "W7: a worker whose slots"] },
  ),
  shown("W8", "a handler that does not hear its abort", "its result counts for nothing, its slot is accounted for", {
    [HUNG]: ["W8:"],
  }),
  shown("W9", "the watchdog thread dies", "the main loop notices and the process ends", { [HUNG]: ["W9:"] }),
  shown("W10", "the claim loop stands still, the heart beats", "not healthy: the process ends itself", {
    [HUNG]: ["W10:"],
  }),
  shown(
    "W11",
    "SIGTERM, a drain that takes too long, a second SIGTERM",
    "no new claims, leases kept, what is left is given back and not failed",
    { [DRAIN]: ["G9, W11:", "W11: is not ready", "W11: aborts at once", "W11: keeps its lease"] },
  ),
  shown(
    "W12",
    "a payload that bursts the heap of every worker",
    "dead as poison after the third loss, and it alone: what ran or waited beside it is completed",
    { [CRASH]: ["W12, G9:"] },
  ),
  shown(
    "W13",
    "a rejection or exception that nobody caught",
    "logged with its job, or the process ends and gives back what it held",
    { [HUNG]: ["W13: a promise", "W13: an exception"] },
  ),
  shown(
    "W14",
    "two processes with one identity (cloned machine, copied environment)",
    "two workers: no lease is shared",
    { [CRASH]: ["W14:"], [WORKERS]: ["W14: of the same container", "W14: without a pod"] },
  ),
  shown("W15", "a worker whose clock is wrong by an hour or steps back", "nothing: only the database's clock decides", {
    "worker/src/clock.worker.test.ts": ["W15:"],
    "store/src/jobs/claim.store.test.ts": ["W15:"],
  }),
  shown("W16", "asked to stop while the database is down", "ends by its deadline; leases lapse", { [DRAIN]: ["W16:"] }),
  shown(
    "W17",
    "an old worker on a newer schema, and the reverse",
    "refused in words, or works; never corrupts",
    { [MIGRATE]: ["P15: a store that is newer"] },
    "There is no earlier release to run yet: the release that follows the first one runs the first one's worker against its schema.",
  ),
];

const TIME_ROWS: readonly MatrixRow[] = [
  shown(
    "T1",
    "the database's clock jumps ten minutes, ahead or back",
    "ahead: leases are over once, jobs handed on, holders fenced; back: no lease outlives its length and the jump",
    { [`${FAULTS}/clock.store.test.ts`]: ["T1: ten minutes ahead", "T1: ten minutes back"] },
  ),
  shown(
    "T2",
    "the database is set back to an older copy",
    "what ran then is recovered and runs again; tokens of recovered leases are refused",
    { [`${FAULTS}/clock.store.test.ts`]: ["T2:"] },
    "Lease tokens that were given out after the copy was taken may be given out again: stop all workers before a restore.",
  ),
  shown("T3", "several recover at once", "each job moves once", { [RECOVERY]: ["T3:"] }),
  shown(
    "T4",
    "100,000 running jobs that may not be recovered before one that may",
    "it is recovered at once, they are not walked over",
    { [RECOVERY]: ["T4, G3:"] },
  ),
];

const POSTGRES_ROWS: readonly MatrixRow[] = [
  shown("P1", "server restarted under load, fast and immediate", "pools recover, nothing lost, no process ends", {
    [OUTAGE]: ["P1:"],
    "store/src/restart.store.test.ts": ["P1: PostgreSQL %i crashes"],
  }),
  shown(
    "P2",
    "outage of a second to a night",
    "workers stay up; what runs finishes or runs again; no restarts",
    { [OUTAGE]: ["P2, G9:"] },
    "Tested for longer than a lease, after which time adds nothing but more tries with the same capped backoff; the 30 minutes and the night are left to `make chaos` and to operation.",
  ),
  shown("P3", "half-open connection", "found out within the time limit, closed, never reused", {
    "store/src/connection/database.store.test.ts": ["P3:"],
  }),
  shown(
    "P4",
    "committed, and the reply lost: of claim, complete, fail, enqueue",
    "a repetition counts as done; orphans of a claim are given back; a key makes an enqueue repeatable",
    {
      [`${FAULTS}/reply-lost.store.test.ts`]: ["P4:"],
      [OUTAGE]: ["P4: jobs of a claim", "P4, G9:"],
      "worker/src/claim/lease-ledger.test.ts": ["P4: is also which it knows"],
      "store/src/jobs/attempt.store.test.ts": ["P4:"],
    },
  ),
  shown("P5", "sessions terminated five times a second", "all work is done, each job once", {
    [`${FAULTS}/killed-sessions.store.test.ts`]: ["P5:"],
  }),
  shown("P6", "too many connections", "told to wait; what stands goes on, heartbeats among it", {
    [`${FAULTS}/connections.store.test.ts`]: ["P6:"],
  }),
  shown(
    "P7",
    "failover; the old primary comes back read-only",
    "refused on every new connection until the name leads to the new primary; leases hold there",
    { [`${FAULTS}/failover.store.test.ts`]: ["P7: after a failover", "P7: a connection that stood"] },
  ),
  notShown(
    "P8",
    "split brain: the old primary still takes writes",
    "out of the guarantees",
    "The promises hold for commits that survive on one primary; that there is one is the task of whoever fails over. Each side alone stays consistent, as P7 shows.",
  ),
  shown(
    "P9",
    "serialization failure, deadlock, lock not available, statement cancelled",
    "rolled back, told as such, connection kept, repeatable",
    { [`${FAULTS}/conflicts.store.test.ts`]: ["P9:"] },
  ),
  shown(
    "P10",
    "a transaction stands idle for an hour",
    "claims stay within five times their time, the backlog drains",
    { [`${FAULTS}/pinned-snapshot.store.test.ts`]: ["P10, P11:"] },
    "Tested with the dead rows of a short drain; the hour at 500 jobs a second is benchmark B5.",
  ),
  shown("P11", "readers whose snapshots overlap", "as P10", {
    [`${FAULTS}/pinned-snapshot.store.test.ts`]: ["P10, P11:"],
  }),
  shown(
    "P12",
    "disk full, then freed",
    "refused whole, in words; goes on without a restart",
    { [`${FAULTS}/disk-full.store.test.ts`]: ["P12:"] },
    "When the disk of the write-ahead log is full the server itself stops: that is P2.",
  ),
  shown(
    "P13",
    "autovacuum off or starved, wraparound near",
    "a condition before it collapses",
    {
      "store/src/maintenance/vacuum-facts.store.test.ts": ["P13:"],
      "store/src/maintenance/vacuum-troubles.test.ts": ["P13:"],
      "operator/src/controllers/job-store/decide.test.ts": ["P13:"],
      "operator/src/acceptance/stores.api.test.ts": ["P13:"],
      "cli/src/doctor/doctor.worker.test.ts": ["P13:"],
    },
    "Condition Vacuumed of the JobStore. Off and transaction ids: made on real servers, the ids with autovacuum_freeze_max_age at its least. Starved: the dead rows are made and counted on real servers, half an hour and half a million of them are given to the rule, as are multixact ids.",
  ),
  shown("P14", "an index build that was cut short leaves junk", "cannot happen by us", {
    [`${FAULTS}/migration-killed.store.test.ts`]: ["P14:"],
  }),
  shown(
    "P15",
    "migration killed at each statement; two migrators; newer schema",
    "whole steps, no lock left, goes on; steps applied once; refused in words",
    {
      [`${FAULTS}/migration-killed.store.test.ts`]: ["P15:"],
      [MIGRATE]: ["P15: two migrators", "P15: a store that is newer"],
    },
  ),
  shown("P16", "the listening connection is dead without a word", "found out by a probe; polling covers", {
    "store/src/connection/queue-hints.store.test.ts": ["P16:"],
  }),
  shown("P17", "forged and very many notifications", "no effect but a look; commits of enqueues never wait for them", {
    [`${FAULTS}/forged-hints.store.test.ts`]: ["P17:"],
  }),
  shown("P18", "password changed, right taken away", "refused in words; goes on when mended, without a restart", {
    [`${FAULTS}/access-lost.store.test.ts`]: ["P18:"],
  }),
  shown("P19", "synchronous standby gone, commits hang", "time limits fire, no pool deadlocks, nothing done twice", {
    [`${FAULTS}/synchronous-standby.store.test.ts`]: ["P19:"],
  }),
];

const POOLER_ROWS: readonly MatrixRow[] = [
  shown("B1", "PgBouncer in transaction mode", "everything works; a deaf listener says so", {
    [`${FAULTS}/pooler.store.test.ts`]: ["B1:"],
  }),
  shown("B2", "pooler restarted, paused, full, its server side ended", "as P3 and P6", {
    [`${FAULTS}/pooler.store.test.ts`]: ["B2:"],
  }),
  shown("B3", "prepared statements across servers", "none is named", { [`${FAULTS}/pooler.store.test.ts`]: ["B3:"] }),
];

/** Every row, in the order of the families. */
export const FAULT_MATRIX: readonly MatrixRow[] = [
  ...WORKER_ROWS,
  ...TIME_ROWS,
  ...POSTGRES_ROWS,
  ...POOLER_ROWS,
  ...KUBERNETES_ROWS,
  ...OPERATOR_ROWS,
  ...NODE_ROWS,
  ...GOVERNOR_ROWS,
  ...ADMIN_ROWS,
];

/** What the families are about. */
export const FAULT_FAMILIES: Readonly<Record<string, string>> = {
  W: "Worker",
  T: "Time and recovery",
  P: "Postgres",
  B: "Pooler",
  K: "Kubernetes API",
  O: "Operator",
  N: "Nodes and kubelets",
  R: "Restart budget",
  D: "Admin API and dashboard",
};
