import { describe, expect, it } from "vitest";
import { ownerOfSpecHold, specActor } from "./spec-hold.ts";

const here = { metadata: { uid: "1f9a2b3c-0000-4000-8000-000000000000" } };
const elsewhere = { metadata: { uid: "deadbeef-0000-4000-8000-000000000000" } };
const ours = { name: "spec", source: "spec", actor: specActor("shop/mailers", here) };

describe("the owner of a hold `spec`", () => {
  it("is read from what the actor says", () => {
    expect(ours.actor).toBe("jobqueue-operator:shop/mailers@1f9a2b3c");
    expect(ownerOfSpecHold(ours, here)).toEqual({ namespace: "shop", name: "mailers" });
  });

  it.each([
    ["it bears another JobStore's UID, as that of another cluster does", ours, elsewhere],
    ["it has another name", { ...ours, name: "incident-42" }, here],
    ["it comes from somewhere else", { ...ours, source: "cli" }, here],
    ["a person set it", { ...ours, actor: "ana" }, here],
    ["its actor is cut short", { ...ours, actor: "jobqueue-operator:shop" }, here],
    ["its actor says more than it should", { ...ours, actor: `${ours.actor}@1f9a2b3c` }, here],
    ["its actor names no object", { ...ours, actor: "jobqueue-operator:shop/a/b@1f9a2b3c" }, here],
  ])("is nobody here when %s", (_sentence, hold, jobStore) => {
    expect(ownerOfSpecHold(hold, jobStore)).toBeUndefined();
  });
});
