import { describe, expect, it } from "vitest";
import { RULES } from "../controllers/job-queue/decide.ts";
import { threeWayPatch } from "./lay-over.ts";
import { jobQueueIn } from "./manifest.ts";
import { QUESTIONS } from "./questions.ts";

describe("the questions", () => {
  it("are there for every rule", () => {
    expect(Object.keys(RULES).filter((rule) => QUESTIONS[rule] === undefined)).toEqual([]);
  });
});

describe("the patch of an apply", () => {
  const last = { spec: { concurrency: 4, retry: { maxAttempts: 3 }, gone: 1 } };
  const live = { spec: { concurrency: 4, retry: { maxAttempts: 3, extra: 1 }, replicas: 7 }, status: {} };

  it("says what differs, takes away what was applied last, and leaves what others set", () => {
    expect(threeWayPatch(last, { spec: { retry: {}, timeoutSeconds: 60 } }, live)).toEqual({
      spec: { concurrency: null, retry: { maxAttempts: null }, timeoutSeconds: 60 },
    });
  });

  it("is empty for what was applied already", () => {
    expect(threeWayPatch(last, { spec: { concurrency: 4, retry: { maxAttempts: 3 } } }, live)).toEqual({});
  });

  it("replaces a list whole, and an object by what is none", () => {
    expect(threeWayPatch({}, { a: [1, 2], b: 1 }, { a: [1], b: { c: 1 } })).toEqual({ a: [1, 2], b: 1 });
  });
});

describe("a manifest", () => {
  const queue = (name: string) => `apiVersion: jobqueue.dev/v1alpha1\nkind: JobQueue\nmetadata: { name: ${name} }\n`;
  const store = "apiVersion: jobqueue.dev/v1alpha1\nkind: JobStore\nmetadata: { name: default }\n";

  it("is found beside other kinds, empty documents, and in a List as kubectl prints it", () => {
    expect(jobQueueIn(`---\n${store}---\n${queue("a")}---\n`, "f", undefined).metadata.name).toBe("a");
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [{ apiVersion: "jobqueue.dev/v1alpha1", kind: "JobQueue", metadata: { name: "b" } }],
    };
    expect(jobQueueIn(JSON.stringify(list), "f", undefined).metadata.name).toBe("b");
  });

  it("is read as kubectl reads it: Off is no text", () => {
    expect(jobQueueIn(`${queue("a")}spec: { state: Off }`, "f", undefined)["spec"]).toEqual({ state: false });
  });

  it("that names a key twice is refused", () => {
    expect(() => jobQueueIn(`${queue("a")}kind: JobQueue\n`, "f.yaml", undefined)).toThrow(/^f\.yaml, line 4.*unique/);
  });

  it("that is a JobStore alone is refused, with where to look instead", () => {
    expect(() => jobQueueIn(store, "f", undefined)).toThrow(
      "f holds no JobQueue, but JobStore default of jobqueue.dev/v1alpha1",
    );
  });
});
