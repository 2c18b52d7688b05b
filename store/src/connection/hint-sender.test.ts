import { describe, expect, it } from "vitest";
import { HintSender } from "./hint-sender.ts";

/** Records what is sent; each sending ends when the test says so. */
class Wire {
  readonly sent: string[][] = [];
  readonly #ends: (() => void)[] = [];
  readonly send = async (queues: readonly string[]) => {
    this.sent.push([...queues]);
    await new Promise<void>((resolve) => {
      this.#ends.push(resolve);
    });
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
  it("the first leaves at once, those that come while it is sent leave together, each queue once", async () => {
    const wire = new Wire();
    const sender = new HintSender(wire.send, 0);
    sender.note(["a"]);
    expect(wire.sent).toEqual([["a"]]);
    sender.note(["b", "a"]);
    sender.note(["b"]);
    expect(wire.sent).toEqual([["a"]]);
    await wire.endAll(sender.flush());
    expect(wire.sent).toEqual([["a"], ["b", "a"]]);
  });

  it("flush sends at once what would have waited for the interval, and resolves when all is sent", async () => {
    const wire = new Wire();
    const sender = new HintSender(wire.send, 3_600_000);
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
    }, 0);
    sender.note(["a"]);
    await sender.flush();
    sender.note(["b"]);
    await sender.flush();
    expect(sent).toEqual([["a"], ["b"]]);
  });
});
