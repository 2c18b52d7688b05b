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
  progress: null,
  errors: null,
  exitCode: null,
  concurrencyKey: null,
  resultTtlSeconds: null,
  resultExpiresAt: null,
  finaliserId: null,
  cancelRequested: false,
  canRetry: false,
  recoveryHint: null,
  lockedBy: null,
  payload: {},
  result: null,
  lastError: null,
  uniqueKey: null,
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
  isStale: false,
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
const AROUND: Surroundings = { now: NOW, worker: undefined, holds: [], serving: 1 };

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
    [{ state: "failed", attempt: 3 }, "failed, 3rd of 5 attempts"],
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
    ["its attempts are spent", { state: "dead", deadReason: "attempts" }, {}, "Nothing: its attempts are spent."],
    [
      "it took its workers down",
      { state: "dead", deadReason: "poison", recoveries: 3 },
      {},
      "Nothing: it lost its worker 4 times, which suggests that the job itself takes workers down.",
    ],
  ])("says what comes next: %s", (_, change, around, words) => {
    expect(nextOf({ ...JOB, ...change }, { ...AROUND, ...around })).toBe(words);
  });

  it("tells a lease that holds from one that is lost", () => {
    expect(nextOf({ ...JOB, state: "running" }, AROUND)).toContain("Its worker finishes it");
    expect(nextOf({ ...JOB, state: "running", isStale: true }, AROUND)).toContain("Recovery hands it on");
  });

  it("names a worker by its pod, or by its host where there is none", () => {
    const worker = { id: "3", pod: "mailers-x", namespace: "shop", node: "n1", hostname: "h", pid: 7 } as WorkerRow;
    expect(describeWorker(worker)).toBe("3, pod shop/mailers-x on node n1");
    expect(describeWorker({ ...worker, pod: null, node: null })).toBe("3, host h, process 7");
    expect(describeWorker({ ...worker, pod: null, node: null, hostname: null })).toBe("3, unknown place");
  });
});
