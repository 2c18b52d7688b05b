import { describe, expect, it } from "vitest";
import { acquired, claimable, fenceOf, released, renewed, type LeaseSpec } from "./lease-record.ts";
import type { StoredMeta } from "./resources.ts";

const held: LeaseSpec = { holderIdentity: "other", leaseDurationSeconds: 15, renewTime: "1999-01-01T00:00:00.000000Z" };
const wallMs = Date.UTC(2030, 0, 2, 3, 4, 5, 678);

describe("a candidate may take a lease", () => {
  it.for<{ spec: LeaseSpec | undefined; unchangedMs: number; verdict: string }>([
    { spec: undefined, unchangedMs: 0, verdict: "never held" },
    { spec: {}, unchangedMs: 0, verdict: "never held" },
    { spec: { ...held, holderIdentity: "" }, unchangedMs: 0, verdict: "released" },
    { spec: { ...held, holderIdentity: "me" }, unchangedMs: 0, verdict: "our own" },
    { spec: held, unchangedMs: 0, verdict: "held" },
    { spec: held, unchangedMs: 14_999, verdict: "held" }, // whatever its renewTime says
    { spec: held, unchangedMs: 15_000, verdict: "expired" },
    { spec: { holderIdentity: "other" }, unchangedMs: 0, verdict: "expired" },
  ])("$spec seen unchanged for $unchangedMs ms: $verdict", ({ spec, unchangedMs, verdict }) => {
    expect(claimable(spec, "me", unchangedMs)).toBe(verdict);
  });
});

describe("the record", () => {
  it("of a first term counts no transition, of every other one more, also for the same holder", () => {
    const facts = { identity: "me", leaseDurationMs: 15_000, wallMs };
    expect(acquired(undefined, facts)).toEqual({
      holderIdentity: "me",
      leaseDurationSeconds: 15,
      acquireTime: "2030-01-02T03:04:05.678000Z",
      renewTime: "2030-01-02T03:04:05.678000Z",
      leaseTransitions: 0,
    });
    expect(acquired({ ...held, leaseTransitions: 7 }, facts).leaseTransitions).toBe(8);
    expect(acquired({ holderIdentity: "me", leaseTransitions: 8 }, facts).leaseTransitions).toBe(9);
  });

  it("of a renewal differs in its time, of a release also in having no holder and a short duration", () => {
    const spec = { ...held, leaseTransitions: 7, acquireTime: "a" };
    const renewTime = "2030-01-02T03:04:05.678000Z";
    expect(renewed(spec, wallMs)).toEqual({ ...spec, renewTime });
    expect(released(spec, wallMs)).toEqual({ ...spec, renewTime, holderIdentity: "", leaseDurationSeconds: 1 });
  });
});

it("the fence grows with every term, and with a new Lease of the name whatever the old one had counted to", () => {
  const meta = (creationTimestamp: string): StoredMeta => ({
    name: "l",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp,
  });
  const fences = [
    fenceOf(meta("2030-01-01T00:00:00Z"), undefined),
    fenceOf(meta("2030-01-01T00:00:00Z"), { leaseTransitions: 1 }),
    fenceOf(meta("2030-01-01T00:00:00Z"), { leaseTransitions: 999_999 }),
    fenceOf(meta("2030-01-01T00:00:01Z"), { leaseTransitions: 0 }),
    fenceOf(meta("2099-01-01T00:00:00Z"), { leaseTransitions: 999_999 }),
  ];
  expect(fences).toEqual([...fences].sort((a, b) => a - b));
  expect(new Set(fences).size).toBe(fences.length);
  expect(fences.every(Number.isSafeInteger)).toBe(true);
});
