import type { EndedMinute } from "@jobqueue/store";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { EndedHistory } from "./ended-history.ts";

const minute = (completed: number): EndedMinute => ({
  queue: "mail",
  minute: new Date(0),
  completed,
  dead: 0,
  cancelled: 0,
  p50Ms: null,
  p95Ms: null,
});
const log = pino({ level: "silent" });

/** Reads that end by hand, by a clock that goes by hand. */
function byHand(patienceMs: number) {
  const clock = { ms: 1_000_000 };
  const waiting: PromiseWithResolvers<readonly EndedMinute[]>[] = [];
  const history = new EndedHistory({
    load: async () => {
      const read = Promise.withResolvers<readonly EndedMinute[]>();
      waiting.push(read);
      return read.promise;
    },
    now: () => new Date(clock.ms),
    patienceMs,
    log,
  });
  return { history, clock, waiting };
}

describe("what ended, for charts", () => {
  it("D1: nobody waits for a store that takes long, and one read is under way however many ask", async () => {
    const { history, waiting } = byHand(1);
    const answers = await Promise.all([history.read(), history.read(), history.read()]);
    for (const answer of answers) expect(answer).toEqual({ minutes: [], at: undefined });
    expect(waiting).toHaveLength(1);
    waiting[0]?.resolve([minute(3)]);
    await history.settle();
    expect(await history.read()).toEqual({ minutes: [minute(3)], at: new Date(1_000_000) });
  });

  it("D1: a read that took ten seconds is not repeated for three minutes", async () => {
    const { history, clock, waiting } = byHand(1);
    await history.read();
    clock.ms += 10_000;
    waiting[0]?.resolve([minute(3)]);
    await history.settle();
    clock.ms += 189_999;
    await history.read();
    expect(waiting).toHaveLength(1);
    clock.ms += 1;
    await history.read();
    expect(waiting).toHaveLength(2);
    waiting[1]?.resolve([]);
  });

  it("D1: keeps what it has, with its age, when the store does not answer in time", async () => {
    const { history, clock, waiting } = byHand(60_000);
    const first = history.read();
    waiting[0]?.resolve([minute(3)]);
    expect((await first).minutes).toEqual([minute(3)]);
    clock.ms += 1;
    const second = history.read();
    waiting[1]?.reject(new Error("canceling statement due to statement timeout"));
    expect(await second).toEqual({ minutes: [minute(3)], at: new Date(1_000_000) });
  });
});
