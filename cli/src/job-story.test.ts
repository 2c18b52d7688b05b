import type { Hold, Job, WorkerRow } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { describeWorker, nextOf, stateOf, type Surroundings } from "./job-story.ts";

const NOW = new Date("2026-08-01T12:00:00Z");
const seconds = (count: number): Date => new Date(NOW.getTime() + count * 1000);

const JOB: Job = {
  id: "7",
  queue: "mailers",
  kind: "welcome",
  state: "pending",
  deadReason: null,
  priority: 0,
  attempt: 0,
  maxAttempts: 5,
  recoveries: 0,
  generation: 1,
  payload: {},
  result: null,
  progress: null,
  lastError: null,
  errors: null,
  exitCode: null,
  uniqueKey: null,
  concurrencyKey: null,
  tag: null,
  labels: null,
  workerId: null,
  leaseToken: null,
  createdAt: seconds(-300),
  runAt: seconds(-300),
  claimedAt: null,
  finishedAt: null,
  durationMs: null,
  timeoutMs: null,
  resultTtlSeconds: null,
  resultExpiresAt: null,
  finaliserId: null,
  cancelRequested: false,
  isStale: false,
  canRetry: false,
  recoveryHint: null,
  lockedBy: null,
  lockedUntil: null,
  lastRecovery: null,
};
const HOLD: Hold = {
  queue: "mailers",
  name: "ana",
  reason: "SMTP down",
  actor: "ana@laptop",
  source: "cli",
  since: seconds(-60),
  until: null,
};
const HELD: Job["lastRecovery"] = {
  at: "2026-08-01T11:00:00Z",
  actor: "sweep",
  reason: null,
  worker: "3",
  cause: "worker",
  policy: "hold",
};
const AROUND: Surroundings = { now: NOW, worker: undefined, holds: [], dependencies: [], serving: 1 };

describe("the story of a job", () => {
  it.each<[Partial<Job>, string]>([
    [{}, "pending, ready to run for 5m"],
    [{ attempt: 2 }, "pending, ready to run for 5m, after 2 of 5 attempts"],
    [{ state: "scheduled", runAt: seconds(90) }, "scheduled, ready to run in 90s"],
    [{ state: "running", attempt: 2, claimedAt: seconds(-12) }, "running for 12s, 2nd of 5 attempts"],
    [
      { state: "running", attempt: 1, claimedAt: seconds(-12), isStale: true },
      "running for 12s, 1st of 5 attempts; stale: its worker is lost",
    ],
    [
      { state: "running", attempt: 1, claimedAt: seconds(-12), cancelRequested: true },
      "running for 12s, 1st of 5 attempts; asked to stop",
    ],
    [{ state: "failed", attempt: 3 }, "failed, 3rd of 5 attempts"],
    [{ state: "deferred" }, "deferred: it waits for other jobs"],
    [{ state: "deferred", lastRecovery: HELD }, "deferred: held since its worker was lost"],
    [{ state: "cancelled", finishedAt: seconds(-5) }, "cancelled 5s ago"],
    [
      { state: "completed", attempt: 11, maxAttempts: 22, finishedAt: seconds(-5) },
      "completed 5s ago, 11th of 22 attempts",
    ],
    [{ state: "dead", attempt: 5, finishedAt: seconds(-7200) }, "dead for 120m, 5th of 5 attempts"],
  ])("says what is: %o", (change, words) => {
    expect(stateOf({ ...JOB, ...change }, AROUND)).toBe(words);
  });

  it.each<[string, Partial<Job>, Partial<Surroundings>, string]>([
    [
      "it waits its turn",
      {},
      {},
      "A live worker serves queue mailers and will take it in its turn: priority, then age.",
    ],
    [
      "it waits its turn with several",
      {},
      { serving: 3 },
      "3 live workers serve queue mailers and will take it in its turn: priority, then age.",
    ],
    ["nobody serves its queue", {}, { serving: 0 }, "Nothing will start it: no live worker serves queue mailers."],
    [
      "its queue is paused, which is said first",
      {},
      { holds: [HOLD], serving: 0 },
      "It starts when queue mailers is resumed. Paused by ana@laptop: SMTP down (for 60s).",
    ],
    [
      "its time has not come",
      { state: "scheduled", runAt: seconds(90) },
      {},
      "It becomes pending in 90s. A live worker serves queue mailers and will take it in its turn: priority, then age.",
    ],
    [
      "its next attempt is due later",
      { state: "failed", attempt: 2, runAt: seconds(30) },
      { serving: 0 },
      "Attempt 3 of 5 may start in 30s. Nothing will start it: no live worker serves queue mailers.",
    ],
    [
      "its next attempt is due",
      { state: "failed", attempt: 2, runAt: seconds(-1) },
      {},
      "Attempt 3 of 5 may start now. A live worker serves queue mailers and will take it in its turn: priority, then age.",
    ],
    ["it is done", { state: "completed" }, {}, "Nothing: it is done."],
    ["it was cancelled", { state: "cancelled" }, {}, "Nothing: it was cancelled."],
    [
      "somebody must decide",
      { state: "deferred", lastRecovery: HELD },
      {},
      "Nothing, until somebody decides: jobqueue retry 7 runs it again, jobqueue cancel 7 ends it.",
    ],
    [
      "other jobs must end first",
      { state: "deferred" },
      { serving: 0 },
      "It becomes pending when the jobs it depends on are over: jobqueue why 7 names them. Nothing will start it: no live worker serves queue mailers.",
    ],
    [
      "it is dead, of which the store says why",
      { state: "dead", deadReason: "attempts", recoveryHint: "Its attempts are spent: remove the cause, then retry." },
      {},
      "Nothing by itself. Its attempts are spent: remove the cause, then retry. jobqueue retry 7",
    ],
  ])("says what comes next: %s", (_, change, around, words) => {
    expect(nextOf({ ...JOB, ...change }, { ...AROUND, ...around })).toBe(words);
  });

  it("tells a lease that holds from one that is lost", () => {
    expect(nextOf({ ...JOB, state: "running" }, AROUND)).toContain("Its worker finishes it");
    expect(nextOf({ ...JOB, state: "running", isStale: true }, AROUND)).toContain("Recovery hands it on");
    expect(nextOf({ ...JOB, state: "running", cancelRequested: true }, AROUND)).toContain("Its worker stops it");
  });

  it("names a worker by its pod, or by its host where there is none", () => {
    const worker = { id: "3", pod: "mailers-x", namespace: "shop", node: "n1", hostname: "h", pid: 7 } as WorkerRow;
    expect(describeWorker(worker)).toBe("3, pod shop/mailers-x on node n1");
    expect(describeWorker({ ...worker, pod: null, node: null })).toBe("3, host h, process 7");
    expect(describeWorker({ ...worker, pod: null, node: null, hostname: null })).toBe("3, unknown place");
  });
});
