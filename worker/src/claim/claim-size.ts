/** What the worker has in hand when it decides how many jobs to ask for. */
export interface Hand {
  /** Slots of the worker. */
  readonly slots: number;
  /** Slots that run a job, the stuck ones included. */
  readonly busy: number;
  /** Slots whose handler ignored its abort; they do not come back until it ends. */
  readonly stuck: number;
  /** Jobs claimed and not started. */
  readonly buffered: number;
  /** Outcomes that the store has not acknowledged. */
  readonly unacknowledged: number;
  /** Jobs finished per millisecond, lately. */
  readonly finishesPerMs: number;
}

/** Bounds of a claim. */
export interface ClaimLimits {
  /** Most jobs to hold beyond the free slots; 0 switches prefetching off. */
  readonly prefetch: number;
}

/**
 * A job is prefetched only if it will begin within this time at the present rate, milliseconds. It bounds what prefetching
 * costs: how long a claimed job waits beside a more urgent one, or beside an idle worker elsewhere.
 */
const PREFETCH_HORIZON_MS = 200;

/** No claim asks for more: the batch size after which larger claims stopped paying (benchmarks of the store). */
export const MAX_CLAIM = 2_000;

/** While so many outcomes wait for the store, nothing is claimed: a store that cannot keep up must not be given more. */
export const MAX_UNACKNOWLEDGED = 2_000;

/** How many jobs it is worth holding beyond the free slots. */
function prefetchAllowance(finishesPerMs: number, { prefetch }: ClaimLimits): number {
  return Math.min(prefetch, Math.floor(finishesPerMs * PREFETCH_HORIZON_MS));
}

/**
 * How many jobs to claim now; 0 means do not ask. Free slots are always filled; beyond them the claim tops the buffer
 * up, but only once it is half empty, so that claims stay large under load (batch size matters more than any other
 * cost of a claim).
 */
export function claimSize(hand: Hand, limits: ClaimLimits): number {
  if (hand.unacknowledged >= MAX_UNACKNOWLEDGED || hand.stuck >= hand.slots) return 0;
  const free = hand.slots - hand.busy;
  const allowance = prefetchAllowance(hand.finishesPerMs, limits);
  if (free === 0 && hand.buffered * 2 > allowance) return 0;
  return Math.max(0, Math.min(MAX_CLAIM, free + allowance - hand.buffered));
}
