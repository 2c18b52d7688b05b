import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreError } from "@jobqueue/store";
import { afterEach, describe, expect, it } from "vitest";
import { outcomeOf } from "./logged-session.ts";
import { appendLine, parseProcessLog, ProcessLog, readProcessLogs } from "./process-log.ts";

const directory = mkdtempSync(join(tmpdir(), "jobqueue-history-"));
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("the log of a process", () => {
  it("reads back calls with their answers, deeds and faults, and a call without an answer as unknown", () => {
    const log = new ProcessLog(directory, "worker-1");
    const first = log.invoke("complete", { leased: [{ job: "5", token: 3 }] });
    log.write({ e: "answer", t: 2, call: first, outcome: "ok", lost: ["5"] });
    log.invoke("claim");
    log.write({ e: "deed", t: 3, what: "started", job: "5", token: 3, queue: "q" });
    log.close();
    appendLine(directory, "faults", { e: "fault", t: 4, id: "W1", target: "worker-1", to: 5 });
    const { calls, deeds, faults } = readProcessLogs(directory);
    expect(calls.map(({ process, operation, outcome, lost }) => [process, operation, outcome, lost])).toEqual([
      ["worker-1", "complete", "ok", ["5"]],
      ["worker-1", "claim", "unknown", []],
    ]);
    expect(deeds).toEqual([{ process: "worker-1", at: 3, what: "started", job: "5", token: 3, queue: "q" }]);
    expect(faults).toEqual([{ id: "W1", target: "worker-1", from: 4, to: 5 }]);
  });

  it("a last line that was cut short by a kill is no line", () => {
    const { calls } = parseProcessLog("w", '{"e":"invoke","t":1,"call":1,"op":"claim"}\n{"e":"answer","t":2,"ca');
    expect(calls.map(({ outcome }) => outcome)).toEqual(["unknown"]);
  });
});

describe("an error says whether the statement took effect", () => {
  const error = (code: StoreError["code"], sqlstate?: string): StoreError =>
    new StoreError("x", { code, retry: "never", sqlstate });
  it.each([
    ["the server refused it", error("invalid_input", "22023"), "fail"],
    ["the server rolled it back", error("timeout", "57014"), "fail"],
    ["the server had no room", error("overloaded", "53300"), "fail"],
    ["we refused it ourselves", error("invalid_input"), "fail"],
    ["the connection was lost", error("connection_lost"), "unknown"],
    ["the server ended the session", error("connection_lost", "57P01"), "unknown"],
    ["no answer came in time", error("timeout"), "unknown"],
    ["something else threw", new Error("x"), "unknown"],
  ])("%s", (_, thrown, outcome) => {
    expect(outcomeOf(thrown)).toBe(outcome);
  });
});
