import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { sleep, systemClock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { describeService } from "../runtime/service.suite.ts";
import { ManualClock } from "../runtime/testing/manual-clock.ts";
import { Signals } from "../runtime/testing/signals.ts";
import { loadAccess } from "./access.ts";
import { LEASES } from "./lease-record.ts";
import { LeaderElector, type LeaderElectorOptions } from "./lease.ts";
import type { Term } from "./term.ts";
import { connect, type Edge } from "./testing/edge.ts";
import { FaultProxy } from "./testing/fault-proxy.ts";

const kubeconfig = inject("kubeconfig");
/** The real times, but tried more often: a slow machine costs nobody the lease. */
const TIMES = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 200 };
/** For tests in which a lease is to expire. */
const SHORT = { leaseDurationMs: 2000, renewDeadlineMs: 1400, retryPeriodMs: 200 };

let edge: Edge;
let proxy: FaultProxy;
let through: Edge;
let namespace: string;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  edge = await connect(kubeconfig);
  proxy = await FaultProxy.start(await loadAccess({ kubeconfig }));
  through = await connect(proxy.access);
});

beforeEach(async () => {
  namespace = await createNamespace(kubeconfig, "lease");
});

afterEach(async () => {
  proxy.clear();
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

afterAll(async () => {
  await through.close();
  await proxy.stop();
  await edge.close();
});

type Signal =
  { readonly what: "leading" | "over"; readonly term: Term } | { readonly logged: string; readonly fields: object };

/** An elector that leads until it must end, and tells of it. */
function elect(
  identity: string,
  { over = edge, work, ...options }: Partial<LeaderElectorOptions> & { over?: Edge; work?: Promise<void> } = {},
) {
  const signals = new Signals<Signal>();
  const line = (fields: object, logged: string) => signals.tell({ logged, fields });
  const log: Log = { debug: line, info: line, warn: line, error: line };
  const elector = new LeaderElector({
    client: over.client,
    namespace,
    leaseName: "test",
    identity,
    clock: systemClock,
    log,
    metrics: over.metrics,
    ...TIMES,
    lead: async (term) => {
      signals.tell({ what: "leading", term });
      if (work) return work;
      await new Promise((resolve) => {
        if (term.ending.aborted) resolve(undefined);
        term.ending.addEventListener("abort", resolve);
      });
      signals.tell({ what: "over", term });
    },
    ...options,
  });
  running.push(elector);
  const terms = () =>
    signals.all.flatMap((signal) => ("term" in signal && signal.what === "leading" ? [signal.term] : []));
  return {
    elector,
    signals,
    terms,
    /** Waits for its n-th term. */
    leads: (nth = 1) => signals.until(() => terms()[nth - 1]),
    over: () => signals.first((signal) => "what" in signal && signal.what === "over"),
    lostBecause: async () => {
      const signal = await signals.first(
        (candidate) => "logged" in candidate && candidate.logged === "no longer leading",
      );
      return (signal as unknown as { fields: { why: string } }).fields.why;
    },
  };
}

const lease = () => edge.client.get(LEASES, { namespace, name: "test" });

describeService("a leader elector", () => ({ service: elect("a").elector }));

describe("an election", () => {
  it("gives the lease to one, and its times have the six digits that the API server insists on", async () => {
    const [a, b] = [elect("a"), elect("b")];
    await a.elector.start();
    const term = await a.leads();
    expect(await edge.metric("leader", { name: "test" })).toBe(1);
    await b.elector.start();
    await b.signals.until(() => b.elector.holder);
    expect(b.elector.holder).toBe("a");
    expect(b.elector.term).toBeUndefined();
    expect(a.elector.term).toBe(term);
    expect((await lease()).spec).toMatchObject({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      renewTime: expect.stringMatching(/\.\d{6}Z$/) as string,
    });
  });

  it("renews the lease for as long as it leads", async () => {
    const { elector, leads } = elect("a");
    await elector.start();
    const term = await leads();
    const first = (await lease()).spec?.renewTime;
    await sleepUntilChanged(async () => (await lease()).spec?.renewTime, first);
    expect(term.isCurrent()).toBe(true);
  });

  it("whoever stops ends his work under renewals, then gives the lease back, and the next one leads with a larger fence", async () => {
    const work = Promise.withResolvers<void>();
    const [a, b] = [elect("a", { work: work.promise }), elect("b")];
    await a.elector.start();
    const first = await a.leads();
    await b.elector.start();
    const stopping = a.elector.stop();
    const before = (await lease()).spec?.renewTime;
    await sleepUntilChanged(async () => (await lease()).spec?.renewTime, before);
    expect(first.ending.aborted).toBe(true);
    expect(first.isCurrent()).toBe(true);
    expect(b.terms()).toEqual([]);
    const began = performance.now();
    work.resolve();
    await stopping;
    const second = await b.leads();
    expect(performance.now() - began).toBeLessThan(TIMES.leaseDurationMs); // it did not have to expire
    expect(second.fence).toBe(first.fence + 1);
    expect((await lease()).spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
  });

  it("a term whose work returns or throws by itself ends, and another may follow", async () => {
    let calls = 0;
    const thrice = Promise.withResolvers<void>();
    const { elector } = elect("a", {
      lead: async () => {
        calls += 1;
        if (calls === 1) throw new Error("a defect");
        if (calls === 3) thrice.resolve();
      },
    });
    await elector.start();
    await thrice.promise;
    expect((await lease()).spec?.leaseTransitions).toBeGreaterThanOrEqual(1);
  });

  it("a lease of an earlier life is taken back at once, as a new term", async () => {
    const first = elect("a", { work: new Promise(() => {}) }); // dies: never ends, is never stopped
    running.pop();
    await first.elector.start();
    const { fence } = await first.leads();
    const second = elect("a");
    const began = performance.now();
    await second.elector.start();
    expect((await second.leads()).fence).toBe(fence + 1);
    expect(performance.now() - began).toBeLessThan(TIMES.leaseDurationMs);
    await first.signals.until(() => first.elector.term === undefined); // it sees that the lease is of another term
  });
});

describe("authority is lost", () => {
  it("when the lease cannot be renewed in time, before anybody else may lead", async () => {
    const [a, b] = [elect("a", { over: through, ...SHORT }), elect("b")];
    await a.elector.start();
    const first = await a.leads();
    await b.elector.start();
    await b.signals.until(() => b.elector.holder);
    proxy.add({ when: () => true, fault: { kind: "silence" } });
    await a.over();
    expect(first.isCurrent()).toBe(false);
    expect(b.terms()).toEqual([]);
    const second = await b.leads();
    expect(second.fence).toBeGreaterThan(first.fence);
    proxy.clear();
    expect(await a.lostBecause()).toMatch(/could not be renewed in time/);
  });

  it("at once when the Lease object is deleted, and the fence still grows", async () => {
    const { elector, leads, lostBecause } = elect("a");
    await elector.start();
    const first = await leads();
    await sleep(systemClock, 1000 - (Date.now() % 1000)); // creation times are whole seconds
    await edge.client.delete(LEASES, { namespace, name: "test" });
    expect(await lostBecause()).toMatch(/deleted/);
    expect((await leads(2)).fence).toBeGreaterThan(first.fence);
  });

  it("at once when somebody else is written in it", async () => {
    const { elector, leads, lostBecause } = elect("a");
    await elector.start();
    const term = await leads();
    await edge.client.mergePatch(LEASES, { namespace, name: "test" }, { spec: { holderIdentity: "thief" } });
    expect(await lostBecause()).toMatch(/thief holds the lease/);
    expect(term.lost.aborted).toBe(true);
  });

  it.for<{ what: string; pass: (clock: ManualClock) => void }>([
    // SIGSTOP, or a loop that blocked: all timers are late, and the next renewal is due before the end of authority.
    { what: "the process stood still", pass: (clock) => clock.freeze(TIMES.renewDeadlineMs) },
    // The monotonic clock did not run either: no timer is late, and the next renewal comes in time.
    { what: "the machine was suspended", pass: (clock) => clock.jumpWall(TIMES.renewDeadlineMs) },
  ])("as the first thing after $what, and nothing is written with it", async ({ pass }) => {
    const clock = new ManualClock(Date.now());
    const { elector, terms, signals } = elect("a", { clock, over: through });
    const writes = () =>
      proxy.requests.filter(({ method, url }) => method === "PUT" && url.includes(`/${namespace}/`)).length;
    await elector.start();
    await tick(clock, () => terms().length === 1);
    const [term] = terms() as [Term];
    await tick(clock, () => writes() === 1);
    await tick(clock, () => clock.timers === 2); // the renewal is done: what waits is the next one, and the end of authority
    pass(clock);
    expect(term.isCurrent()).toBe(false);
    expect(elector.term).toBeUndefined();
    await tick(clock, () => signals.all.some((signal) => "logged" in signal && signal.logged === "no longer leading"));
    expect(writes()).toBe(1);
    expect(term.lost.aborted).toBe(true);
    const stopping = elector.stop();
    await tick(clock, () => elector.term === undefined);
    await stopping;
  });
});

/** Moves a manual clock on in small steps, with real requests between them, until something holds. */
async function tick(clock: ManualClock, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await sleep(systemClock, 2);
    await clock.advance(2);
  }
}

/** Waits for another process's (the API server's) state. */
async function sleepUntilChanged<T>(read: () => Promise<T>, from: T): Promise<void> {
  while ((await read()) === from) await sleep(systemClock, 20);
}

describe("authority stays", () => {
  it("when somebody edits the metadata of the lease", async () => {
    const { elector, leads, terms } = elect("a");
    await elector.start();
    const term = await leads();
    const slow = await edge.metric("leaderSlowPath", { name: "test" });
    await edge.client.mergePatch(LEASES, { namespace, name: "test" }, { metadata: { annotations: { note: "x" } } });
    const { renewTime } = (await lease()).spec ?? {};
    await sleepUntilChanged(async () => (await lease()).spec?.renewTime, renewTime);
    expect(term.isCurrent()).toBe(true);
    expect(terms()).toHaveLength(1);
    expect(await edge.metric("leaderSlowPath", { name: "test" })).toBe(slow + 1);
  });

  it.for([
    { what: "a renewal arrives and its answer does not", fault: { kind: "lost answer" }, times: 1 },
    { what: "some renewals fail", fault: { kind: "answer", code: 500 }, times: 3 },
    { what: "connections are reset", fault: { kind: "reset" }, times: 2 },
  ] as const)("when $what", async ({ fault, times }) => {
    const { elector, leads, terms } = elect("a", { over: through });
    await elector.start();
    const term = await leads();
    await proxy.add({ when: ({ method }) => method === "PUT", fault, times }).spent;
    const { renewTime } = (await lease()).spec ?? {};
    await sleepUntilChanged(async () => (await lease()).spec?.renewTime, renewTime);
    expect(term.isCurrent()).toBe(true);
    expect(terms()).toHaveLength(1);
  });
});

describe("a candidate", () => {
  it("waits for the whole lease duration since it saw a change, whatever times are written in it", async () => {
    const spec = { holderIdentity: "dead", leaseDurationSeconds: 1, renewTime: "2001-01-01T00:00:00.000000Z" };
    await edge.client.create(LEASES, { metadata: { namespace, name: "test" }, spec });
    const { elector, leads } = elect("a");
    const began = performance.now();
    await elector.start();
    const term = await leads();
    expect(performance.now() - began).toBeGreaterThanOrEqual(1000);
    expect(term.transitions).toBe(1);
  });

  it("keeps trying while the API server cannot be reached", async () => {
    proxy.add({ when: () => true, fault: { kind: "reset" }, times: 6 });
    const { elector, leads } = elect("a", { over: through });
    await elector.start();
    expect((await leads()).isCurrent()).toBe(true);
  });
});

it("times that would let two terms overlap are refused", () => {
  expect(() => elect("a", { leaseDurationMs: 1000, renewDeadlineMs: 1000 })).toThrow(RangeError);
  expect(() => elect("a", { renewDeadlineMs: 220, retryPeriodMs: 200 })).toThrow(RangeError);
});

describe("a leader in a process of its own", () => {
  interface Said {
    readonly what: "leading" | "acting" | "ending" | "lost";
    readonly fence?: number;
    readonly at?: number;
  }

  it("that is stopped past its lease and continued does not act again, although nobody could tell it", async () => {
    const signals = new Signals<Said>();
    const program = fileURLToPath(new URL("testing/elector-process.ts", import.meta.url));
    const child = spawn(process.execPath, [program, kubeconfig, namespace, "frozen"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    try {
      createInterface(child.stdout).on("line", (line) => signals.tell(JSON.parse(line) as Said));
      const { fence = 0 } = await signals.first(({ what }) => what === "leading");
      const successor = elect("successor");
      await successor.elector.start();
      await successor.signals.until(() => successor.elector.holder);
      child.kill("SIGSTOP");
      const term = await successor.leads();
      const since = Date.now();
      child.kill("SIGCONT");
      await signals.first(({ what }) => what === "lost");
      expect(term.fence).toBeGreaterThan(fence);
      expect(signals.all.filter(({ what, at = 0 }) => what === "acting" && at >= since)).toEqual([]);
      expect(term.isCurrent()).toBe(true);
      child.kill("SIGTERM");
      await exited;
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
  });
});
