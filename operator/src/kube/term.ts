import type { Clock } from "../runtime/clock.ts";

/** One uninterrupted time of leading. */
export interface Term {
  /**
   * Number to fence writes elsewhere with: larger than that of every earlier term of this lease, also when the Lease object
   * was deleted in between. A safe integer: creation of the Lease in seconds x 1,000,000 + its leaseTransitions.
   */
  readonly fence: number;
  /** `spec.leaseTransitions` of this term, for people. */
  readonly transitions: number;
  /** Aborted when the right to act is gone: abandon everything at once. Also aborted, after the work, when the term is over. */
  readonly lost: AbortSignal;
  /** Aborted when the term is to end in good order (`stop`), and also when it is lost. */
  readonly ending: AbortSignal;
  /** Whether acting is allowed at this moment, by the clock: right also when timers are late. Ask before every irreversible act. */
  isCurrent(): boolean;
}

/** A term as the elector sees it. */
export class RunningTerm implements Term {
  readonly fence: number;
  readonly transitions: number;
  readonly #clock: Clock;
  readonly #trustMs: number;
  readonly #lost = new AbortController();
  readonly #ending = new AbortController();
  #sinceMs = 0;
  #sinceWallMs = 0;
  #cancelTimer: () => void = () => {};

  constructor(facts: {
    readonly clock: Clock;
    readonly trustMs: number;
    readonly fence: number;
    readonly transitions: number;
  }) {
    this.#clock = facts.clock;
    this.#trustMs = facts.trustMs;
    this.fence = facts.fence;
    this.transitions = facts.transitions;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Why it was lost. */
  get lostBecause(): string {
    return this.lost.aborted ? String(this.lost.reason) : "authority ended";
  }

  isCurrent(): boolean {
    const elapsedMs = Math.max(this.#clock.now() - this.#sinceMs, this.#clock.wall() - this.#sinceWallMs);
    return !this.lost.aborted && elapsedMs < this.#trustMs;
  }

  /** A renewal that was begun at these times has succeeded. */
  trustFrom(sinceMs: number, sinceWallMs: number): void {
    if (this.lost.aborted) return;
    this.#sinceMs = sinceMs;
    this.#sinceWallMs = sinceWallMs;
    this.#cancelTimer();
    const waitMs = sinceMs + this.#trustMs - this.#clock.now();
    this.#cancelTimer = this.#clock.after(waitMs, () => this.lose("the lease could not be renewed in time"));
  }

  /** The term is to end in good order. */
  end(): void {
    this.#ending.abort();
  }

  /** The right to act is gone. The first reason counts. */
  lose(reason: string): void {
    this.#cancelTimer();
    this.#lost.abort(reason);
    this.#ending.abort(reason);
  }
}
