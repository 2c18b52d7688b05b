import type { JobQueueStatus } from "@jobqueue/crds";
import { conditionOf } from "../../conditions.ts";

/** What a status says of a storm that another leader saw. */
const STORMY: ReadonlySet<string> = new Set(["FleetUnhealthy", "TooManyUnhealthy", "Cooldown"]);

/**
 * When each pool was last in a storm, milliseconds by the database's clock. A new leader takes it from the status: what its
 * predecessor saw goes on until it has itself seen calm for the whole cooldown.
 */
export class Storms {
  readonly #last = new Map<string, number>();

  /** Notes how it is now and returns when it last was stormy. `since`: when this leader began to look. */
  latest(
    pool: string,
    now: { readonly at: number; readonly since: number; readonly stormy: boolean },
    before: JobQueueStatus | undefined,
  ): number | undefined {
    const suspended = conditionOf(before?.conditions, "RestartsSuspended");
    if (now.stormy) this.#last.set(pool, now.at);
    else if (!this.#last.has(pool) && suspended?.status === "True" && STORMY.has(suspended.reason)) {
      this.#last.set(pool, now.since);
    }
    return this.#last.get(pool);
  }

  /** The JobQueue is gone. */
  forget(pool: string): void {
    this.#last.delete(pool);
  }
}
