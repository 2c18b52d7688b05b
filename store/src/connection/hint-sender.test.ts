import { afterEach, describe, expect, it, vi } from "vitest";
import { HintSender } from "./hint-sender.ts";

/** Records what is sent; each sending ends when the test says so, and answers how long to wait between two. */
class Wire {
  readonly sent: string[][] = [];
  readonly #intervalMs: number;
  readonly #ends: (() => void)[] = [];
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }
  readonly send = async (queues: readonly string[]) => {
    this.sent.push([...queues]);
    await new Promise<void>((resolve) => {
      this.#ends.push(resolve);
    });
    return this.#intervalMs;
  };
  /** Ends the oldest sending that is under way. */
  end(): void {
    this.#ends.shift()?.();
  }
  async endAll(flushed: Promise<void>): Promise<void> {
    const state = { done: false };
    void flushed.then(() => (state.done = true));
    while (!state.done) {
      this.end();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}

describe("hints", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("the first leaves at once, those that come while it is sent leave together, each queue once", async () => {
    const wire = new Wire(0);
    const sender = new HintSender(wire.send);
    sender.note(["a"]);
    expect(wire.sent).toEqual([["a"]]);
    sender.note(["b", "a"]);
    sender.note(["b"]);
    expect(wire.sent).toEqual([["a"]]);
    await wire.endAll(sender.flush());
    expect(wire.sent).toEqual([["a"], ["b", "a"]]);
  });

  it("flush sends at once what would have waited for the interval, and resolves when all is sent", async () => {
    const wire = new Wire(3_600_000);
    const sender = new HintSender(wire.send);
    sender.note(["a"]);
    wire.end();
    sender.note(["b"]);
    const flushed = sender.flush();
    sender.note(["c"]);
    await wire.endAll(flushed);
    expect(wire.sent).toEqual([["a"], ["b", "c"]]);
    await sender.flush();
  });

  it("what cannot be sent is dropped, and the next is sent all the same", async () => {
    const sent: string[][] = [];
    const sender = new HintSender(async (queues) => {
      sent.push([...queues]);
      if (sent.length === 1) throw new Error("no connection");
      return undefined;
    });
    sender.note(["a"]);
    await sender.flush();
    sender.note(["b"]);
    await sender.flush();
    expect(sent).toEqual([["a"], ["b"]]);
  });

  it("waits between two as long as the store last said, is at once again after a pause, and asks anew now and then", async () => {
    vi.useFakeTimers();
    const sent: { readonly atMs: number; readonly asked: boolean }[] = [];
    const beganMs = performance.now();
    const sender = new HintSender(async (_queues, asked) => {
      sent.push({ atMs: performance.now() - beganMs, asked });
      return Promise.resolve(asked ? (sent.length === 1 ? 50 : 20) : undefined);
    });
    const noteFor = async (ms: number): Promise<void> => {
      for (let at = 0; at < ms; at++) {
        sender.note(["a"]);
        await vi.advanceTimersByTimeAsync(1);
      }
    };
    await noteFor(120);
    await vi.advanceTimersByTimeAsync(10_000);
    await noteFor(30);
    await sender.flush();
    expect(sent).toEqual([
      { atMs: 0, asked: true },
      { atMs: 50, asked: false },
      { atMs: 100, asked: false },
      { atMs: 150, asked: false },
      { atMs: 10_120, asked: true },
      { atMs: 10_140, asked: false },
      { atMs: 10_150, asked: false },
    ]);
  });

  it("a store that cannot say how long to wait still gets its hints", async () => {
    const sent: string[][] = [];
    const sender = new HintSender(async (queues, asked) => {
      if (asked) throw new Error("permission denied");
      sent.push([...queues]);
      return Promise.resolve(undefined);
    });
    for (const queue of ["a", "b", "c"]) {
      sender.note([queue]);
      await sender.flush();
    }
    expect(sent).toEqual([["b"], ["c"]]);
  });
});
