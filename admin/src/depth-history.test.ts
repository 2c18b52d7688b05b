import type { QueueStats } from "@jobqueue/store";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { NO_JOBS } from "../../store/src/testing/no-jobs.ts";
import { DepthHistory } from "./depth-history.ts";

const stats = (queue: string, pending: number): QueueStats => ({
  queue,
  ...NO_JOBS,
  pending,
  running: 1,
  oldestPendingSeconds: pending === 0 ? null : 3,
});
const seen = (second: number, ...value: QueueStats[]) => ({ value, at: new Date(second * 1000), partial: false });
const history = () => new DepthHistory({ read: async () => seen(0), log: pino({ level: "silent" }) });

describe("the history of depths", () => {
  it("keeps an hour of samples for each queue, the oldest first", () => {
    const depths = history();
    for (let n = 1; n <= 250; n++) depths.record(seen(n, stats("a", n), stats("b", 0)));
    expect(depths.of().map(({ queue }) => queue)).toEqual(["a", "b"]);
    const [a] = depths.of("a");
    expect(a?.points).toHaveLength(240);
    expect(a?.points.at(-1)).toEqual({
      at: new Date(250_000).toISOString(),
      pending: 250,
      running: 1,
      oldestPendingSeconds: 3,
    });
  });

  it("does not record twice the count that a slow store gave last", () => {
    const depths = history();
    depths.record(seen(5, stats("a", 1)));
    depths.record(seen(5, stats("a", 1)));
    expect(depths.of("a")[0]?.points).toHaveLength(1);
  });

  it("forgets a queue that was deleted", () => {
    const depths = history();
    depths.record(seen(1, stats("a", 1)));
    depths.record(seen(2, stats("b", 1)));
    expect(depths.of().map(({ queue }) => queue)).toEqual(["b"]);
  });
});
