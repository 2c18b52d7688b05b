/**
 * What became different between two looks at a store, as seen by those who have to be woken. Compared is what a status would
 * show: a backlog that moves within its rounding wakes nobody, so that the cost of a tick is one comparison and not one
 * reconcile per queue.
 */
import { totalsOf } from "./status/totals.ts";
import { backlogOf } from "../job-queue/status/backlog.ts";
import type {
  HoldSeen,
  QueueSeen,
  RestartSeen,
  ScheduleSeen,
  StoreSnapshot,
  StoreView,
  WorkerSeen,
} from "./store-view.ts";

/** Whom a change concerns. */
export interface StoreChange {
  /** The JobStore itself: whether the store answers, its version, its schema, stale jobs or holds. */
  readonly store: boolean;
  /** Every queue of the store. */
  readonly all: boolean;
  /** Names of queues. */
  readonly queues: ReadonlySet<string>;
  /** Pools whose workers came, went or fell silent. */
  readonly pools: ReadonlySet<string>;
}

const NOTHING: StoreChange = { store: false, all: false, queues: new Set(), pools: new Set() };
const EVERYTHING: StoreChange = { store: true, all: true, queues: new Set(), pools: new Set() };

/** The change from one view to the next. */
export function changesBetween(before: StoreView, after: StoreView): StoreChange {
  if (before.is !== "up" || after.is !== "up") return sameText(before, after) ? NOTHING : EVERYTHING;
  const facts = ({ serverVersion, schema, migrationFailed, secretProblem }: typeof before): unknown => [
    serverVersion,
    schema,
    migrationFailed,
    secretProblem,
  ];
  if (!before.snapshot || !after.snapshot)
    return sameText([facts(before), !before.snapshot], [facts(after), !after.snapshot]) ? NOTHING : EVERYTHING;
  const change = betweenSnapshots(before.snapshot, after.snapshot);
  return sameText(facts(before), facts(after)) ? change : { ...change, store: true };
}

function betweenSnapshots(before: StoreSnapshot, after: StoreSnapshot): StoreChange {
  const queues = new Set<string>();
  for (const name of new Set([...before.queues.keys(), ...after.queues.keys()])) {
    if (!sameCounts(before, after, name)) queues.add(name);
  }
  for (const name of new Set([...before.policies.keys(), ...after.policies.keys()])) {
    if (!sameText(before.policies.get(name), after.policies.get(name))) queues.add(name);
  }
  for (const name of changedGroups(before.schedules, after.schedules, ({ queue }) => queue)) queues.add(name);
  const held = changedGroups(before.holds, after.holds, (hold) => hold.queue);
  for (const name of held) if (name !== "*") queues.add(name);
  const pools = changedGroups(before.workers, after.workers, ({ pool }) => pool, workerFacts);
  for (const name of restartedPools(before, after)) pools.add(name);
  const stale = staleJobs(after) > 0; // looked at on every tick until there are none
  const settings = !sameText(before.settings, after.settings);
  const totals = !sameText(totalsOf(before), totalsOf(after));
  const vacuum = ({ oldSnapshots, vacuumTroubles }: StoreSnapshot): unknown => [oldSnapshots, vacuumTroubles];
  const hindered = !sameText(vacuum(before), vacuum(after));
  const calmed = staleJobs(before) > 0 && !stale;
  return {
    store: stale || calmed || settings || totals || hindered || held.size > 0,
    all: held.has("*"),
    queues,
    pools,
  };
}

function sameCounts(before: StoreSnapshot, after: StoreSnapshot, name: string): boolean {
  const [a, b] = [before.queues.get(name), after.queues.get(name)];
  if (!a || !b) return a === b;
  const shown = backlogOf(a, before.at, undefined);
  return sameText(shown, backlogOf(b, after.at, shown));
}

/** The groups that do not consist of the same entries before and after. */
function changedGroups<T extends HoldSeen | WorkerSeen | ScheduleSeen | RestartSeen>(
  before: readonly T[],
  after: readonly T[],
  groupOf: (entry: T) => string | undefined,
  factsOf: (entry: T) => unknown = (entry) => entry,
): Set<string> {
  const [a, b] = [before, after].map((entries) => {
    const groups = new Map<string, string[]>();
    for (const entry of entries) {
      const group = groupOf(entry);
      if (group === undefined) continue;
      groups.set(group, [...(groups.get(group) ?? []), JSON.stringify(factsOf(entry))]);
    }
    return groups;
  }) as [Map<string, string[]>, Map<string, string[]>];
  return new Set([...a.keys(), ...b.keys()].filter((group) => !sameText(a.get(group)?.sort(), b.get(group)?.sort())));
}

/** Of a worker, only that it is there and alive, kept idle, and gets on: its silence grows with every look, jobs come and go. */
const workerFacts = ({ id, podUid, alive, drained, progress }: WorkerSeen): unknown => [
  id,
  podUid,
  alive,
  drained,
  progress.state,
  progress.renewing,
  progress.slotsStuck >= progress.slots,
  (progress.lastClaimAgeMs ?? 0) >= CLAIMS_SELDOM_MS,
];

/** A claim loop that polls claims every few seconds when a slot is free. */
const CLAIMS_SELDOM_MS = 15_000;

/** The pools whose restarts went on, or that are told something else. */
function restartedPools(before: StoreSnapshot, after: StoreSnapshot): Set<string> {
  const facts = ({ id, state, refusedMs, workerIsBack }: RestartSeen): unknown => [
    id,
    state,
    refusedMs === undefined,
    workerIsBack,
  ];
  const pools = changedGroups(before.restarts, after.restarts, ({ pool }) => pool, facts);
  for (const name of new Set([...before.pools.keys(), ...after.pools.keys()])) {
    if (before.pools.get(name) !== after.pools.get(name)) pools.add(name);
  }
  return pools;
}

/** Running jobs without a live worker behind them, in the whole store. */
export function staleJobs({ queues }: StoreSnapshot): number {
  let sum = 0;
  for (const { stale } of queues.values() as Iterable<QueueSeen>) sum += stale;
  return sum;
}

const sameText = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
