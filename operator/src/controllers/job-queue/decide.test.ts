import { describe, expect, it } from "vitest";
import { explain } from "../../plan/explain.ts";
import {
  aDownStore,
  aJobQueue,
  aReadyStore,
  aWorker,
  itsDeployment,
  NOW,
  observed,
  someWorkers,
  theSpecHold,
} from "../testing/builders.ts";
import { decide } from "./decide.ts";
import type { Observed } from "./observed.ts";

/** A plan as people read it. */
function plan(observation: Observed): { readonly steps: readonly string[]; readonly problem?: string } {
  const { actions, problem } = decide(observation, NOW);
  return { steps: actions.map(explain), ...(problem && { problem: `${problem.reason}: ${problem.sentence}` }) };
}

describe("decide", () => {
  it("plans nothing for a queue that is as it should be", () => {
    expect(plan(observed())).toEqual({ steps: [] });
  });

  it("makes everything a new queue needs, the pause before the workers", () => {
    const queue = aJobQueue({ state: "Paused", replicas: 2 });
    expect(plan(observed({ queue, store: aReadyStore({ counts: undefined }), deployment: { is: "absent" } }))).toEqual({
      steps: [
        "make queue mailers known to store shop/default (QueueMissing): The store does not know the queue mailers yet.",
        "set hold spec on queue mailers (PausedBySpec): spec.state of JobQueue shop/mailers is Paused.",
        "create Deployment mailers-workers (WorkersMissing): Because the pool has no Deployment yet.",
      ],
    });
  });

  it("only resumes a queue that is resumed", () => {
    expect(plan(observed({ store: aReadyStore({ holds: [theSpecHold()] }) }))).toEqual({
      steps: ["release hold spec of queue mailers (ActiveBySpec): spec.state of JobQueue shop/mailers is Active."],
    });
  });

  it("hands on the jobs of a pod that went before it touches the Deployment", () => {
    const queue = aJobQueue({ replicas: 3 });
    const { steps } = plan(
      observed({
        queue,
        deployment: itsDeployment(aJobQueue()),
        store: aReadyStore({ workers: [aWorker()] }),
        podsSeenBefore: new Set(["pod-1"]),
      }),
    );
    expect(steps).toEqual([
      "recover the jobs of 1 pod (PodGone): The pod mailers-workers-1 is gone.",
      "change Deployment mailers-workers (WorkersDiffer): Because the spec changed.",
    ]);
  });

  it("does nothing at all for the loser of a conflict, whatever else is wrong", () => {
    const rivals = [{ name: "other", uid: "0", creationTimestamp: "2026-07-01T00:00:00Z" }];
    const queue = aJobQueue({ state: "Paused" });
    const found = plan(
      observed({ queue, rivals, store: aReadyStore({ counts: undefined }), deployment: { is: "absent" } }),
    );
    expect(found.steps).toEqual([]);
    expect(found.problem).toMatch(/^QueueConflict: JobQueue other is older/);
  });

  it("still pauses a queue whose pool is invalid", () => {
    const workers = someWorkers({ alsoServes: ["mailers"] });
    const queue = aJobQueue({ state: "Paused", workers });
    const found = plan(observed({ queue, desired: undefined, deployment: { is: "absent" } }));
    expect(found.steps).toEqual([
      "set hold spec on queue mailers (PausedBySpec): spec.state of JobQueue shop/mailers is Paused.",
    ]);
    expect(found.problem).toMatch(/^InvalidPodTemplate: spec.workers.alsoServes names the queue mailers twice/);
  });

  it("plans nothing while the store does not answer, and says so", () => {
    const found = plan(
      observed({ queue: aJobQueue({ state: "Paused" }), store: aDownStore(), podsSeenBefore: new Set(["pod-1"]) }),
    );
    expect(found.steps).toEqual([]);
    expect(found.problem).toBe(
      "StoreUnreachable: JobStore shop/default cannot be used: No connection to Postgres (ECONNREFUSED).",
    );
  });

  it("leaves a queue that is being deleted alone, to its status", () => {
    const queue = aJobQueue({}, { metadata: { deletionTimestamp: "2026-08-01T11:59:00Z" } });
    expect(decide(observed({ queue, deployment: { is: "absent" } }), NOW)).toEqual({
      actions: [],
      problem: undefined,
      leaveAlone: true,
    });
  });
});
