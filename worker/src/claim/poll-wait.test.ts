import { describe, expect, it } from "vitest";
import { LONGEST_POLL_MS, POLL_MS, PollPace, pollWaitMs } from "./poll-wait.ts";

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

describe("the pace of a worker's polls", () => {
  const pace = (): PollPace => {
    const made = new PollPace(LONGEST_POLL_MS);
    made.hearing = true;
    made.claiming(0);
    return made;
  };

  it("is over when a job is due that the store knew of, however long the wait", () => {
    const one = pace();
    one.quiet(undefined, 0, 0);
    expect(one.isWorkDue(1e9)).toBe(false);
    one.quiet(400, 11_000, 0);
    expect(one.isWorkDue(399)).toBe(false);
    expect(one.isWorkDue(600)).toBe(true);
    expect(one.remainingMs(0)).toBeLessThanOrEqual(600);
  });

  it("leaves it to the next heartbeat when one said that there is nothing, but not the first time after a claim", () => {
    const one = pace();
    one.quiet(undefined, 11_000, 0);
    expect(one.remainingMs(0)).toBeLessThanOrEqual(2_000);
    one.quiet(undefined, 11_000, 0);
    expect(one.remainingMs(0)).toBe(11_000);
    one.claiming(0);
    expect(one.remainingMs(0)).toBeLessThanOrEqual(POLL_MS);
  });

  it("forgets what it knew when it claims: the store is asked again within a second", () => {
    const one = pace();
    one.quiet(60_000, 11_000, 0);
    one.claiming(60_000);
    expect(one.isWorkDue(61_000)).toBe(false);
    expect(one.remainingMs(60_000)).toBeLessThanOrEqual(POLL_MS);
  });
});
