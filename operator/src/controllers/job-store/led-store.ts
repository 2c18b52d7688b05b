/**
 * Writing to a store as its leader. A Lease says who leads, but a process that was stopped between asking that and writing
 * does not know that its time is over. So the store knows too:
 *
 * 1. *A term is taken while leading*, and used only if the process still led when the answer came. The next leader begins only
 *    after that, takes a later term, and from then on the store refuses the earlier one.
 * 2. *Every write proves its term* in its own transaction: it commits under the term or not at all. There is no other way to
 *    write; callers get a session that has proved it already.
 * 3. *A term that was lost while leading is taken anew*, and the write repeated: the store was restored from a backup, the
 *    Secret leads to another database, or two installations believe that they manage the same JobStore.
 * 4. *The canary is the leader's own write*, one row, at every look: what cannot be written is not judged.
 *
 * Not under a term: migrations. They only go forward, take turns by a lock of their own, and make the table of terms.
 */
import {
  beatCanary,
  StoreError,
  takeTerm,
  underTerm,
  type Database,
  type LeaderTerm,
  type Session,
} from "@jobqueue/store";
import type { StoredJobStore } from "../kubernetes-objects.ts";

/** Who leads, and whether it still does. */
export interface Leader {
  /** Who this process is, for people. */
  readonly holder: string;
  /** Whether this process may act at this moment; once false, for ever false. */
  readonly mayAct: () => boolean;
}

/** The part of a JobStore's UID that tells it from one of the same name in another cluster. */
const UID_DIGITS = 8;

/** What the leader of a JobStore leads, in its store. */
export function leaderScope({ metadata: { namespace, name, uid } }: StoredJobStore): string {
  return `${namespace}/${name}@${uid.slice(0, UID_DIGITS)}`;
}

/** This process does not lead any more: nothing was written. */
export class NotLeading extends Error {
  override readonly name = "NotLeading";
}

/** See the head of this file. */
export class LedStore {
  readonly #scope: string;
  readonly #leader: Leader;
  #term: LeaderTerm | undefined;
  #taking: Promise<LeaderTerm> | undefined;

  /** `scope`: what is led, the same for every leader and for nothing else. */
  constructor(scope: string, leader: Leader) {
    this.#scope = scope;
    this.#leader = leader;
  }

  /** The term of the last write; absent before the first one. */
  get term(): number | undefined {
    return this.#term?.term;
  }

  /** Writes the canary; resolves to the database's clock. @throws NotLeading, StoreError */
  async beat(database: Database): Promise<Date> {
    return this.#proving(database, (term) => beatCanary(database, term));
  }

  /** Runs `work` in one transaction. @throws NotLeading, StoreError */
  async write<Result>(database: Database, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#proving(database, (term) => underTerm(database, term, work));
  }

  async #proving<Result>(database: Database, attempt: (term: LeaderTerm) => Promise<Result>): Promise<Result> {
    const term = this.#term ?? (await this.#take(database));
    try {
      return await attempt(term);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "stale_term")) throw error;
      if (this.#term === term) this.#term = undefined;
      return attempt(this.#term ?? (await this.#take(database)));
    }
  }

  /** One for all who wait for it. */
  async #take(database: Database): Promise<LeaderTerm> {
    this.#taking ??= this.#takeNow(database).finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #takeNow(database: Database): Promise<LeaderTerm> {
    this.#assertLeading();
    const term = await takeTerm(database, this.#scope, this.#leader.holder);
    this.#assertLeading(); // else it may have been taken after that of our successor
    this.#term = term;
    return term;
  }

  #assertLeading(): void {
    if (!this.#leader.mayAct()) throw new NotLeading("This process does not lead any more.");
  }
}
