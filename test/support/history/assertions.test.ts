import { describe, expect, it } from "vitest";
import { ASSERTIONS, checkHistory } from "./check.ts";
import { type Account, type History, type Intent, NO_OPERATOR } from "./history.ts";
import { eventsOf, reportOf } from "./report.ts";
import { Story } from "./story.ts";

const at = (hour: number): number => hour * 3_600_000;

/** A life as it should be: tried, failed, tried again, lost with its worker, and completed by another. */
function goodLife(): Story {
  return new Story()
    .call("enqueue", { process: "p", marks: ["m1"], enqueued: [{ job: "7", outcome: "inserted" }] })
    .enqueue("7", { tag: "m1", uniqueKey: "k", concurrencyKey: "c" })
    .claim("7", 1)
    .call("claim", { leased: [{ job: "7", token: 1 }] })
    .deed("started", "7", 1)
    .deed("threw", "7", 1)
    .fail("7", 1_000)
    .call("fail", { leased: [{ job: "7", token: 1 }] })
    .change("7", { state: "pending" })
    .claim("7", 2)
    .deed("started", "7", 2)
    .recover("7")
    .claim("7", 3, "2")
    .call("claim", { process: "w2", leased: [{ job: "7", token: 3 }] })
    .deed("started", "7", 3, { process: "w2" })
    .deed("returned", "7", 3, { process: "w2" })
    .complete("7")
    .call("complete", { process: "w2", leased: [{ job: "7", token: 3 }] })
    .call("complete", { leased: [{ job: "7", token: 2 }], lost: ["7"] });
}

const BUDGET = { pool: "shop/q", concurrent: 1, windowMs: 600_000, most: 2 };

/** A restart of a pod of shop/q that took ten seconds. */
function anIntent(some: Pick<Intent, "podUid" | "at"> & Partial<Intent>): Intent {
  return { pool: "shop/q", closedAt: some.at + 10_000, abandoned: false, asked: false, ...some };
}

/** A worker that had been silent for 20 s, an hour in. */
const SILENT = { leaseUntil: at(1) - 16_000, heartbeatAt: at(1) - 20_000, stuck: false, lastClaimAgeMs: 0 };

function anAccount(some: Partial<Account>): Account {
  return { transaction: "1", at: 1_000, changes: [], actions: [], touched: 0, ...some };
}

