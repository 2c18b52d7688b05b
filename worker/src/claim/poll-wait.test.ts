import { describe, expect, it } from "vitest";
import { LONGEST_POLL_MS, POLL_MS, pollWaitMs } from "./poll-wait.ts";

const ALMOST_ONE = 1 - Number.EPSILON;

describe("the wait between two polls", () => {
  it("is at most a second while no hints arrive, however long nothing was found", () => {
    for (const quietAnswers of [0, 1, 5, 1_000])
      expect(pollWaitMs({ hearing: false, quietAnswers, longestMs: LONGEST_POLL_MS }, ALMOST_ONE)).toBeCloseTo(POLL_MS);
  });

  it("doubles with every answer that there is nothing while hints arrive, up to the longest", () => {
    const waits = [0, 1, 2, 3, 4, 5, 10_000].map((quietAnswers) =>
      Math.round(pollWaitMs({ hearing: true, quietAnswers, longestMs: 10_000 }, ALMOST_ONE)),
    );
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it("is not shorter than without hints when heartbeats are frequent", () => {
    expect(pollWaitMs({ hearing: true, quietAnswers: 5, longestMs: 300 }, ALMOST_ONE)).toBeCloseTo(POLL_MS);
  });

  it("is spread over its upper half, so that workers that fell idle together do not ask together", () => {
    expect(pollWaitMs({ hearing: true, quietAnswers: 1, longestMs: 10_000 }, 0)).toBe(1_000);
    expect(pollWaitMs({ hearing: true, quietAnswers: 1, longestMs: 10_000 }, 0.5)).toBe(1_500);
  });
});
