import { type Database, vacuumFacts, type VacuumTrouble, vacuumTroubles } from "@jobqueue/store";
import type { Clock } from "../../runtime/index.ts";

/**
 * What keeps Postgres from cleaning up behind a store, asked anew only when the last answer is old: it changes within minutes or
 * days, and asking is a fifth of a look.
 */
export class VacuumWatch {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #last: { readonly troubles: readonly VacuumTrouble[]; readonly at: number } | undefined;

  constructor(options: { readonly clock: Clock; readonly everyMs: number }) {
    this.#clock = options.clock;
    this.#everyMs = options.everyMs;
  }

  /** The worst first. @throws StoreError */
  async troubles(database: Database): Promise<readonly VacuumTrouble[]> {
    const at = this.#clock.now();
    if (!this.#last || at - this.#last.at >= this.#everyMs)
      this.#last = { troubles: vacuumTroubles(await vacuumFacts(database)), at };
    return this.#last.troubles;
  }

  /** The next answer may come from another server. */
  forget(): void {
    this.#last = undefined;
  }
}