/** Histories that are right, by what a careless checker would take for wrong. */
const RIGHT: readonly (readonly [string, () => Story])[] = [
  ["a job that fails, is lost and is completed by another", goodLife],
  [
    "restarts within the budget, one of them asked for, and the outage after them",
    () =>
      new Story().with({
        intents: [
          ...[0, 1].map((n) => anIntent({ podUid: `p${n}`, at: n * 200_000 })),
          anIntent({ podUid: "asked", at: 5_000, asked: true }),
          anIntent({ podUid: "given up", at: 6_000, abandoned: true }),
        ],
        operator: {
          ...NO_OPERATOR,
          kills: [{ podUid: "p0", at: 1_000 }],
          budgets: [BUDGET],
          noRestarts: [{ why: "the store was away", from: 300_000, to: 400_000 }],
        },
      }),
  ],
  [
    "the restart of a worker that was silent for long enough, in the last term",
    () =>
      new Story().with({
        intents: [
          anIntent({ podUid: "p", at: at(1), term: { decidedIn: 4, last: 4 }, worker: SILENT }),
          anIntent({ podUid: "asked", at: at(1), asked: true, term: { decidedIn: 4, last: 4 } }),
        ],
        operator: { ...NO_OPERATOR, budgets: [{ ...BUDGET, hungAfterMs: 15_000 }] },
      }),
  ],
  [
    "changes with their audit events, and a queue that is deleted with its holds",
    () =>
      new Story().with({
        accounts: [
          anAccount({ changes: [{ of: "hold", what: "q/h" }], actions: ["hold"], touched: 1 }),
          anAccount({ changes: [{ of: "hold", what: "q/h" }], actions: ["delete_queue"], touched: 4 }),
          anAccount({ actions: ["recover_stale"], touched: 7 }),
        ],
      }),
  ],
  [
    "a call that was never answered, whatever became of it",
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .recover("1")
        .claim("1", 2)
        .complete("1")
        .call("complete", { leased: [{ job: "1", token: 1 }], outcome: "unknown" }),
  ],
  [
    "the same write told as done twice, since a repetition is",
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .complete("1")
        .call("complete", { leased: [{ job: "1", token: 1 }] })
        .call("complete", { leased: [{ job: "1", token: 1 }] }),
  ],
  [
    "a unique key that is free again once its job ended",
    () =>
      new Story()
        .enqueue("1", { uniqueKey: "k" })
        .claim("1", 1)
        .complete("1")
        .enqueue("2", { uniqueKey: "k" })
        .claim("2", 2)
        .complete("2"),
  ],
  [
    "a deletion by a person",
    () =>
      new Story()
        .call("enqueue", { enqueued: [{ job: "1", outcome: "inserted" }] })
        .enqueue("1")
        .delete("1")
        .call("delete", { leased: [{ job: "1", token: 0 }] }),
  ],
  [
    "a retry by a person, which begins a generation",
    () =>
      new Story()
        .enqueue("1", { maxAttempts: 1 })
        .claim("1", 1)
        .change("1", { state: "dead", deadReason: "attempts" })
        .change("1", { state: "pending", generation: 2, attempt: 0, token: null })
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "a job taken from a worker whose lease has lapsed",
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1, "5")
        .with({ workers: [{ worker: "5", at: 0, order: 0, live: true, leaseUntil: 2_500 }] })
        .recover("1")
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "a job taken at its deadline from a worker that lives",
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1, "5")
        .change("1", { deadline: 2_000 })
        .with({ workers: [{ worker: "5", at: 0, order: 0, live: true, leaseUntil: at(1) }] })
        .recover("1")
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "a claim after the hold ended by itself",
    () =>
      new Story()
        .enqueue("1")
        .with({ holds: [{ queue: "q", name: "h", at: 1_100, order: 1, placed: true, until: 1_900 }] })
        .claim("1", 1)
        .complete("1"),
  ],
  [
    "a start by a process that a fault kept from seeing the hold",
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .with({
          holds: [{ queue: "q", name: "h", at: 2_100, order: 9, placed: true, until: null }],
          faults: [{ id: "W2", target: "w", from: 2_050, to: 8_000 }],
        })
        .deed("started", "1", 1, { at: 8_100 })
        .deed("returned", "1", 1, { at: 8_200 })
        .complete("1")
        .with({ faults: [{ id: "W2", target: "w", from: 2_050, to: 8_000 }] }),
  ],
  [
    "a claim in order, jobs of other queues and later ones left",
    () =>
      new Story()
        .expecting({ inversions: 0, drained: false })
        .enqueue("1", { priority: 5 })
        .enqueue("2")
        .enqueue("3", { queue: "other" })
        .claim("2", 1),
  ],
  [
    "a limit that is reached and not passed",
    () =>
      new Story()
        .with({ limits: [{ queue: "q", maxRunning: 1, maxRunningPerKey: 1 }] })
        .enqueue("1", { concurrencyKey: "c" })
        .enqueue("2", { concurrencyKey: "c" })
        .claim("1", 1)
        .complete("1")
        .claim("2", 2)
        .complete("2"),
  ],
  [
    "a schedule that fires late but in its window, and says what it skipped",
    () =>
      new Story().with({
        schedules: [
          {
            name: "s",
            ticks: [1_000, 2_000, 3_000],
            skipped: [2_000],
            fired: [
              { job: "1", tick: 1_000, at: 1_400 },
              { job: "2", tick: 3_000, at: 3_100 },
            ],
            latenessMs: 500,
          },
        ],
      }),
  ],
];

