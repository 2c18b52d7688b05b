import type { ClaimedJob } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { defineHandler } from "../handlers/handler.ts";
import { type BufferedJob, JobBuffer } from "./job-buffer.ts";

const handler = defineHandler("k", () => undefined);
const job = (id: string, queue = "default"): BufferedJob => ({
  handler,
  claimedAtMs: Number(id),
  job: {
    id,
    queue,
    kind: "k",
    payload: {},
    attempt: 1,
    maxAttempts: 5,
    leaseToken: "1",
    timeoutMs: null,
    priority: 0,
    tag: null,
    labels: null,
    generation: 1,
    options: null,
    concurrencyKey: null,
    lastChance: false,
  } satisfies ClaimedJob,
});
const ids = (jobs: readonly BufferedJob[]): string[] => jobs.map((buffered) => buffered.job.id);

describe("the jobs that wait for a slot", () => {
  it("leave in the order they came", () => {
    const buffer = new JobBuffer();
    for (const id of ["1", "2", "3"]) buffer.push(job(id));
    expect(buffer.shift()?.job.id).toBe("1");
    buffer.push(job("4"));
    expect(buffer.size).toBe(3);
    expect([buffer.shift(), buffer.shift(), buffer.shift(), buffer.shift()].map((next) => next?.job.id)).toEqual([
      "2",
      "3",
      "4",
      undefined,
    ]);
    expect(buffer.size).toBe(0);
  });

  it("are taken out by a condition, and the others keep their order", () => {
    const buffer = new JobBuffer();
    for (const [id, queue] of [
      ["1", "a"],
      ["2", "b"],
      ["3", "a"],
      ["4", "b"],
      ["5", "a"],
    ] as const)
      buffer.push(job(id, queue));
    buffer.shift();
    expect(ids(buffer.take((buffered) => buffered.job.queue === "b"))).toEqual(["2", "4"]);
    expect(buffer.size).toBe(2);
    expect(ids(buffer.take(() => true))).toEqual(["3", "5"]);
    expect(buffer.size).toBe(0);
  });

  it("are taken out from the end, and never more than there are", () => {
    const buffer = new JobBuffer();
    for (const id of ["1", "2", "3", "4"]) buffer.push(job(id));
    buffer.shift();
    expect(ids(buffer.takeNewest(0))).toEqual([]);
    expect(ids(buffer.takeNewest(2))).toEqual(["3", "4"]);
    expect(ids(buffer.takeNewest(9))).toEqual(["2"]);
    expect(buffer.size).toBe(0);
  });
});
