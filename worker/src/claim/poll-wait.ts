/** What decides how long a worker that has room waits before it asks again whether there is work. */
export interface PollView {
  /** Whether hints arrive: then polling only finds what no hint told of. */
  readonly hearing: boolean;
  /** Times in a row that the store said that there is nothing, since there last was a reason to claim. */
  readonly quietAnswers: number;
  /** Longest wait while hints arrive, milliseconds. */
  readonly longestMs: number;
}

/** Wait of a worker that hears no hints, and of one that had work a moment ago, milliseconds. */
export const POLL_MS = 1_000;

/**
 * Longest wait of a worker that hears hints, milliseconds, however long its lease is: so late may come a job that was
 * enqueued without a hint, or whose hint was lost.
 */
export const LONGEST_POLL_MS = 10_000;

/**
 * How long to wait before the store is asked again, milliseconds. Without hints always up to a second; with them doubled
 * from there with every answer that there is nothing. Spread over its upper half by `random` (uniform in [0, 1)).
 */
export function pollWaitMs({ hearing, quietAnswers, longestMs }: PollView, random: number): number {
  const fullMs = hearing ? Math.max(POLL_MS, Math.min(longestMs, POLL_MS * 2 ** Math.min(quietAnswers, 30))) : POLL_MS;
  return fullMs * (0.5 + 0.5 * random);
}

/** What comes with a heartbeat is asked for again only when the next one is this late, milliseconds. */
export const HEARTBEAT_SLACK_MS = 1_000;

/**
 * Between two proofs that hints are heard, milliseconds: each costs a statement, and while a deaf listener is not noticed
 * work is found within the longest poll.
 */
export const HINTS_PROOF_MS = 300_000;

/** Workers that wait for the same instant spread over this time, milliseconds. */
const DUE_SPREAD_MS = 200;

/** When a worker that has room looks for work next. Times are monotonic milliseconds, durations milliseconds. */
export class PollPace {
  /** Whether hints are heard. */
  hearing = false;
  readonly #longestMs: number;
  #quietAnswers = 0;
  #nextMs = 0;
  /** When a job may be claimed, as far as the store knew when it was last asked. */
  #workMs = Number.POSITIVE_INFINITY;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** How long until there is something to look for. */
  remainingMs(nowMs: number): number {
    return Math.min(this.#nextMs, this.#workMs) - nowMs;
  }

  /** Whether the time of a job that the store knew of has come. */
  isWorkDue(nowMs: number): boolean {
    return nowMs >= this.#workMs;
  }

  /** A claim is sent: whatever was known before is over. */
  claiming(nowMs: number): void {
    this.#quietAnswers = 0;
    this.#workMs = Number.POSITIVE_INFINITY;
    this.#nextMs = nowMs + this.#waitMs();
  }

  /** The store said that there is work after `workInMs` at the earliest, if any; `leastMs`: it will say so again by itself. */
  quiet(workInMs: number | undefined, leastMs: number, nowMs: number): void {
    this.#workMs = workInMs === undefined ? Number.POSITIVE_INFINITY : nowMs + workInMs + Math.random() * DUE_SPREAD_MS;
    this.#quietAnswers++;
    // The first answer after a claim may be older than what brought the claim about: the store is asked again soon.
    this.#nextMs = nowMs + Math.max(this.#quietAnswers > 1 ? leastMs : 0, this.#waitMs());
  }

  #waitMs(): number {
    const { hearing } = this;
    return pollWaitMs({ hearing, quietAnswers: this.#quietAnswers, longestMs: this.#longestMs }, Math.random());
  }
}
