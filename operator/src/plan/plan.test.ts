import { StoreError } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { conclude, RESYNC_MS } from "../controllers/conclude.ts";
import { StoreUnavailable } from "../controllers/job-store/monitor.ts";
import { KubeError, StatusError } from "../kube/index.ts";
import type { Clock } from "../runtime/index.ts";
import { desiredDeployment } from "../controllers/job-queue/desired/deployment.ts";
import { aJobQueue, aJobStore } from "../controllers/testing/builders.ts";
import type { Action } from "./action.ts";
import { planOf, type Problem } from "./plan.ts";
import { failureOf } from "./failure.ts";
import { refusal } from "./refusal.ts";
import { WrittenObjects } from "./written-objects.ts";

const wait: Action = { do: "wait", ms: 1, reason: "R", sentence: "S" };
const apply: Action = {
  do: "applyDeployment",
  deployment: desiredDeployment(aJobQueue(), aJobStore()),
  uid: "u",
  reason: "R",
  sentence: "S",
};
const ensure: Action = { do: "ensureQueue", store: "shop/default", queue: "q", reason: "R", sentence: "S" };
const status = (code: number, reason: string, details: object = {}, retryAfterSeconds?: number) =>
  new StatusError(
    { message: "the server's words", reason, code, details },
    { code, request: "PATCH /apis/apps/v1/namespaces/shop/deployments/x", retryAfterSeconds },
  );

describe("planOf", () => {
  const problem = (reason: string): Problem => ({ reason, sentence: "…", ready: "False", needsPerson: false });

  it("joins what the rules say, in order, and tells the first problem", () => {
    const plan = planOf(
      {
        a: () => ({ actions: [wait] }),
        b: () => ({ problem: problem("First") }),
        c: () => ({ actions: [ensure], problem: problem("Second") }),
      },
      {},
      0,
    );
    expect(plan).toEqual({ actions: [wait, ensure], problem: problem("First"), leaveAlone: false });
  });

  it("ends at a rule that halts; without a problem the object is left alone", () => {
    const never = () => ({ actions: [ensure] });
    expect(planOf({ halts: () => ({ halt: true }), never }, {}, 0)).toEqual({
      actions: [],
      problem: undefined,
      leaveAlone: true,
    });
    expect(planOf({ halts: () => ({ halt: true, problem: problem("Lost") }), never }, {}, 0)).toMatchObject({
      actions: [],
      leaveAlone: false,
    });
  });
});

describe("failureOf", () => {
  it.each<[string, Action, unknown, object]>([
    [
      "a store that is down is asked again no sooner than in a second; its view tells people",
      ensure,
      new StoreUnavailable("…"),
      { next: "retry", afterMs: 1_000, problem: undefined },
    ],
    [
      "a store that lost the connection, too",
      ensure,
      new StoreError("…", { code: "connection_lost", retry: "reconnect" }),
      { next: "retry", afterMs: 1_000, problem: undefined },
    ],
    [
      "a store that refuses one call is told",
      ensure,
      new StoreError("…", { code: "invalid_input", retry: "never" }),
      { next: "retry", problem: { reason: "Progressing", ready: "False" } },
    ],
    ["somebody was faster: look again", apply, status(409, "Conflict"), { next: "retry", problem: undefined }],
    [
      "a Deployment that breaks a rule waits for another spec",
      apply,
      status(422, "Invalid"),
      { next: "wait", problem: { reason: "InvalidPodTemplate", needsPerson: true } },
    ],
    [
      "a Deployment that a policy forbids is tried again",
      apply,
      status(403, "Forbidden"),
      { next: "retry", problem: { reason: "WorkerRolloutFailed" } },
    ],
    [
      "in a namespace that is being deleted nothing is tried",
      apply,
      status(403, "Forbidden", { causes: [{ reason: "NamespaceTerminating", message: "…" }] }),
      { next: "wait", problem: undefined },
    ],
    [
      "a server that sheds load says when",
      apply,
      status(429, "TooManyRequests", {}, 7),
      { next: "retry", afterMs: 7_000 },
    ],
    [
      "no answer is tried again",
      apply,
      new KubeError("…", { reason: "Timeout", retry: "backoff" }),
      { next: "retry", problem: undefined },
    ],
    ["what nobody foresaw is tried again", apply, new TypeError("…"), { next: "retry", problem: undefined }],
  ])("%s", (_sentence, action, error, expected) => {
    expect(failureOf(action, error)).toMatchObject({ action, error, ...expected });
  });
});

