import { describe, expect, it } from "vitest";
import { TokenBucket } from "./rate-limit.ts";
import { ManualClock } from "./testing/manual-clock.ts";

const bucketOf = (perSecond: number, burst: number) => {
  const clock = new ManualClock();
  return { clock, bucket: new TokenBucket({ clock, perSecond, burst }) };
};

describe("token bucket", () => {
  it("gives its burst at once and then one token per period", async () => {
    const { clock, bucket } = bucketOf(10, 3);
    expect([1, 2, 3, 4].map(() => bucket.tryTake())).toEqual([true, true, true, false]);
    await clock.advance(99);
    expect(bucket.tryTake()).toBe(false);
    await clock.advance(1);
    expect(bucket.tryTake()).toBe(true);
  });

  it("never holds more than its burst, however long it was left alone", async () => {
    const { clock, bucket } = bucketOf(10, 2);
    await clock.advance(3_600_000);
    expect([1, 2, 3].map(() => bucket.tryTake())).toEqual([true, true, false]);
  });

  it("tells each who reserves how long to wait, in the order they came", () => {
    const { bucket } = bucketOf(10, 1);
    expect([1, 2, 3].map(() => bucket.reserve())).toEqual([0, 100, 200]);
  });

  it("serves waiting takers in the order they came", async () => {
    const { clock, bucket } = bucketOf(1, 1);
    const served: number[] = [];
    for (const taker of [1, 2, 3]) void bucket.take().then(() => served.push(taker));
    await clock.advance(0);
    expect(served).toEqual([1]);
    await clock.advance(1000);
    expect(served).toEqual([1, 2]);
    await clock.advance(1000);
    expect(served).toEqual([1, 2, 3]);
  });

  it("takes the token back from a taker who gives up", async () => {
    const { clock, bucket } = bucketOf(1, 1);
    await bucket.take();
    const stop = new AbortController();
    const waiting = bucket.take(stop.signal);
    stop.abort();
    await expect(waiting).resolves.toBe(false);
    await clock.advance(1000);
    expect(bucket.tryTake()).toBe(true);
  });
});
