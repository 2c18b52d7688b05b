import type { Hold } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { findQueue, type QueueView, type StoreView } from "../queues.ts";
import { renderStatus } from "./status.ts";

const NOW = new Date("2026-08-01T12:00:00Z");
const HOLD: Hold = {
  queue: "mailers",
  name: "ana",
  reason: "SMTP relay is down",
  actor: "ana@laptop",
  source: "cli",
  since: new Date("2026-08-01T11:30:00Z"),
  until: null,
};
const QUEUE: QueueView = {
  queue: "mailers",
  pending: 1200,
  scheduled: 3,
  running: 0,
  failed: 0,
  dead: 4,
  stale: 0,
  oldestPendingSeconds: 7260,
  oldestPendingSince: new Date("2026-08-01T09:59:00Z"),
  paused: false,
  holds: [],
};
const PLAIN = { width: undefined, colour: false };
const store = (queues: QueueView[], everyQueue: Hold[] = []): StoreView => ({ now: NOW, queues, everyQueue });

describe("the table of queues", () => {
  it("says who holds a queue, why and for how long, and has no such column where nobody does", () => {
    const held = { ...QUEUE, paused: true, holds: [HOLD] };
    const idle = {
      ...QUEUE,
      queue: "reports",
      pending: 0,
      dead: 0,
      oldestPendingSeconds: null,
      oldestPendingSince: null,
    };
    expect(renderStatus(store([held, idle]), [held, idle], PLAIN)).toBe(
      [
        "QUEUE     STATE    PENDING   SCHEDULED   RUNNING   FAILED   DEAD   STALE   OLDEST   PAUSED BY",
        "mailers   paused      1200           3         0        0      4       0     121m   ana@laptop: SMTP relay is down (for 30m)",
        "reports   active         0           3         0        0      0       0        -",
        "",
      ].join("\n"),
    );
    expect(renderStatus(store([idle]), [idle], PLAIN)).not.toContain("PAUSED BY");
  });

  it("tells a hold on every queue once, above the table", () => {
    const everywhere = { ...HOLD, queue: "*", reason: "moving" };
    const held = { ...QUEUE, paused: true, holds: [everywhere] };
    const text = renderStatus(store([held], [everywhere]), [held], PLAIN);
    expect(text.split("\n")[0]).toBe("Every queue is paused by ana@laptop: moving (for 30m)");
    expect(text).toMatch(/every queue\n$/);
    expect(text.match(/moving/g)).toHaveLength(1);
  });

  it("fits a terminal of 80 cells by cutting what people wrote, not the numbers", () => {
    const held = { ...QUEUE, queue: "a-queue-with-quite-a-long-name", paused: true, holds: [HOLD] };
    const lines = renderStatus(store([held]), [held], { width: 100, colour: false })
      .trimEnd()
      .split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines[1]).toMatch(/1200 +3 +0 +0 +4 +0 +121m/);
  });

  it("says how to begin when there is no queue", () => {
    expect(renderStatus(store([]), [], PLAIN)).toContain("jobqueue enqueue QUEUE KIND");
  });
});

describe("a queue that is asked for by name", () => {
  it("is found, or the nearest one is suggested", () => {
    expect(findQueue(store([QUEUE]), "mailers")).toBe(QUEUE);
    expect(() => findQueue(store([QUEUE]), "mailer")).toThrow(
      expect.objectContaining({ exit: "notFound", remedy: "Did you mean mailers?" }),
    );
    expect(() => findQueue(store([]), "mailer")).toThrow(
      expect.objectContaining({ remedy: "The store has no queues yet." }),
    );
  });
});
