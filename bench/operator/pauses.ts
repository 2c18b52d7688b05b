import { setTimeout as sleep } from "node:timers/promises";
import { JOB_QUEUES } from "../../operator/src/controllers/kinds.ts";
import { keyOf } from "../../operator/src/kube/index.ts";
import type { Database } from "../../store/src/index.ts";
import { quantile } from "../statistics.ts";
import type { ScaleCluster } from "./cluster.ts";
import type { BenchQueue } from "./population.ts";
import type { Statuses } from "./statuses.ts";

/** Between two pauses that are measured one by one, milliseconds: the second is not to wait for what the first left to do. */
const GAP_MS = 100;

/** Patches under way at a time when many are sent at once. */
const LANES = 8;

/** How long a pause may take before the bench gives up. */
const PATIENCE_MS = 120_000;

/** One pause; milliseconds from when the patch of `spec.state` was sent. */
export interface Pause {
  /** Until the API server had answered the patch. */
  readonly answeredMs: number;
  /** Until the hold was committed in the store, by the commit timestamp of its row: the flush of the log comes after that. */
  readonly heldMs: number;
  /** Until a watch of the JobQueue brought a status with Paused=True. */
  readonly shownMs: number;
}

/** Pauses queues as `kubectl patch` does, one by one or all at once, and resumes them again. */
export class Pauses {
  readonly #cluster: ScaleCluster;
  readonly #statuses: Statuses;
  readonly #stores: ReadonlyMap<string, Database>;

  /** `stores`: by namespace. */
  constructor(cluster: ScaleCluster, statuses: Statuses, stores: ReadonlyMap<string, Database>) {
    this.#cluster = cluster;
    this.#statuses = statuses;
    this.#stores = stores;
  }

  /** One after the other. */
  async oneByOne(queues: readonly BenchQueue[]): Promise<readonly Pause[]> {
    const sent: Sent[] = [];
    for (const queue of queues) {
      const one = await this.set(queue, "Paused");
      sent.push({ ...one, shownAt: await one.shown });
      await sleep(GAP_MS);
    }
    return this.#measured(sent);
  }

  /** All in one go, as after `kubectl apply` of a directory. */
  async atOnce(queues: readonly BenchQueue[]): Promise<readonly Pause[]> {
    const patched = await this.#patchAll(queues, "Paused");
    return this.#measured(await Promise.all(patched.map(async (one) => ({ ...one, shownAt: await one.shown }))));
  }

  /** Resumes them, and waits until that shows. */
  async resume(queues: readonly BenchQueue[]): Promise<void> {
    const patched = await this.#patchAll(queues, "Active");
    await Promise.all(patched.map(({ shown }) => shown));
  }

  async #patchAll(queues: readonly BenchQueue[], state: State): Promise<readonly Patched[]> {
    const patched: Patched[] = [];
    const left = queues[Symbol.iterator]();
    const lane = async (): Promise<void> => {
      for (let next = left.next(); !next.done; next = left.next()) patched.push(await this.set(next.value, state));
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return patched;
  }

  /** Patches the state of one queue. `shown` resolves with the time when its status says so. */
  async set(queue: BenchQueue, state: State): Promise<Patched> {
    const { namespace, name } = queue;
    const shown = within(`${keyOf(queue)} to be ${state}`, this.#statuses.paused(keyOf(queue), state === "Paused"));
    shown.catch(() => {}); // whoever awaits it is told
    const sentAt = Date.now();
    await this.#cluster.edge.client.mergePatch(JOB_QUEUES, { namespace, name }, { spec: { state } });
    return { queue, sentAt, answeredAt: Date.now(), shown };
  }

  /** When the hold of each was committed. */
  async #measured(sent: readonly Sent[]): Promise<readonly Pause[]> {
    const heldAt = new Map<string, number>();
    for (const [namespace, store] of this.#stores) {
      const rows = await store.query<{ queue: string; at: Date }>(
        "select queue, pg_xact_commit_timestamp(xmin) as at from jobqueue.holds where name = 'spec'",
      );
      for (const { queue, at } of rows) heldAt.set(`${namespace}/${queue}`, at.getTime());
    }
    return sent.map(({ queue, sentAt, answeredAt, shownAt }) => {
      const held = heldAt.get(keyOf(queue));
      if (held === undefined) throw new Error(`${keyOf(queue)} says that it is paused, and its store has no hold`);
      return { answeredMs: answeredAt - sentAt, heldMs: held - sentAt, shownMs: shownAt - sentAt };
    });
  }
}

type State = "Paused" | "Active";

interface Patched {
  readonly queue: BenchQueue;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly shown: Promise<number>;
}

type Sent = Omit<Patched, "shown"> & { readonly shownAt: number };

/** "held p50 12 ms, p99 40 ms; shown p50 …". */
export function shownPauses(pauses: readonly Pause[]): string {
  const of = (part: keyof Pause): string => {
    const values = pauses.map((pause) => pause[part]);
    return `p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms, most ${quantile(values, 1)} ms`;
  };
  return `held in the store ${of("heldMs")}; shown as PAUSED ${of("shownMs")}`;
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = sleep(PATIENCE_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`waited ${PATIENCE_MS / 1000} s for ${what}`);
  });
  timer.catch(() => {});
  try {
    return await Promise.race([promise, timer]);
  } finally {
    late.abort();
  }
}
