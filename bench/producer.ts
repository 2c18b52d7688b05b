import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "./run-counter.ts";

/** Puts jobs with the ids from `from` on into the queue, the way its users are told to. */
export type Insert = (from: number, count: number) => Promise<void>;

/** How often a steady load inserts what is due, milliseconds. */
const LOAD_STEP_MS = 10;

/** Tenants of B9 beside the noisy one, and what each enqueues. */
const QUIET_TENANTS = 9;
const ARRIVALS_PER_SECOND = 10;

/** The commands `load` and `stopLoad`: jobs at a steady rate, open loop, so that a slow queue gets no less to do. */
export function steadyLoad(insert: Insert): {
  readonly load: (argument: { perSecond: number; from: number }) => void;
  readonly stopLoad: () => Promise<number>;
} {
  let stopping = new AbortController();
  let loading: Promise<number> = Promise.resolve(0);
  return {
    load({ perSecond, from }) {
      stopping = new AbortController();
      const { signal } = stopping;
      const startedMs = monotonicMs();
      loading = (async () => {
        let sent = 0;
        while (!signal.aborted) {
          const due = Math.floor(((monotonicMs() - startedMs) / 1000) * perSecond) - sent;
          if (due > 0) await insert(from + sent, due);
          sent += due;
          await sleep(LOAD_STEP_MS);
        }
        return sent;
      })();
    },
    async stopLoad() {
      stopping.abort();
      return loading;
    },
  };
}

/** The command `transactions`: how many of the caller's transactions, each with so many jobs, commit in a time. */
export function transactions(
  one: (rows: number) => Promise<void>,
): (argument: { rows: number; seconds: number }) => Promise<{ transactions: number; seconds: number }> {
  return async ({ rows, seconds }) => {
    await one(rows); // plans and connections are made
    const startedMs = monotonicMs();
    let count = 0;
    do {
      await one(rows);
      count++;
    } while (monotonicMs() - startedMs < seconds * 1000);
    return { transactions: count, seconds: (monotonicMs() - startedMs) / 1000 };
  };
}

/** The business write of each transaction of B8. */
export const BUSINESS_TABLE =
  "create table if not exists orders (id bigint generated always as identity primary key, placed_at timestamptz not null default now())";
export const BUSINESS_WRITE = "insert into orders default values";

/**
 * The command `arrivals`: nine tenants that enqueue ten jobs a second each. Resolves with each job's id and the time of
 * the call.
 */
export function arrivals(
  one: (tenant: string, id: number) => Promise<void>,
): (argument: { from: number; seconds: number }) => Promise<[number, number][]> {
  return async ({ from, seconds }) => {
    const called: [number, number][] = [];
    const startedMs = monotonicMs();
    for (let tick = 0; tick < seconds * ARRIVALS_PER_SECOND; tick++) {
      await sleep(Math.max(0, startedMs + (tick * 1000) / ARRIVALS_PER_SECOND - monotonicMs()));
      for (let tenant = 1; tenant <= QUIET_TENANTS; tenant++) {
        const id = from + tick * QUIET_TENANTS + tenant;
        called.push([id, monotonicMs()]);
        await one(`tenant-${tenant}`, id);
      }
    }
    return called;
  };
}
