import {
  type Database,
  getJob,
  getSchedule,
  reveal,
  type Revealed,
  type RevealedSchedule,
  revealSchedules,
} from "@jobqueue/store";

/** For how long one look of one person at one thing counts as the same look. */
const SAME_LOOK_MS = 5 * 60_000;
const MAX_LOOKS = 100_000;

/** How things of one kind are shown. */
interface Showing<Thing> {
  /** Tells a thing of this kind from one of another kind with the same name. */
  readonly kind: string;
  readonly nameOf: (thing: Thing) => string;
  /** Shows them, with an audit event. */
  readonly reveal: (names: readonly string[]) => Promise<readonly Thing[]>;
  /** Reads one that was shown a moment ago. */
  readonly read: (name: string) => Promise<Thing | undefined>;
}

/**
 * Shows what jobs and schedules carry, and has each look in the audit trail. A client that polls a job every second looks once, not
 * three hundred times: after the first event of a person and a job there is none for five minutes.
 */
export class Reveals {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #looks = new Map<string, number>();

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** What the jobs carry, by id; what is not there is left out. At most 1000. */
  async show(ids: readonly string[], actor: string, reason: string): Promise<ReadonlyMap<string, Revealed>> {
    return this.#show(ids, actor, {
      kind: "job",
      nameOf: ({ id }) => id,
      reveal: async (fresh) => reveal(this.#database, fresh, { actor, reason }),
      read: async (id) => {
        const job = await getJob(this.#database, id);
        return job && { id, payload: job.payload, result: job.result };
      },
    });
  }

  /** What the jobs of schedules carry, by the name of the schedule; what is not there is left out. At most 1000. */
  async showSchedules(
    names: readonly string[],
    actor: string,
    reason: string,
  ): Promise<ReadonlyMap<string, RevealedSchedule>> {
    return this.#show(names, actor, {
      kind: "schedule",
      nameOf: ({ name }) => name,
      reveal: async (fresh) => revealSchedules(this.#database, fresh, { actor, reason }),
      read: async (name) => {
        const schedule = await getSchedule(this.#database, name);
        return schedule && { name, payload: schedule.payload, options: schedule.options ?? {} };
      },
    });
  }

  async #show<Thing>(
    names: readonly string[],
    actor: string,
    { kind, nameOf, reveal: show, read }: Showing<Thing>,
  ): Promise<ReadonlyMap<string, Thing>> {
    const look = (name: string): string => `${kind} ${name} ${actor}`;
    const fresh = names.filter((name) => (this.#looks.get(look(name)) ?? 0) <= this.#now());
    const shown = fresh.length === 0 ? [] : await show(fresh);
    for (const thing of shown) this.#remember(look(nameOf(thing)));
    const known = new Map(shown.map((thing) => [nameOf(thing), thing]));
    for (const name of names.filter((candidate) => !fresh.includes(candidate))) {
      const thing = await read(name);
      if (thing) known.set(name, thing);
    }
    return known;
  }

  #remember(look: string): void {
    this.#looks.delete(look);
    this.#looks.set(look, this.#now() + SAME_LOOK_MS);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > MAX_LOOKS && oldest !== undefined) this.#looks.delete(oldest);
  }
}
