/**
 * The fault matrix: every fault the product was made for, as data. A test holds every row to a test that exists or to a
 * reason, and docs/reference/fault-matrix.md is made from it. The faults that chaos applies at random carry the same ids.
 */
import { type MatrixRow, notShown, shown } from "./matrix-row.ts";

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

const OPERATOR = "issue 5: the operator, on a real API server";
const ADMIN = "issue 6: the admin API and dashboard";

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
  notShown(
    "P13",
    "autovacuum off or starved, wraparound near",
    "a condition before it collapses",
    `${OPERATOR}: a condition of the JobQueue.`,
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

const LATER: readonly MatrixRow[] = [
  notShown(
    "K1",
    "API server down for ten minutes",
    "workers unaffected; no kills on return until caches are synced",
    OPERATOR,
  ),
  notShown("K2", "storms of 409, 429 with Retry-After, 5xx", "honoured; backoff per key", OPERATOR),
  notShown("K3", "watch silently stalled", "restarted within twice its interval", OPERATOR),
  notShown("K4", "410; events dropped, doubled, reordered, cut", "converges", OPERATOR),
  notShown("K5", "time travel to a stale API server", "no destructive act", OPERATOR),
  notShown("K6", "applied, and the reply dropped", "no duplicates", OPERATOR),
  notShown("K7", "RBAC removed, token expired", "a condition, no busy loop", OPERATOR),
  notShown("K8", "CRD missing or of another version", "clear failure, retry", OPERATOR),
  notShown(
    "K9",
    "namespace terminating, quota exceeded, pods refused",
    "in the status, with the server's words",
    OPERATOR,
  ),
  notShown("K10", "restart in the middle of a paged list", "no part taken for the whole", OPERATOR),
  notShown(
    "K11",
    "somebody deletes or edits the Deployment",
    "restored or reported; nothing foreign adopted",
    OPERATOR,
  ),
  notShown("K12", "an autoscaler owns the replicas", "left alone", OPERATOR),
  notShown("O1", "operator killed at each write", "end state as without the kill", OPERATOR),
  notShown("O2", "leader paused past its lease", "refused; at most one kill per pod", OPERATOR),
  notShown("O3", "both replicas lose the Lease", "no kills without a valid term", OPERATOR),
  notShown("O4", "failover between eviction and recovery", "finished once", OPERATOR),
  notShown("O5", "database credentials bad, Kubernetes good", "conditions served, no kills", OPERATOR),
  notShown("O6", "one of ten databases hangs", "the others on time", OPERATOR),
  notShown("O7", "one JobQueue always fails", "only it backs off", OPERATOR),
  notShown("O8", "20,000 foreign pods and Secrets", "memory flat", OPERATOR),
  notShown("N1", "node partitioned, process alive", "replaced; fenced; not deleted by force", OPERATOR),
  notShown("N2", "kubelet down, deletion never confirmed", "says it waits; the budget counts it", OPERATOR),
  notShown("N3", "node drained", "a drain, no restart counted", OPERATOR),
  notShown("N4", "image cannot be pulled, pod cannot be placed", "not hung: its own reason", OPERATOR),
  notShown("N5", "workers in CrashLoopBackOff", "no deletions added", OPERATOR),
  notShown("N6", "rollout while old pods lapse", "unavailable pods count against the budget", OPERATOR),
  notShown("R1", "all workers lapse at once (outage)", "no kills; suspended; resumes after it settled", OPERATOR),
  notShown("R2", "one of twenty hung", "that pod only", OPERATOR),
  notShown("R3", "eight of twenty hung", "breaker opens; a person can override", OPERATOR),
  notShown("R4", "slow database, late beats", "no kills", OPERATOR),
  notShown("R5", "disruption budget allows none", "respected; condition", OPERATOR),
  notShown("R6", "a version that hangs every pod", "stops after so many per template", OPERATOR),
  notShown("R7", "the only replica hung", "restarted once evidence is independent", OPERATOR),
  notShown("R8", "pod replaced between decision and kill", "no kill", OPERATOR),
  notShown("R9", "heartbeat forged by a worker's role", "kills nobody else", OPERATOR),
  notShown("D1", "slow lists and counts", "time limit, partial answer marked", ADMIN),
  notShown("D2", "acts repeated, concurrent, cut short", "one audit event per effect", ADMIN),
  notShown("D3", "large bodies, slow clients, many streams", "limits; workers unaffected", ADMIN),
  notShown("D4", "token review unavailable", "closed for acts and payloads", ADMIN),
];

/** Every row, in the order of the families. */
export const FAULT_MATRIX: readonly MatrixRow[] = [
  ...WORKER_ROWS,
  ...TIME_ROWS,
  ...POSTGRES_ROWS,
  ...POOLER_ROWS,
  ...LATER,
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
