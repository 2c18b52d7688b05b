import { setTimeout as sleep } from "node:timers/promises";
import { rowVersions } from "../../operator/src/testing/row-versions.ts";
import type { Database } from "../../store/src/index.ts";
import { median } from "../statistics.ts";
import type { OperatorProcess } from "./operator-process.ts";
import type { RequestCounts, Requests } from "./requests.ts";
import { USERS, type Stage } from "./stage.ts";

/** What an operator does while there is nothing to do. */
export interface Rest {
  readonly seconds: number;
  readonly rssMib: { readonly median: number; readonly most: number };
  /** Share of one core. */
  readonly cpu: number;
  readonly requests: RequestCounts;
  readonly bytes: { readonly sent: number; readonly received: number };
  /** What it asks of all stores together. */
  readonly statements: { readonly calls: number; readonly walBytes: number };
  /** Tables, of any store, that were written; those that workers' heartbeats and the operator's canary write are not looked at. */
  readonly tablesWritten: readonly string[];
  readonly scrape: { readonly bytes: number; readonly ms: number };
}

/** As Prometheus is mostly set. */
const SCRAPE_SECONDS = 15;

/** Written by every heartbeat of a worker, and by the canary at every look: one row each. */
const BEATEN: ReadonlySet<string> = new Set(["workers", "leaders"]);

/** Watches an operator at rest for a while; somebody scrapes it meanwhile. */
export async function measureRest(stage: Stage, operator: OperatorProcess, seconds: number): Promise<Rest> {
  const { cluster, requests, setup, stores } = stage;
  const { server } = setup;
  const versions = await versionsOf(stores);
  requests.take();
  const before = {
    cpu: operator.cpuSeconds(),
    sent: cluster.relay.sent,
    received: cluster.relay.received,
    statements: await server.statementsOf(USERS.operator),
    at: performance.now(),
  };
  const rss: number[] = [];
  const scrapes: { bytes: number; ms: number }[] = [];
  for (let second = 0; second < seconds; second++) {
    if (second % SCRAPE_SECONDS === 0) {
      const began = performance.now();
      scrapes.push({ bytes: await operator.scrape(), ms: performance.now() - began });
    }
    rss.push(operator.rssMib());
    // A scrape of 10,000 queues takes longer than its second.
    await sleep(Math.max(0, before.at + (second + 1) * 1000 - performance.now()));
  }
  const took = (performance.now() - before.at) / 1000;
  const statements = await server.statementsOf(USERS.operator);
  const result = {
    seconds: took,
    rssMib: { median: median(rss), most: Math.max(...rss) },
    cpu: (operator.cpuSeconds() - before.cpu) / took,
    requests: requests.take(),
    bytes: { sent: cluster.relay.sent - before.sent, received: cluster.relay.received - before.received },
    statements: {
      calls: statements.calls - before.statements.calls,
      walBytes: statements.walBytes - before.statements.walBytes,
    },
    scrape: { bytes: median(scrapes.map(({ bytes }) => bytes)), ms: median(scrapes.map(({ ms }) => ms)) },
  };
  const after = await versionsOf(stores);
  return {
    ...result,
    tablesWritten: [...after].filter(([table, now]) => versions.get(table) !== now).map(([table]) => table),
  };
}

async function versionsOf(stores: ReadonlyMap<string, Database>): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const [namespace, store] of stores) {
    for (const [table, versions] of Object.entries(await rowVersions(store))) {
      if (!BEATEN.has(table)) all.set(`${namespace} ${table}`, versions);
    }
  }
  return all;
}

/** Waits until the operator has written nothing for a while. */
export async function untilQuiet(requests: Requests, seconds: number, patienceSeconds: number): Promise<void> {
  const deadline = performance.now() + patienceSeconds * 1000;
  let quietSince = performance.now();
  while (performance.now() - quietSince < seconds * 1000) {
    await sleep(Math.min(1000, seconds * 1000));
    const { writes, by } = requests.take();
    if (writes > 0) quietSince = performance.now();
    if (performance.now() > deadline)
      throw new Error(`the operator still writes after ${patienceSeconds} s: ${JSON.stringify(by)}`);
  }
}