describe("refusal", () => {
  it("names the fields as the user of a JobQueue wrote them", () => {
    const causes = [
      {
        field: "spec.template.spec.containers[0].resources.requests",
        message: 'Invalid value: "2": must be less than or equal to cpu limit of 1',
      },
      { field: "spec.replicas", message: "Invalid value: -1" },
    ];
    expect(refusal(status(422, "Invalid", { causes }))).toBe(
      'spec.workers.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1; spec.replicas: Invalid value: -1',
    );
  });

  it("without causes gives the server's words, and not our request", () => {
    expect(refusal(status(403, "Forbidden"))).toBe("the server's words (403 Forbidden)");
  });
});

describe("conclude", () => {
  const fine = { failure: undefined, waitMs: undefined };
  it("looks again at the soonest of all that was asked for", () => {
    expect(conclude([{ ...fine, waitMs: 5_000 }, fine], 900)).toEqual({ kind: "requeueAfter", ms: 900 });
  });

  it("looks again after a while when nobody asked, spread over time", () => {
    expect(conclude([fine], undefined, () => 0)).toEqual({ kind: "requeueAfter", ms: RESYNC_MS * 0.8 });
    expect(conclude([fine], undefined, () => 0.5)).toEqual({ kind: "requeueAfter", ms: RESYNC_MS });
  });

  it("backs off after a failure that may pass, and waits for a change after one that will not", () => {
    const failure = failureOf(ensure, new StoreUnavailable("…"));
    expect(conclude([fine, { ...fine, failure }], 5)).toEqual({ kind: "retry", error: failure.error, afterMs: 1_000 });
    expect(conclude([{ ...fine, failure: failureOf(apply, status(422, "Invalid")) }], 5)).toMatchObject({
      kind: "terminal",
      reason: "InvalidPodTemplate",
    });
  });
});

describe("written objects", () => {
  let now = 0;
  const clock = { now: () => now } as Clock;
  const object = (resourceVersion: string, uid = "u", generation = 1) => ({
    apiVersion: "v1",
    kind: "X",
    metadata: {
      namespace: "shop",
      name: "x",
      uid,
      resourceVersion,
      generation,
      creationTimestamp: "2026-08-01T10:00:00Z",
    },
  });
  const having = (written: ReturnType<typeof object>) => {
    const objects = new WrittenObjects<object>(clock);
    objects.note(written);
    return objects;
  };
  const newest = (objects: WrittenObjects<object>, cached?: ReturnType<typeof object>) =>
    objects.newest("shop/x", cached) as unknown;

  it("stand in for a cache that lags, until it has caught up", () => {
    const written = object("20");
    const objects = having(written);
    expect(newest(objects, object("9"))).toBe(written);
    const current = object("20");
    expect(newest(objects, current)).toBe(current);
    const old = object("9");
    expect(newest(objects, old)).toBe(old); // once caught up, the cache is believed again
  });

  it("stand in for a cache that has not seen them at all, for a while", () => {
    const objects = having(object("20"));
    expect(newest(objects)).toBeDefined();
    now += 10_000;
    expect(newest(objects)).toBeUndefined();
  });

  it("give way to an object that was made anew", () => {
    const objects = having(object("20"));
    now += 10_000;
    const another = object("30", "v");
    expect(newest(objects, another)).toBe(another);
  });

  it("give way where versions are not numbers", () => {
    const cached = object("abc");
    expect(newest(having(object("20")), cached)).toBe(cached);
  });

  it("leave behind the generation that the write gave, for the same object only", () => {
    const objects = having(object("20", "u", 4));
    expect(objects.generationOf("shop/x", "u")).toBe(4);
    expect(objects.generationOf("shop/x", "v")).toBeUndefined();
    objects.forget("shop/x");
    expect(objects.generationOf("shop/x", "u")).toBeUndefined();
  });
});
