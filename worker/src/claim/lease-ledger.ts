import { type ClaimedJob, StoreError } from "@jobqueue/store";

/**
 * What this worker tells the store about its claims with every new one:
 *
 * - which earlier claims are over, every job of them acknowledged or lost, so that the store can forget their lease rows;
 * - after a claim that may have been carried out although its answer was lost (fault P4), which claims it knows: the jobs
 *   of others belong to it all the same, nobody would recover them while it lives, and the store gives them back unstarted.
 *   It says so with every claim until none that was given up can commit any more.
 */
export class LeaseLedger {
  /** How long the store may go on with a claim whose answer the worker gave up, milliseconds. */
  readonly #claimTimeoutMs: number;
  /** Jobs in hand (claimed, running, or with an outcome that is not acknowledged) by lease token. */
  readonly #open = new Map<string, number>();
  #done: string[] = [];
  /** Until then a claim that was given up may still commit. */
  #lostUntilMs: number | undefined;

  constructor(claimTimeoutMs: number) {
    this.#claimTimeoutMs = claimTimeoutMs;
  }

  /** Takes note of jobs that a claim brought. All jobs of a claim have the same token. */
  claimed(jobs: readonly Pick<ClaimedJob, "leaseToken">[]): void {
    for (const { leaseToken } of jobs) this.#open.set(leaseToken, (this.#open.get(leaseToken) ?? 0) + 1);
  }

  /** Takes note of jobs that are not this worker's any more. */
  settled(jobs: readonly Pick<ClaimedJob, "leaseToken">[]): void {
    for (const { leaseToken } of jobs) {
      const left = (this.#open.get(leaseToken) ?? 0) - 1;
      if (left > 0) {
        this.#open.set(leaseToken, left);
      } else {
        this.#open.delete(leaseToken);
        this.#done.push(leaseToken);
      }
    }
  }

  /** Whether nothing is in hand. A claim whose answer was lost may have brought something. */
  get empty(): boolean {
    return this.#open.size === 0 && this.#lostUntilMs === undefined;
  }

  /** Whether this job, which is in hand, is all that is. */
  holdsOnly({ leaseToken }: Pick<ClaimedJob, "leaseToken">): boolean {
    return this.#open.size === 1 && this.#open.get(leaseToken) === 1;
  }

  /** Whether there is something to say, for which a claim is worth while even when there may be nothing to take. */
  get hasNews(): boolean {
    return this.#done.length > 0 || this.#lostUntilMs !== undefined;
  }

  /** What to say with the next claim. */
  get said(): { readonly doneTokens?: readonly string[]; readonly heldTokens?: readonly string[] } {
    return {
      ...(this.#done.length === 0 ? {} : { doneTokens: [...this.#done] }),
      ...(this.#lostUntilMs === undefined ? {} : { heldTokens: [...this.#open.keys()] }),
    };
  }

  /** The store answered a claim that was sent at the monotonic time `sentAtMs` with what was `said`. */
  answered(said: LeaseLedger["said"], sentAtMs: number): void {
    const heard = new Set(said.doneTokens);
    if (heard.size > 0) this.#done = this.#done.filter((token) => !heard.has(token));
    if (this.#lostUntilMs !== undefined && sentAtMs >= this.#lostUntilMs) this.#lostUntilMs = undefined;
  }

  /** A claim failed at the monotonic time `nowMs`; unless the store refused it, it may have been carried out. */
  failed(error: unknown, nowMs: number): void {
    if (error instanceof StoreError && error.sqlstate !== undefined && error.retry !== "reconnect") return;
    this.#lostUntilMs = nowMs + this.#claimTimeoutMs;
  }
}
