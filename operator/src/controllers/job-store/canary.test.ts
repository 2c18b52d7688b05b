import { describe, expect, it } from "vitest";
import { knownAgeMs } from "../job-queue/health/ages.ts";
import { Canary } from "./canary.ts";

const beat = (seconds: number, serverStartedAt = 0) => ({ at: seconds * 1000, serverStartedAt, everyMs: 5_000 });

describe("the history of a canary (G15)", () => {
  it("begins with the first beat of this leader", () => {
    const canary = new Canary();
    expect(canary.beat(beat(100))).toEqual({ at: 100_000, since: 100_000, outages: [] });
    expect(canary.beat(beat(105))).toEqual({ at: 105_000, since: 100_000, outages: [] });
  });

  it("counts as outage all the time between the last beat before a failure and the first one after it", () => {
    const canary = new Canary();
    canary.beat(beat(100));
    canary.missed();
    canary.missed();
    expect(canary.beat(beat(108)).outages).toEqual([{ from: 100_000, to: 108_000 }]);
    expect(canary.beat(beat(113)).outages).toEqual([{ from: 100_000, to: 108_000 }]);
  });

  it("what failed before the first beat is before its time", () => {
    const canary = new Canary();
    canary.missed();
    expect(canary.beat(beat(100))).toEqual({ at: 100_000, since: 100_000, outages: [] });
  });

  it("takes beats that lie too far apart for an outage, and late ones not", () => {
    const canary = new Canary();
    canary.beat(beat(100));
    expect(canary.beat(beat(115)).outages).toEqual([]);
    expect(canary.beat(beat(130.001)).outages).toEqual([{ from: 115_000, to: 130_001 }]);
  });

  it("excuses workers after a change of credentials for as long as these take to reach them; an outage meanwhile is not counted twice", () => {
    const canary = new Canary();
    canary.beat(beat(100));
    canary.credentialsChanged();
    expect(canary.beat(beat(105)).outages).toEqual([{ from: 100_000, to: 225_000 }]);
    expect(canary.beat(beat(110)).outages).toEqual([{ from: 100_000, to: 225_000 }]);
    canary.missed();
    expect(canary.beat(beat(120)).outages).toEqual([{ from: 100_000, to: 225_000 }]);
    canary.missed();
    expect(canary.beat(beat(230)).outages).toEqual([{ from: 100_000, to: 230_000 }]);
    expect(knownAgeMs(100_000, canary.beat(beat(235)))).toBe(5_000);
  });

  it("takes the restart of the server, or another server, for an outage, also when its clock is behind", () => {
    const canary = new Canary();
    canary.beat(beat(100, 1));
    expect(canary.beat(beat(102, 2)).outages).toEqual([{ from: 100_000, to: 102_000 }]);
    expect(canary.beat(beat(90, 3)).outages.at(-1)).toEqual({ from: 90_000, to: 90_000 });
  });

  it("forgets an outage after an hour", () => {
    const canary = new Canary();
    canary.beat(beat(0));
    canary.missed();
    expect(canary.beat(beat(10)).outages).toHaveLength(1);
    for (let at = 15; at < 3_610; at += 5) expect(canary.beat(beat(at)).outages).toHaveLength(1);
    expect(canary.beat(beat(3_610)).outages).toEqual([]);
  });
});
