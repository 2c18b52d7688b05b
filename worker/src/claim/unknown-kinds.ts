import { backoffMs } from "../backoff.ts";

/**
 * What to do about jobs that no handler of this worker knows. They are given back untouched, at once, so that the store
 * tells the truth (pending) and a worker that knows the kind can have them. Two things must then not happen:
 *
 * - starvation: unknown jobs at the head of a queue must not hide the known ones behind them, so claims look past twice as
 *   many as were seen there, at once. A claim that also yields known jobs costs one more row per unknown job, which is cheap;
 * - a hot loop of claiming and giving back: a queue that yields nothing else, or more of them than a claim looks past, is
 *   left alone for a while, longer each time.
 */
export interface QueueOutlook {
  /** Monotonic time before which the queue is not claimed from. */
  readonly restUntilMs: number;
  /** Claims in a row that yielded only unknown kinds. */
  readonly fruitless: number;
  /** How many jobs more than needed a claim asks for, to get behind the unknown ones. */
  readonly lookPast: number;
}

/** A queue with nothing unusual. */
export const CLEAR_OUTLOOK: QueueOutlook = { restUntilMs: 0, fruitless: 0, lookPast: 0 };

/** Rest of a queue that yields only unknown kinds. */
const UNKNOWN_KIND_REST = { baseMs: 250, maxMs: 2_000 } as const;

/** Most jobs a claim looks past. */
export const MAX_LOOK_PAST = 1_000;

/** How many jobs of one queue a claim yielded, by whether a handler knows their kind. */
export interface QueueYield {
  readonly known: number;
  readonly unknown: number;
  /** Whether the claim got all it asked for, so that there may be more behind what it saw. */
  readonly full: boolean;
}

/** The outlook of a queue after a claim that yielded something from it. */
export function outlookAfter(
  before: QueueOutlook,
  { known, unknown, full }: QueueYield,
  nowMs: number,
  random: number,
): QueueOutlook {
  if (unknown === 0) return known > 0 ? CLEAR_OUTLOOK : before;
  const lookPast = Math.min(MAX_LOOK_PAST, unknown * 2);
  if (known > 0) return { restUntilMs: 0, fruitless: 0, lookPast };
  if (full && lookPast > before.lookPast) return { restUntilMs: 0, fruitless: before.fruitless, lookPast };
  const fruitless = before.fruitless + 1;
  return { restUntilMs: nowMs + backoffMs(UNKNOWN_KIND_REST, fruitless, random), fruitless, lookPast };
}

/** Keeps the outlook of every queue of a worker. */
export class QueueOutlooks {
  readonly #byQueue = new Map<string, QueueOutlook>();

  /** The queues to claim from now, in their order. */
  awake(queues: readonly string[], nowMs: number): readonly string[] {
    return this.#byQueue.size === 0 ? queues : queues.filter((queue) => this.#of(queue).restUntilMs <= nowMs);
  }

  /** How many jobs more a claim from these queues should ask for. */
  lookPast(queues: readonly string[]): number {
    let most = 0;
    for (const queue of queues) most = Math.max(most, this.#of(queue).lookPast);
    return most;
  }

  /** Takes note of what a claim yielded from one queue. */
  record(queue: string, yielded: QueueYield, nowMs: number): void {
    const after = outlookAfter(this.#of(queue), yielded, nowMs, Math.random());
    if (after === CLEAR_OUTLOOK) this.#byQueue.delete(queue);
    else this.#byQueue.set(queue, after);
  }

  #of(queue: string): QueueOutlook {
    return this.#byQueue.get(queue) ?? CLEAR_OUTLOOK;
  }
}
