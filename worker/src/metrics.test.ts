import perfHooks from "node:perf_hooks";
import { expect, it, vi } from "vitest";
import { METRICS, WorkerMetrics } from "./metrics.ts";

it("a worker exports the metrics of its table, each once, and beside them only those of the process", async () => {
  const text = await new WorkerMetrics().withProcessMetrics().registry.metrics();
  const exported = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
  const ours = exported.filter((name) => !/^(process|nodejs)_/.test(name));
  expect(ours.toSorted()).toEqual(Object.keys(METRICS).toSorted());
  expect(Object.values<{ help: string }>(METRICS).filter(({ help }) => help === "")).toEqual([]);
});

it("a worker has every series of a counter with a closed set of values from the start, so that the first event is an increase", async () => {
  const text = await new WorkerMetrics().registry.metrics();
  for (const reason of ["not_renewed", "store_said_so"])
    expect(text).toContain(`jobqueue_worker_leases_lost_total{reason="${reason}"} 0\n`);
  expect(text).toContain('jobqueue_worker_schedule_ticks_total{outcome="skipped"} 0\n');
});

it("the metrics of the process do not keep an idle worker awake: the event loop is not sampled, and no figure pretends that it is", async () => {
  const sampling = vi.spyOn(perfHooks, "monitorEventLoopDelay");
  const text = await new WorkerMetrics().withProcessMetrics().registry.metrics();
  expect(sampling.mock.calls.map(([options]) => options?.resolution)).toEqual([2 ** 31 - 1]);
  sampling.mockRestore();
  expect([...text.matchAll(/^# TYPE (nodejs_eventloop\S*)/gm)].map(([, name]) => name)).toEqual([
    "nodejs_eventloop_lag_seconds",
  ]);
});
