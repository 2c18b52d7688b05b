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
  deferred: 0,
  cancelled: 0,
  maxRunning: null,
  maxRunningPerKey: null,
  fair: false,
  rate: null,
  paused: false,
  holds: [],
};
const PLAIN = { width: undefined, colour: false };
const store = (queues: QueueView[], everyQueue: Hold[] = []): StoreView => ({ now: NOW, queues, everyQueue });

describe("the table of queues", () => {
  it("is followed by who holds a queue, why and for how long", () => {
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
        "QUEUE     STATE    PENDING   SCHEDULED   RUNNING   FAILED   DEAD   STALE   OLDEST",
        "mailers   paused      1200           3         0        0      4       0     121m",
        "reports   active         0           3         0        0      0       0        -",
        "",
        "Queue mailers is paused by ana@laptop: SMTP relay is down (for 30m).",
        "",
      ].join("\n"),
    );
    expect(renderStatus(store([idle]), [idle], PLAIN)).not.toContain("paused by");
  });

  it("is followed by deferred jobs and limits, of the queues that have any", () => {
    const limited = {
      ...QUEUE,
      deferred: 3,
      maxRunning: 20,
      maxRunningPerKey: 2,
      rate: { count: 100, perSeconds: 60 },
    };
    const text = renderStatus(store([QUEUE, limited]), [QUEUE, { ...limited, queue: "imports", fair: true }], PLAIN);
    expect(text).toMatch(
      /\n\nQueue imports: 3 deferred, at most 20 at once, at most 2 at once of each concurrency key, concurrency keys take turns, at most 100\/1m\.\n$/,
    );
  });

  it("tells a hold on every queue once", () => {
    const everywhere = { ...HOLD, queue: "*", reason: "moving" };
    const held = { ...QUEUE, paused: true, holds: [HOLD, everywhere] };
    const text = renderStatus(store([held], [everywhere]), [held], PLAIN);
    expect(text).toContain("\nEvery queue is paused by ana@laptop: moving (for 30m).\nQueue mailers is paused by ");
    expect(text.match(/moving/g)).toHaveLength(1);
    expect(renderStatus(store([], [everywhere]), [], PLAIN)).toContain("Every queue is paused by");
  });

  it("fits a terminal of 80 cells by cutting names, not numbers, and never who paused it and why", () => {
    const reason = "the relay of the provider has been refusing our messages since this morning";
    const held = { ...QUEUE, queue: "a-queue-with-quite-a-long-name", paused: true, holds: [{ ...HOLD, reason }] };
    const [head = "", row = "", , sentence] = renderStatus(store([held]), [held], { width: 80, colour: false }).split(
      "\n",
    );
    expect(Math.max(head.length, row.length)).toBeLessThanOrEqual(80);
    expect(row).toMatch(/^a-queue-with-… +paused +1200 +3 +0 +0 +4 +0 +121m$/);
    expect(sentence).toContain(reason);
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
