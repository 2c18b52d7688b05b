import { Counter, Histogram, Registry } from "prom-client";
import { beforeEach, expect, it } from "vitest";
import { exposition } from "./exposition.ts";
import { LiveGauge, type Series } from "./live-gauge.ts";

let registry: Registry;
beforeEach(() => {
  registry = new Registry();
});

const aGauge = (...labelNames: string[]) =>
  new LiveGauge({ name: "jobs", help: 'Jobs\nof a "queue" \\ pool', labelNames, registers: [registry] });

async function pieces(text = exposition(registry)): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of text) all.push(piece);
  return all;
}

it("writes what the library would, whatever stands in labels, help and values", async () => {
  const gauge = aGauge("queue", "state");
  const series: Series[] = [
    { labels: { queue: "mail", state: "pending" }, value: 3 },
    { labels: { queue: 'a "quoted" \\ name\nof two lines', state: "" }, value: 0.1 + 0.2 },
    { labels: { queue: "e", state: "x" }, value: 1e21 },
    { labels: { queue: "i", state: "x" }, value: Infinity },
    { labels: { queue: "i", state: "y" }, value: -Infinity },
  ];
  gauge.show(() => series);
  const counter = new Counter({ name: "ticks_total", help: "Ticks", labelNames: ["outcome"], registers: [registry] });
  counter.inc({ outcome: "fired" });
  new Histogram({ name: "seconds", help: "Time", registers: [registry] }).observe(0.2);
  expect((await pieces()).join("").trim()).toBe((await registry.metrics()).trim());
});

it("writes no number as Prometheus does", async () => {
  aGauge("queue").show(() => [{ labels: { queue: "a" }, value: Number.NaN }]);
  expect((await pieces()).join("")).toContain('jobs{queue="a"} NaN\n');
});

it("a gauge that shows nothing is one that is set", async () => {
  aGauge("queue").set({ queue: "a" }, 7);
  expect((await pieces()).join("")).toContain('jobs{queue="a"} 7\n');
});

it("asks what is shown for each reader, also for one who asks the library, and keeps nothing", async () => {
  const gauge = aGauge("queue");
  let queues = ["a", "b"];
  gauge.show(() => queues.map((queue) => ({ labels: { queue }, value: 1 })));
  expect((await gauge.get()).values.map(({ labels }) => labels["queue"])).toEqual(["a", "b"]);
  queues = ["b"];
  expect((await gauge.get()).values).toEqual([{ labels: { queue: "b" }, value: 1 }]);
  expect((await pieces()).join("")).not.toContain('queue="a"');
});

it("lets others have their turn while it writes many series, and makes a series only when it is to be written", async () => {
  let made = 0;
  aGauge("queue").show(function* () {
    for (; made < 10_000; made += 1) yield { labels: { queue: String(made) }, value: 1 };
  });
  const text = exposition(registry);
  await text.next(); // the help
  const madeAtTurns: number[] = [];
  const reader = { reads: true };
  const others = (async () => {
    while (reader.reads) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      madeAtTurns.push(made);
    }
  })();
  const rest = await pieces(text);
  reader.reads = false;
  await others;
  expect(rest.join("").match(/^jobs/gm)).toHaveLength(10_000);
  const steps = madeAtTurns.map((now, turn) => now - (madeAtTurns[turn - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(1_001);
});