/** Histories that are wrong: the assertion that must find it, and a word of what it says. */
const WRONG: readonly (readonly [string, string, RegExp, () => Story])[] = [
  [
    "H1",
    "an acknowledged job is nowhere",
    /nowhere/,
    () => new Story().call("enqueue", { enqueued: [{ job: "1", outcome: "inserted" }] }),
  ],
  [
    "H1",
    "a job vanishes that nobody deleted",
    /nowhere/,
    () =>
      new Story()
        .call("enqueue", { enqueued: [{ job: "1", outcome: "inserted" }] })
        .enqueue("1")
        .delete("1"),
  ],
  ["H1", "a job is still there after the drain", /still running/, () => new Story().enqueue("1").claim("1", 1)],
  [
    "H2",
    "a handler ran under a token that no claim gave out",
    /no claim gave out/,
    () => new Story().enqueue("1").claim("1", 1).deed("started", "1", 9).complete("1"),
  ],
  [
    "H2",
    "a handler ran under the lease of another process",
    /of w2/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .call("claim", { process: "w2", leased: [{ job: "1", token: 1 }] })
        .deed("started", "1", 1)
        .complete("1"),
  ],
  [
    "H2",
    "one lease was handed to two processes",
    /handed to w and to w2/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .call("claim", { leased: [{ job: "1", token: 1 }] })
        .call("claim", { process: "w2", leased: [{ job: "1", token: 1 }] })
        .complete("1"),
  ],
  [
    "H3",
    "an enqueue that was repeated made two jobs",
    /made 2 jobs: 1, 2/,
    () =>
      new Story()
        .call("enqueue", { marks: ["m"], outcome: "unknown" })
        .enqueue("1", { tag: "m" })
        .enqueue("2", { tag: "m" })
        .claim("1", 1)
        .complete("1")
        .claim("2", 2)
        .complete("2"),
  ],
  [
    "H4",
    "a token comes twice",
    /token 1 was given out after token 1/,
    () => new Story().enqueue("1").claim("1", 1).recover("1").claim("1", 1).complete("1"),
  ],
  [
    "H4",
    "a token is smaller than an earlier one, after a retry by a person",
    /token 1 was given out after token 2/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 2)
        .change("1", { state: "dead", deadReason: "permanent" })
        .change("1", { state: "pending", generation: 2, attempt: 0, token: null })
        .claim("1", 1)
        .complete("1"),
  ],
  [
    "H4",
    "a running job is claimed",
    /while worker 1 ran it/,
    () => new Story().enqueue("1").claim("1", 1).claim("1", 2, "2").complete("1"),
  ],
  [
    "H4",
    "a job is taken from a worker whose lease holds",
    /held for another/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1, "5")
        .with({ workers: [{ worker: "5", at: 0, order: 0, live: true, leaseUntil: at(1) }] })
        .recover("1")
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "H5",
    "a generation ends twice",
    /generation 1 ended 2 times/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .complete("1")
        .change("1", { state: "dead", deadReason: "attempts", attempt: 5 }),
  ],
  [
    "H5",
    "a terminal row comes from nothing",
    /it was not there/,
    () => {
      const row = new Story().enqueue("1").claim("1", 1).complete("1").history().transitions.at(-1)?.after;
      if (!row) throw new Error("no row");
      return new Story().terminalFromNothing("1", row);
    },
  ],
  [
    "H5",
    "the history has one generation twice",
    /more than once/,
    () =>
      new Story().with({
        finals: [1, 2].map(() => ({
          job: "1",
          generation: 1,
          state: "completed" as const,
          superseded: false,
          tag: null,
        })),
      }),
  ],
  [
    "H6",
    "a holder that lost its lease completes the job of another",
    /recovered before/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .recover("1")
        .claim("1", 2)
        .complete("1")
        .call("complete", { leased: [{ job: "1", token: 1 }] }),
  ],
  [
    "H6",
    "a write is told as done that nothing did",
    /no transaction/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .recover("1")
        .claim("1", 2)
        .complete("1")
        .call("fail", { leased: [{ job: "1", token: 8 }] }),
  ],
  [
    "H6",
    "a completion that took effect is told as lost",
    /took effect/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .complete("1")
        .call("complete", { leased: [{ job: "1", token: 1 }], lost: ["1"] }),
  ],
  [
    "H6",
    "a failure is told as done, but the job was completed",
    /ended with the job completed/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .complete("1")
        .call("fail", { leased: [{ job: "1", token: 1 }] }),
  ],
  [
    "H7",
    "a recovery spends an attempt",
    /attempt went from 1 to 1/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .change("1", { state: "pending", token: null, recoveries: 1, lastRecovery: "r" })
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "H7",
    "a recovery is not counted",
    /recoveries went from 0 to 0/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .change("1", { state: "pending", token: null, attempt: 0, lastRecovery: "r" })
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "H7",
    "a claim counts no attempt",
    /attempt went from 0 to 0/,
    () => new Story().enqueue("1").change("1", { state: "running", token: 1, worker: "1" }).complete("1"),
  ],
  [
    "H7",
    "a failed acknowledgement becomes a failure",
    /did not throw/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .deed("started", "1", 1)
        .deed("returned", "1", 1)
        .fail("1", 1_000)
        .change("1", { state: "pending" })
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "H7",
    "a job is dead with attempts left",
    /dead with 1 of 5/,
    () => new Story().enqueue("1").claim("1", 1).change("1", { state: "dead", deadReason: "attempts" }),
  ],
  [
    "H8",
    "a job begins before its time",
    /before its run_at/,
    () => new Story().enqueue("1", { runAt: 50_000 }).claim("1", 1).complete("1"),
  ],
  [
    "H8",
    "a failed job waits too short",
    /waits/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .fail("1", 100)
        .change("1", { state: "pending" })
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "H8",
    "a failed job waits too long",
    /waits/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .fail("1", 9_000)
        .change("1", { state: "pending", runAt: 0 })
        .claim("1", 2)
        .complete("1"),
  ],
  [
    "H9",
    "a claim commits after the hold did",
    /0.500 ms after a hold of q/,
    () =>
      new Story()
        .enqueue("1")
        .with({ holds: [{ queue: "q", name: "h", at: 1_999.5, order: 1, placed: true, until: null }] })
        .claim("1", 1)
        .complete("1"),
  ],
  [
    "H9",
    "a claim commits while every queue is held",
    /hold of \*/,
    () =>
      new Story()
        .enqueue("1")
        .with({ holds: [{ queue: "*", name: "h", at: 500, order: 1, placed: true, until: null }] })
        .claim("1", 1)
        .complete("1"),
  ],
  [
    "H9",
    "a process starts long after the hold what it had claimed before",
    /started it/,
    () =>
      new Story()
        .enqueue("1")
        .claim("1", 1)
        .with({ holds: [{ queue: "q", name: "h", at: 2_100, order: 9, placed: true, until: null }] })
        .deed("started", "1", 1, { at: 8_000 })
        .complete("1"),
  ],
  [
    "H10",
    "a claim passes over the first job",
    /come before it/,
    () =>
      new Story().expecting({ inversions: 0, drained: false }).enqueue("1").enqueue("2", { priority: 5 }).claim("2", 1),
  ],
  [
    "H11",
    "two live jobs have one unique key",
    /2 live jobs: 1, 2/,
    () =>
      new Story()
        .enqueue("1", { uniqueKey: "k" })
        .enqueue("2", { uniqueKey: "k" })
        .claim("1", 1)
        .complete("1")
        .claim("2", 2)
        .complete("2"),
  ],
  [
    "H12",
    "more jobs of a queue run than its limit allows",
    /2 jobs of queue q/,
    () =>
      new Story()
        .with({ limits: [{ queue: "q", maxRunning: 1 }] })
        .enqueue("1")
        .enqueue("2")
        .claim("1", 1)
        .claim("2", 2)
        .complete("1")
        .complete("2"),
  ],
  [
    "H12",
    "more jobs of a key run than its limit allows",
    /2 jobs of key c/,
    () =>
      new Story()
        .with({ limits: [{ queue: "q", maxRunningPerKey: 1 }] })
        .enqueue("1", { concurrencyKey: "c" })
        .enqueue("2", { concurrencyKey: "c" })
        .claim("1", 1)
        .claim("2", 2)
        .complete("1")
        .complete("2"),
  ],
  [
    "H13",
    "a tick fires twice",
    /too many/,
    () =>
      new Story().with({
        schedules: [
          {
            name: "s",
            ticks: [1_000],
            skipped: [],
            fired: [
              { job: "1", tick: 1_000, at: 1_100 },
              { job: "2", tick: 1_000, at: 1_200 },
            ],
            latenessMs: 500,
          },
        ],
      }),
  ],
  [
    "H13",
    "a tick is missing",
    /did not fire/,
    () =>
      new Story().with({
        schedules: [
          {
            name: "s",
            ticks: [1_000, 2_000],
            skipped: [],
            fired: [{ job: "1", tick: 1_000, at: 1_100 }],
            latenessMs: 500,
          },
        ],
      }),
  ],
  [
    "H13",
    "a tick fires before its time",
    /did not fire|too many/,
    () =>
      new Story().with({
        schedules: [
          { name: "s", ticks: [1_000], skipped: [], fired: [{ job: "1", tick: 1_000, at: 900 }], latenessMs: 500 },
        ],
      }),
  ],
  [
    "H14",
    "a pod is killed that no intent names",
    /no intent names it/,
    () => new Story().with({ operator: { ...NO_OPERATOR, kills: [{ podUid: "p", at: 1_000 }] } }),
  ],
  [
    "H14",
    "a pod is killed before its intent is written",
    /no intent names it/,
    () =>
      new Story().with({
        intents: [anIntent({ podUid: "p", at: 2_000 })],
        operator: { ...NO_OPERATOR, kills: [{ podUid: "p", at: 1_000 }] },
      }),
  ],
  [
    "H14",
    "a pod is killed twice",
    /once more/,
    () =>
      new Story().with({
        intents: [anIntent({ podUid: "p", at: 500 })],
        operator: {
          ...NO_OPERATOR,
          kills: [
            { podUid: "p", at: 1_000 },
            { podUid: "p", at: 1_100 },
          ],
        },
      }),
  ],
  [
    "H14",
    "a pod is killed whose restart was given up",
    /given up/,
    () =>
      new Story().with({
        intents: [anIntent({ podUid: "p", at: 500, abandoned: true })],
        operator: { ...NO_OPERATOR, kills: [{ podUid: "p", at: 1_000 }] },
      }),
  ],
  [
    "H14",
    "a window has more restarts than the budget allows",
    /3 restarts of shop\/q in 600000 ms, 2 allowed/,
    () =>
      new Story().with({
        intents: [0, 1, 2].map((n) => anIntent({ podUid: `p${n}`, at: at(1) + n * 200_000 })),
        operator: { ...NO_OPERATOR, budgets: [BUDGET] },
      }),
  ],
  [
    "H14",
    "two restarts are under way at once",
    /2 restarts of shop\/q at once, 1 allowed/,
    () =>
      new Story().with({
        intents: [0, 1].map((n) => anIntent({ podUid: `p${n}`, at: at(n), closedAt: n === 0 ? null : at(3) })),
        operator: { ...NO_OPERATOR, budgets: [BUDGET] },
      }),
  ],
  [
    "H14",
    "a restart is decided while the store is away",
    /a restart of pod p was decided while the store was away/,
    () =>
      new Story().with({
        intents: [anIntent({ podUid: "p", at: 1_500 })],
        operator: { ...NO_OPERATOR, noRestarts: [{ why: "the store was away", from: 1_000, to: 2_000 }] },
      }),
  ],
  [
    "H14",
    "a restart is decided before an outage is forgotten",
    /a restart of pod p was decided while the store was away/,
    () =>
      new Story().with({
        intents: [anIntent({ podUid: "p", at: 2_500 })],
        operator: {
          ...NO_OPERATOR,
          noRestarts: [{ why: "the store was away", from: 1_000, to: 2_000, settled: 3_000 }],
        },
      }),
  ],
  ...(
    [
      ["whose worker has a lease", /had a lease for another 1000 ms/, { ...SILENT, leaseUntil: at(1) + 1_000 }],
      ["whose worker spoke a moment ago", /after 5000 ms of silence/, { ...SILENT, heartbeatAt: at(1) - 5_000 }],
      ["of which the store knows no worker", /knows no worker of it/, undefined],
    ] as const
  ).map(
    ([who, words, worker]) =>
      [
        "H14",
        `a pod is restarted ${who}`,
        words,
        () =>
          new Story().with({
            intents: [anIntent({ podUid: "p", at: at(1), ...(worker && { worker }) })],
            operator: { ...NO_OPERATOR, budgets: [{ ...BUDGET, hungAfterMs: 15_000 }] },
          }),
      ] as const,
  ),
  [
    "H14",
    "a leader decides after its term",
    /decided in term 3, and term 4 was the last/,
    () => new Story().with({ intents: [anIntent({ podUid: "p", at: 1_000, term: { decidedIn: 3, last: 4 } })] }),
  ],
  [
    "H15",
    "a hold is placed without an audit event",
    /1 changes \(hold q\/h\), 0 audit events/,
    () => new Story().with({ accounts: [anAccount({ changes: [{ of: "hold", what: "q/h" }], touched: 1 })] }),
  ],
  [
    "H15",
    "an audit event tells of a change that was not made",
    /1 audit events of hold, release, 0 changes/,
    () => new Story().with({ accounts: [anAccount({ actions: ["hold"], touched: 1 })] }),
  ],
  [
    "H15",
    "an audit event stands alone",
    /nothing was changed/,
    () => new Story().with({ accounts: [anAccount({ actions: ["recover_stale"] })] }),
  ],
  [
    "H16",
    "a count that is shown is another one",
    /pending of q: 3 is shown, 4 is true/,
    () =>
      new Story().with({
        operator: { ...NO_OPERATOR, summaries: [{ what: "pending of q", at: 1_000, shown: 3, truth: 4 }] },
      }),
  ],
  [
    "H17",
    "an operator at rest writes",
    /patch jobqueues\/q\/status was written/,
    () =>
      new Story().with({ operator: { ...NO_OPERATOR, lateWrites: [{ what: "patch jobqueues/q/status", at: 1_000 }] } }),
  ],
  [
    "H17",
    "an operator does not come to rest",
    /does not come to rest: jobqueues\/q is not Ready/,
    () =>
      new Story().with({ operator: { ...NO_OPERATOR, unsettled: [{ what: "jobqueues/q is not Ready", at: 1_000 }] } }),
  ],
  [
    "H18",
    "an operator writes without the Lease",
    /operator-2: patch x, which it wrote without the Lease/,
    () =>
      new Story().with({
        operator: { ...NO_OPERATOR, writesWithoutLease: [{ what: "operator-2: patch x", at: 1_000 }] },
      }),
  ],
];

