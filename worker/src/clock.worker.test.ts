import { globSync, writeFileSync } from "node:fs";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Stage } from "./testing/stage.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];

/** Makes a process see another time (Debian: libfaketime); the monotonic clock stays as it is. */
function fakeTime(timeFile: string): Record<string, string> {
  const [library] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
  if (library === undefined) throw new Error("libfaketime is not installed: apt-get install libfaketime");
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: timeFile,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

describe("W15: a worker whose clock is wrong", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it.each([
    { at: "an hour ahead", next: "an hour behind", first: "+1h", second: "-1h" },
    { at: "an hour behind", next: "an hour ahead", first: "-1h", second: "+1h" },
  ])("by $at and then $next keeps its lease, and starts nothing before its time (G10)", async ({ first, second }) => {
    const clock = stage.write("clock", first);
    const worker = await stage.worker({ env: { ...fakeTime(clock), JOBQUEUE_LEASE_SECONDS: "10" } });
    const hour = 3_600_000;
    const sees = Number((await worker.logged("worker started"))["time"]) - Date.now();
    expect(Math.abs(sees - (first === "+1h" ? hour : -hour))).toBeLessThan(60_000);
    // Runs for longer than the lease, and the clock is set in the middle.
    const [long, later] = await stage.enqueue(
      { kind: "sleep", payload: { ms: 12_000 }, timeoutSeconds: 60 },
      { kind: "quick", delaySeconds: 3 },
    );
    await stage.jobIn("running", long);
    writeFileSync(clock, second);
    await stage.jobIn("completed", later);
    expect(await stage.jobIn("completed", long)).toMatchObject({ attempt: 1, recoveries: 0 });
    const [row] = await stage.database.query<{ early: boolean; late: boolean }>(
      "select claimed_at < run_at as early, claimed_at > run_at + interval '10 seconds' as late from jobqueue.job_history where id = $1",
      [later],
    );
    expect(row).toEqual({ early: false, late: false });
    await eventually("the worker to see the other time", async () => {
      await stage.enqueue({ kind: "wait", payload: { file: clock } });
      return (
        worker
          .entries("started")
          .some((entry) => Math.abs(Number(entry["time"]) - Date.now() - (second === "+1h" ? hour : -hour)) < 60_000) ||
        undefined
      );
    });
    expect(worker.entries("the lease is lost: handlers are aborted")).toEqual([]);
  });
});
