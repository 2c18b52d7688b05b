import { describe, expect, it } from "vitest";
import { claimSize, type Hand, MAX_CLAIM, MAX_UNACKNOWLEDGED } from "./claim-size.ts";

const idle: Hand = { slots: 10, busy: 0, stuck: 0, buffered: 0, unacknowledged: 0, finishesPerMs: 0 };

describe("how many jobs a worker asks for", () => {
  it.each([
    { situation: "an idle worker fills its slots", hand: {}, size: 10 },
    { situation: "a full worker that finishes nothing asks for none", hand: { busy: 10 }, size: 0 },
    { situation: "one free slot is worth a claim", hand: { busy: 9 }, size: 1 },
    {
      situation: "at 100 jobs/s the jobs of the next 200 ms are fetched ahead",
      hand: { busy: 10, finishesPerMs: 0.1 },
      size: 20,
    },
    {
      situation: "a buffer more than half full is left alone",
      hand: { busy: 10, buffered: 11, finishesPerMs: 0.1 },
      size: 0,
    },
    { situation: "a buffer half empty is topped up", hand: { busy: 10, buffered: 10, finishesPerMs: 0.1 }, size: 10 },
    { situation: "a slow worker does not prefetch", hand: { busy: 10, finishesPerMs: 0.004 }, size: 0 },
    {
      situation: "prefetching is bounded however fast the jobs are",
      hand: { busy: 10, finishesPerMs: 100 },
      size: 500,
    },
    { situation: "a stuck slot is not free", hand: { busy: 10, stuck: 4 }, size: 0 },
    { situation: "all slots stuck means no claim", hand: { slots: 2, busy: 2, stuck: 2, finishesPerMs: 100 }, size: 0 },
    { situation: "a store that falls behind is given no more", hand: { unacknowledged: MAX_UNACKNOWLEDGED }, size: 0 },
    { situation: "a buffer larger than the allowance asks for none", hand: { busy: 8, buffered: 50 }, size: 0 },
    { situation: "a claim has an upper bound", hand: { slots: 9_000 }, size: MAX_CLAIM },
  ])("$situation", ({ hand, size }) => {
    expect(claimSize({ ...idle, ...hand }, { prefetch: 500 })).toBe(size);
  });

  it("never asks beyond the free slots when prefetching is off", () => {
    expect(claimSize({ ...idle, busy: 7, finishesPerMs: 100 }, { prefetch: 0 })).toBe(3);
    expect(claimSize({ ...idle, busy: 10, finishesPerMs: 100 }, { prefetch: 0 })).toBe(0);
  });
});