describe("the history checker", () => {
  it.each(RIGHT)("finds nothing wrong with %s", (_, story) => {
    const history = story().history();
    expect(checkHistory(history).map(({ assertion, message }) => `${assertion.id}: ${message}`)).toEqual([]);
  });

  it.each(WRONG)("%s finds that %s", (id, _, words, story) => {
    const findings = checkHistory(story().history());
    expect(findings.filter(({ assertion }) => assertion.id === id).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(words),
    );
  });

  it("every assertion has a history that violates it", () => {
    expect(ASSERTIONS.map(({ id }) => id)).toEqual([...new Set(WRONG.map(([id]) => id))]);
  });

  it("the report names what was violated, the job's events in order, and how to repeat the run", () => {
    const history: History = new Story()
      .enqueue("1")
      .claim("1", 1)
      .recover("1")
      .claim("1", 2, "2")
      .complete("1")
      .call("complete", { leased: [{ job: "1", token: 1 }] })
      .history();
    const report = reportOf(history, checkHistory(history), "make chaos SEED=1");
    expect(report).toContain("H6 a write with a superseded token is refused");
    expect(report).toContain("repeat: make chaos SEED=1");
    const events = eventsOf(history, "1");
    expect(events).toHaveLength(7);
    expect(events[0]).toContain("nothing -> pending");
    expect(events[4]).toContain("running token 2 worker 2");
    expect(reportOf(new Story().history(), [], "")).toContain("every assertion holds");
  });
});
