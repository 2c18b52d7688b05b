import { describe, expect, it } from "vitest";
import {
  type AbortCause,
  CancelledError,
  type Ending,
  errorText,
  JobAborted,
  outcomeOf,
  PermanentError,
} from "./outcome.ts";

const returned: Ending = { how: "returned", result: 42 };
const snoozed: Ending = { how: "snoozed", delaySeconds: 60 };
const threw: Ending = { how: "threw", error: new Error("boom") };
const ignored: Ending = { how: "ignored abort" };

describe("what the store is told when a handler", () => {
  it.each<{ aborted?: AbortCause; ending: Ending; action: string }>([
    { ending: returned, action: "complete" },
    { ending: threw, action: "fail" },
    { ending: snoozed, action: "snooze" },
    { ending: { how: "completed itself" }, action: "none" },
    { aborted: "timeout", ending: snoozed, action: "fail" },
    { aborted: "timeout", ending: { how: "completed itself" }, action: "none" },
    { aborted: "cancel", ending: returned, action: "complete" },
    { aborted: "cancel", ending: snoozed, action: "snooze" },
    { aborted: "cancel", ending: threw, action: "cancelled" },
    { aborted: "cancel", ending: ignored, action: "cancelled" },
    { aborted: "drain", ending: snoozed, action: "snooze" },
    { aborted: "timeout", ending: returned, action: "fail" },
    { aborted: "timeout", ending: threw, action: "fail" },
    { aborted: "timeout", ending: ignored, action: "fail" },
    { aborted: "drain", ending: returned, action: "complete" },
    { aborted: "drain", ending: threw, action: "return" },
    { aborted: "drain", ending: ignored, action: "return" },
    { aborted: "lease lost", ending: returned, action: "complete" },
    { aborted: "lease lost", ending: threw, action: "drop" },
    { aborted: "lease lost", ending: ignored, action: "drop" },
  ])("aborted for $aborted, $ending.how: $action", ({ aborted, ending, action }) => {
    expect(outcomeOf(ending, aborted && new JobAborted(aborted, "stop")).action).toBe(action);
  });

  it("G9: a timeout is named in the error, and so is an ignored abort", () => {
    const timeout = new JobAborted("timeout", "timed out after 5 s");
    expect(outcomeOf(threw, timeout)).toEqual({ action: "fail", error: "timed out after 5 s", permanent: false });
    expect(outcomeOf(ignored, timeout)).toEqual({
      action: "fail",
      error: "timed out after 5 s; the handler ignored its abort signal",
      permanent: false,
    });
  });

  it.each([
    { what: "a PermanentError", error: new PermanentError("no such customer"), permanent: true },
    {
      what: "an error that says so itself",
      error: Object.assign(new Error("no"), { permanent: true }),
      permanent: true,
    },
    { what: "any other error", error: new Error("try again"), permanent: false },
    { what: "something that is no error", error: null, permanent: false },
  ])("threw $what: permanent is $permanent", ({ error, permanent }) => {
    expect(outcomeOf({ how: "threw", error }, undefined)).toMatchObject({ action: "fail", permanent });
  });

  it("a cancellation has a reason of its own class, which is an abort like the others", () => {
    expect(new CancelledError("why")).toBeInstanceOf(JobAborted);
    expect(new CancelledError("why")).toMatchObject({ name: "CancelledError", abortCause: "cancel" });
  });
});

describe("the text kept of an error", () => {
  it("has name, message, stack and cause", () => {
    const text = errorText(new TypeError("no such file", { cause: new Error("ENOENT") }));
    expect(text).toMatch(/^TypeError: no such file\n {4}at /);
    expect(text).toMatch(/\ncaused by Error: ENOENT$/);
  });

  it.each([
    ["just words", "just words"],
    [{ code: 7 }, 'handler threw {"code":7}'],
    [undefined, "handler threw undefined"],
    [7n, "handler threw bigint"],
  ])("of %o, which is no Error, is %s", (thrown, text) => {
    expect(errorText(thrown)).toBe(text);
  });
});
