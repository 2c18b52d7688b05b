import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { BATCH_JOBS, batches, type EnqueuePlan, parsePayload, payloadText } from "./enqueue-plan.ts";

const PLAN: EnqueuePlan = {
  template: { queue: "q", kind: "k" },
  payload: undefined,
  uniqueKey: undefined,
  count: undefined,
};
const jobsOf = (plan: Partial<EnqueuePlan>) => [...batches({ ...PLAN, ...plan })].flat();

describe("the payload", () => {
  it("is the text itself, a file, or standard input", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-cli-"));
    try {
      writeFileSync(join(directory, "p.json"), '{"from": "file"}');
      const stdin = Readable.from(['{"from": ', '"stdin"}']);
      expect(await payloadText('{"a": 1}', { stdin })).toBe('{"a": 1}');
      expect(await payloadText(`@${join(directory, "p.json")}`, { stdin })).toBe('{"from": "file"}');
      expect(await payloadText("-", { stdin })).toBe('{"from": "stdin"}');
      await expect(payloadText("@/no/such/file", { stdin })).rejects.toThrow("the file of --payload cannot be read");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("that is not JSON is refused with what to write", () => {
    expect(() => parsePayload("ana")).toThrow("--payload is not JSON");
    expect(() => parsePayload("{to: ana}")).toThrow("--payload is not JSON");
  });
});

describe("the jobs of one command line", () => {
  it("are one job without a payload, which the store fills in, unless more is said", () => {
    expect(jobsOf({})).toEqual([{ queue: "q", kind: "k" }]);
  });

  it("have their number wherever {i} stands, as text and as number", () => {
    expect(jobsOf({ count: 2, payload: '{"n": {i}, "name": "doc-{i}"}', uniqueKey: "doc-{i}" })).toEqual([
      { queue: "q", kind: "k", payload: { n: 1, name: "doc-1" }, uniqueKey: "doc-1" },
      { queue: "q", kind: "k", payload: { n: 2, name: "doc-2" }, uniqueKey: "doc-2" },
    ]);
  });

  it("keep {i} as it is where no count was given", () => {
    expect(jobsOf({ payload: '{"template": "{i}"}', uniqueKey: "{i}" })).toEqual([
      { queue: "q", kind: "k", payload: { template: "{i}" }, uniqueKey: "{i}" },
    ]);
  });

  it("come in batches of 500, all of them, in order", () => {
    const all = [...batches({ ...PLAN, count: 2 * BATCH_JOBS + 1, payload: "{i}" })];
    expect(all.map((batch) => batch.length)).toEqual([500, 500, 1]);
    expect(all.flat().map((job) => job.payload)).toEqual(Array.from({ length: 1001 }, (_, index) => index + 1));
  });

  it("come in smaller batches when the payload is large", () => {
    const payload = JSON.stringify("x".repeat(128 * 1024 - 10));
    expect([...batches({ ...PLAN, count: 9, payload })].map((batch) => batch.length)).toEqual([4, 4, 1]);
  });
});
