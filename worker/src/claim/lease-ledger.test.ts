import { StoreError } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { LeaseLedger } from "./lease-ledger.ts";

const jobs = (leaseToken: string, count: number): { leaseToken: string }[] =>
  Array.from({ length: count }, () => ({ leaseToken }));

describe("what a worker says about its claims", () => {
  it("is nothing while all of them have jobs in hand", () => {
    const ledger = new LeaseLedger(1_000);
    ledger.claimed(jobs("9", 2));
    ledger.settled(jobs("9", 1));
    expect(ledger.said).toEqual({});
  });

  it("is which are over, until the store heard it", () => {
    const ledger = new LeaseLedger(1_000);
    ledger.claimed(jobs("9", 2));
    ledger.claimed(jobs("10", 1));
    ledger.settled(jobs("9", 2));
    const { said } = ledger;
    expect(said).toEqual({ doneTokens: ["9"] });
    ledger.settled(jobs("10", 1));
    ledger.answered(said, 0);
    expect(ledger.said).toEqual({ doneTokens: ["10"] });
  });

  it("P4: is also which it knows, from a claim whose answer was lost until none such can commit any more", () => {
    const ledger = new LeaseLedger(1_000);
    ledger.claimed(jobs("9", 1));
    ledger.failed(new StoreError("gone", { code: "connection_lost", retry: "reconnect" }), 5_000);
    expect(ledger.said).toEqual({ heldTokens: ["9"] });
    ledger.answered(ledger.said, 5_999);
    expect(ledger.said).toEqual({ heldTokens: ["9"] });
    ledger.answered(ledger.said, 6_000);
    expect(ledger.said).toEqual({});
  });

  it("knows whether one job is all that is in hand, and whether nothing is", () => {
    const ledger = new LeaseLedger(1_000);
    const [job] = jobs("9", 1) as [{ leaseToken: string }];
    expect(ledger.empty).toBe(true);
    ledger.claimed(jobs("9", 2));
    expect(ledger.holdsOnly(job)).toBe(false);
    ledger.claimed(jobs("10", 1));
    ledger.settled(jobs("9", 1));
    expect(ledger.holdsOnly(job)).toBe(false);
    ledger.settled(jobs("10", 1));
    expect(ledger.holdsOnly(job)).toBe(true);
    expect(ledger.empty).toBe(false);
    ledger.settled(jobs("9", 1));
    expect(ledger.empty).toBe(true);
    ledger.failed(new StoreError("gone", { code: "connection_lost", retry: "reconnect" }), 0);
    expect(ledger.empty, "who knows what that claim brought").toBe(false);
  });

  it("P4: is nothing more after a claim that the store refused", () => {
    const ledger = new LeaseLedger(1_000);
    ledger.failed(new StoreError("no", { code: "timeout", retry: "backoff", sqlstate: "57014" }), 5_000);
    expect(ledger.said).toEqual({});
  });
});
