/**
 * What the leader's own canary says about a store: when it could be written, and when not. An age is only evidence for as
 * long as the store could be written: the silence of a worker during an outage is the outage's. Times are milliseconds by
 * the database's clock, the one that workers are judged by.
 */

/**
 * A time in which nothing can be said of workers: the canary could not be written, it is not known that it could, or workers
 * may still have credentials of before. No two overlap, unless the clock went back.
 */
export interface Outage {
  /** Last beat before it. */
  readonly from: number;
  /** First beat after it; after a change of credentials it may lie ahead. */
  readonly to: number;
}

/** What is known of a store's canary at one look. */
export interface CanarySeen {
  /** This beat. */
  readonly at: number;
  /** First beat of this leader: it knows nothing of what was before. */
  readonly since: number;
  /** Of the last hour, in order. */
  readonly outages: readonly Outage[];
}

/** What one beat tells. */
interface Beat {
  readonly at: number;
  /** When the server was started: another one answers after a failover. */
  readonly serverStartedAt: number;
  /** Time between two looks, milliseconds. */
  readonly everyMs: number;
}

/** How long an outage is remembered: longer than any age that is judged. */
const REMEMBERED_MS = 3_600_000;

/** Beats that lie further apart than so many looks were not all written: the process stood still, or a look took too long. */
const MISSED_LOOKS = 3;

/**
 * How long changed credentials may take to reach the workers. A kubelet renews the file of a Secret when it looks at the pod
 * again, every 60 to 90 s (syncFrequency and the jitter of its queue), and workers that are refused wait between attempts.
 */
const CREDENTIALS_TRAVEL_MS = 120_000;

/** Remembers the beats of one store. */
export class Canary {
  #since: number | undefined;
  #last: Beat | undefined;
  #failed = false;
  #credentialsChanged = false;
  #outages: readonly Outage[] = [];

  /** The canary was written. */
  beat(beat: Beat): CanarySeen {
    const last = this.#last;
    this.#since ??= beat.at;
    if (last) {
      const restarted = last.serverStartedAt !== beat.serverStartedAt;
      const late = beat.at - last.at > MISSED_LOOKS * beat.everyMs;
      // A clock that went back (a promotion) makes an outage of no length: who waits for a while after one waits all the same.
      if (this.#failed || restarted || late || this.#credentialsChanged) {
        const to = beat.at + (this.#credentialsChanged ? CREDENTIALS_TRAVEL_MS : 0);
        this.#outages = withOutage(this.#outages, { from: Math.min(last.at, beat.at), to });
      }
    }
    this.#outages = this.#outages.filter(({ to }) => beat.at - to < REMEMBERED_MS);
    this.#last = beat;
    this.#failed = false;
    this.#credentialsChanged = false;
    return { at: beat.at, since: this.#since, outages: this.#outages };
  }

  /** The canary could not be written, or something else failed that concerns the store as a whole. */
  missed(): void {
    this.#failed = true;
  }

  /** The next beat is written with other credentials than the last: until they have reached the workers, these may be silent. */
  credentialsChanged(): void {
    this.#credentialsChanged = true;
  }
}

function withOutage(outages: readonly Outage[], next: Outage): readonly Outage[] {
  const last = outages.at(-1);
  if (!last || next.from < last.from || next.from > last.to) return [...outages, next];
  return [...outages.slice(0, -1), { from: last.from, to: Math.max(last.to, next.to) }];
}
