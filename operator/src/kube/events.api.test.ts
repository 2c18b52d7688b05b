import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { sleep, systemClock } from "../runtime/clock.ts";
import { silentLog } from "../runtime/log.ts";
import { describeService } from "../runtime/service.suite.ts";
import { loadAccess } from "./access.ts";
import { EventRecorder, type EventFacts, type EventObject } from "./events.ts";
import { defineResource } from "./resources.ts";
import { connect, type Edge } from "./testing/edge.ts";
import { about, FaultProxy } from "./testing/fault-proxy.ts";

interface Event {
  readonly metadata?: object;
  readonly note?: string;
  readonly reason?: string;
  readonly regarding?: { readonly name?: string };
  readonly series?: { readonly count: number };
}

const EVENTS = defineResource<Event>({ group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" });
const kubeconfig = inject("kubeconfig");
let edge: Edge;
let namespace: string;
let recorder: EventRecorder;

const recorderOver = ({ client, metrics }: Edge) =>
  new EventRecorder({
    client,
    metrics,
    controller: "test/recorder",
    instance: "test-0",
    clock: systemClock,
    log: silentLog,
  });

beforeAll(async () => {
  edge = await connect(kubeconfig);
});

beforeEach(async () => {
  namespace = await createNamespace(kubeconfig, "events");
  recorder = recorderOver(edge);
  await recorder.start();
});

afterEach(() => recorder.stop());
afterAll(() => edge.close());

const thing = (name = "thing"): EventObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, uid: `uid of ${name}` },
});
const facts = (over: Partial<EventFacts> = {}): EventFacts => ({
  regarding: thing(),
  type: "Normal",
  reason: "Happened",
  action: "Did",
  note: "It happened.",
  ...over,
});
const stored = async () => (await edge.client.list(EVENTS, { namespace })).items;

describeService("an event recorder", () => ({ service: recorderOver(edge) }));

describe("a recorder", () => {
  it("writes what kubectl describe shows, and stop writes what still waits", async () => {
    recorder.record(facts({ related: thing("other"), type: "Warning" }));
    await recorder.stop();
    expect(await stored()).toMatchObject([
      {
        metadata: { namespace, name: expect.stringMatching(/^thing\.[0-9a-f]{16}$/) as string },
        reportingController: "test/recorder",
        reportingInstance: "test-0",
        eventTime: expect.stringMatching(/\.\d{6}Z$/) as string,
        type: "Warning",
        reason: "Happened",
        action: "Did",
        note: "It happened.",
        regarding: { apiVersion: "v1", kind: "ConfigMap", name: "thing", namespace, uid: "uid of thing" },
        related: { name: "other" },
      },
    ]);
  });

  it("counts repeats on the first event", async () => {
    for (let time = 0; time < 3; time += 1) recorder.record(facts());
    await recorder.stop();
    expect(await stored()).toMatchObject([
      { series: { count: 3, lastObservedTime: expect.stringMatching(/\.\d{6}Z$/) as string } },
    ]);
  });

  it("writes a repeated event anew when it has expired on the API server", async () => {
    recorder.record(facts());
    await writtenSoFar(1);
    const [first] = await stored();
    await edge.client.delete(EVENTS, { namespace, name: first?.metadata.name ?? "" });
    recorder.record(facts());
    await recorder.stop();
    expect(await stored()).toMatchObject([{ note: "It happened." }]);
  });

  it("does not flood the API server when one object makes a storm, nor loses what others say", async () => {
    for (let time = 0; time < 200; time += 1) recorder.record(facts({ note: `Storm ${time}.` }));
    recorder.record(facts({ regarding: thing("calm") }));
    const before = edge.requests.length;
    await recorder.stop();
    expect(edge.requests.length - before).toBe(26);
    const events = await stored();
    expect(events.filter(({ regarding }) => regarding?.name === "thing")).toHaveLength(11);
    expect(events.find(({ note }) => note?.startsWith("(combined"))).toMatchObject({ series: { count: 15 } });
    expect(events.filter(({ regarding }) => regarding?.name === "calm")).toHaveLength(1);
  });

  it("keeps within the limits of the API: long notes are cut between characters, long names shortened", async () => {
    const long = "n".repeat(253);
    recorder.record(facts({ note: "ä".repeat(1000), regarding: thing(long) }));
    await recorder.stop();
    const [event] = await stored();
    expect(event?.note).toMatch(/^ä{510}\.\.\.$/);
    expect(event?.regarding?.name).toBe(long);
  });

  it("writes events about what has no namespace into the default one", async () => {
    const node: EventObject = { apiVersion: "v1", kind: "Node", metadata: { name: `node-of-${namespace}` } };
    recorder.record(facts({ regarding: node }));
    await recorder.stop();
    const { items } = await edge.client.list(EVENTS, { namespace: "default" });
    expect(items.filter(({ regarding }) => regarding?.name === node.metadata.name)).toHaveLength(1);
  });
});

describe("when events cannot be written", () => {
  it("a refusal that no retry mends discards one event and no other", async () => {
    recorder.record(facts({ reason: "" }));
    recorder.record(facts());
    await recorder.stop();
    expect(await stored()).toMatchObject([{ reason: "Happened" }]);
  });

  it("K6: an event that arrived although its answer did not is there once, and repeats are counted on it", async () => {
    const proxy = await FaultProxy.start(await loadAccess({ kubeconfig }));
    const through = await connect(proxy.access);
    const cut = recorderOver(through);
    await cut.start();
    proxy.add({ when: about({ verb: "create", resource: "events" }), fault: { kind: "lost answer" }, times: 1 });
    proxy.add({ when: about({ verb: "patch", resource: "events" }), fault: { kind: "lost answer" }, times: 1 });
    cut.record(facts());
    cut.record(facts());
    await eventually("both to be written", async () =>
      (await through.metric("events", { result: "repeated" })) === 1 ? true : undefined,
    );
    await cut.stop();
    expect(await stored()).toMatchObject([{ note: "It happened.", series: { count: 2 } }]);
    await through.close();
    await proxy.stop();
  });

  it("an API server that is away for a moment is waited for, and one that stays away delays stop by five seconds at most", async () => {
    const proxy = await FaultProxy.start(await loadAccess({ kubeconfig }));
    const through = await connect(proxy.access);
    const late = recorderOver(through);
    await late.start();
    proxy.add({ when: () => true, fault: { kind: "reset" }, times: 1 });
    late.record(facts());
    await writtenSoFar(1);
    proxy.add({ when: () => true, fault: { kind: "silence" } });
    late.record(facts({ reason: "Other" }));
    const began = performance.now();
    await late.stop();
    expect(performance.now() - began).toBeLessThan(7000);
    expect(await through.metric("events", { result: "discarded" })).toBe(1);
    late.record(facts());
    expect(await through.metric("events", { result: "discarded" })).toBe(2);
    await through.close();
    await proxy.stop();
  });
});

/** Waits for the API server to have so many events of this test. */
async function writtenSoFar(count: number): Promise<void> {
  while ((await stored()).length < count) await sleep(systemClock, 20);
}
