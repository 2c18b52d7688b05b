import type { Hold } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { describeHold, isSpecHold, ownerOf, remedyFor } from "./holds.ts";
import { chooseHolds } from "./verbs/resume.ts";

const NOW = new Date("2026-08-01T12:00:00Z");
const minutes = (count: number): Date => new Date(NOW.getTime() + count * 60_000);

const ana: Hold = {
  queue: "mailers",
  name: "ana",
  reason: "SMTP down",
  actor: "ana@laptop",
  source: "cli",
  since: minutes(-30),
  until: minutes(20),
};
const incident: Hold = { ...ana, name: "incident-42", until: null };
const spec: Hold = {
  ...ana,
  name: "spec",
  source: "spec",
  reason: "release freeze",
  actor: "jobqueue-operator:shop/mailers@1f9a2b3c",
  until: null,
};
const everywhere: Hold = { ...incident, queue: "*", name: "move" };

describe("a hold in words", () => {
  it.each([
    [ana, "ana@laptop: SMTP down (for 30m, ends in 20m)"],
    [incident, "ana@laptop (incident-42): SMTP down (for 30m)"],
    [spec, "JobQueue shop/mailers: release freeze (for 30m)"],
    [{ ...spec, actor: "somebody" }, "somebody: release freeze (for 30m)"],
    [{ ...ana, reason: "" }, "ana@laptop: no reason given (for 30m, ends in 20m)"],
  ])("%#", (hold, words) => {
    expect(describeHold(hold, NOW)).toBe(words);
  });

  it("says what to do about it", () => {
    expect(remedyFor(ana)).toBe("jobqueue resume mailers --name ana");
    expect(remedyFor(everywhere)).toBe("jobqueue resume '*'");
    expect(remedyFor(spec)).toContain(
      `kubectl -n shop patch jobqueue mailers --type merge -p '{"spec":{"state":"Active"}}'`,
    );
    const store = { ...spec, queue: "*", actor: "jobqueue-operator:shop/default@1f9a2b3c" };
    expect(remedyFor(store)).toContain("kubectl -n shop patch jobstore default --type merge");
    expect(describeHold(store, NOW)).toMatch(/^JobStore shop\/default: /);
    expect(remedyFor({ ...spec, actor: "somebody" })).toContain("jobqueue resume mailers --name spec");
  });

  it("belongs to a JobQueue only when name, source and actor say so", () => {
    expect(isSpecHold(spec)).toBe(true);
    expect(isSpecHold({ ...ana, name: "spec" })).toBe(false);
    expect(ownerOf(spec)).toEqual({ kind: "JobQueue", namespace: "shop", name: "mailers" });
    expect(ownerOf({ ...spec, actor: "jobqueue-operator:shop/mailers/x@1" })).toBeUndefined();
    expect(ownerOf({ ...ana, actor: spec.actor })).toBeUndefined();
  });
});

describe("resume", () => {
  const holds = [ana, incident, spec, everywhere];

  it("releases what people hold on that queue, not what a JobQueue or '*' holds", () => {
    expect(chooseHolds(holds, "mailers", undefined)).toEqual([ana, incident]);
    expect(chooseHolds([everywhere], "*", undefined)).toEqual([everywhere]);
  });

  it("with a name releases only that hold, even 'spec' when it is asked for by name", () => {
    expect(chooseHolds(holds, "mailers", "incident-42")).toEqual([incident]);
    expect(chooseHolds(holds, "mailers", "spec")).toEqual([spec]);
  });

  it("with a name that holds nothing says what does", () => {
    expect(() => chooseHolds(holds, "mailers", "move")).toThrow("nothing named 'move' holds queue mailers");
    expect(() => chooseHolds([], "*", "move")).toThrow("nothing named 'move' holds '*'");
  });
});
