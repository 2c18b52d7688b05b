import { describe, expect, it } from "vitest";
import { Snapshot } from "./snapshot.ts";

/** A load that is finished by hand. */
function byHand() {
  const waiting: ((value: number) => void)[] = [];
  const load = async (): Promise<number> => new Promise((resolve) => waiting.push(resolve));
  const finish = async (value: number): Promise<void> => {
    waiting.shift()?.(value);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  };
  return { load, finish, started: () => waiting.length };
}

const now = (): Date => new Date(0);

describe("a snapshot", () => {
  it("is of the moment of the question: who asks while one is read gets the next one", async () => {
    const { load, finish } = byHand();
    const snapshot = new Snapshot({ load, now, patienceMs: 60_000 });
    const first = snapshot.read();
    const second = snapshot.read();
    await finish(1);
    expect(await first).toMatchObject({ value: 1, partial: false });
    await finish(2);
    expect(await second).toMatchObject({ value: 2, partial: false });
  });

  it("D1: is read once at a time, however many ask", async () => {
    const { load, finish, started } = byHand();
    const snapshot = new Snapshot({ load, now, patienceMs: 60_000 });
    const asked = Array.from({ length: 50 }, async () => snapshot.read());
    expect(started()).toBe(1);
    await finish(1);
    expect(started()).toBe(1);
    await finish(2);
    expect(new Set((await Promise.all(asked)).map(({ value }) => value))).toEqual(new Set([1, 2]));
    expect(started()).toBe(0);
  });

  it("D1: that takes too long is the last one, and says so, and rests before it is read again", async () => {
    const { load, finish, started } = byHand();
    let ms = 0;
    const snapshot = new Snapshot({ load, now: () => new Date(ms), patienceMs: 10 });
    const first = snapshot.read();
    ms = 5_000;
    await finish(1);
    await first;
    const last = { value: 1, at: new Date(0), partial: true };
    expect(await snapshot.read()).toEqual(last);
    expect(started()).toBe(0);
    ms = 25_000;
    expect(await snapshot.read()).toEqual(last);
    expect(started()).toBe(1);
    await finish(2);
    await snapshot.settle();
    ms = 100_000;
    expect(await snapshot.read()).toMatchObject({ value: 2, partial: true });
    await finish(3);
    await snapshot.settle();
  });

  it("that is usually quick is waited for when it hiccups", async () => {
    const { load, finish } = byHand();
    const snapshot = new Snapshot({ load, now, patienceMs: 10_000 });
    const first = snapshot.read();
    await finish(1);
    await first;
    const second = snapshot.read();
    await finish(2);
    expect(await second).toMatchObject({ value: 2, partial: false });
  });

  it("that fails says so, and the next one is read anew", async () => {
    let fail = true;
    const load = async (): Promise<number> => {
      if (fail) throw new Error("no store");
      return 1;
    };
    const snapshot = new Snapshot({ load, now, patienceMs: 1000 });
    await expect(snapshot.read()).rejects.toThrow("no store");
    fail = false;
    expect(await snapshot.read()).toMatchObject({ value: 1 });
  });
});
