import { endOf, type Member, startMember } from "./member.ts";

/** Where workers find their store, and what they serve. */
export interface FleetOptions {
  readonly directory: string;
  readonly queues: readonly string[];
  readonly size: number;
  /** URL for the n-th worker. */
  readonly urlOf: (n: number) => string;
}

/** So many workers at all times: one that ended is replaced, as a Deployment would. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #members = new Set<Member>();
  readonly #ends: Promise<void>[] = [];
  #started = 0;
  #closing = false;
  /** How each worker that ended on its own did. */
  readonly exits: string[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return [...this.#members].filter(({ process }) => process.isRunning);
  }

  async start(): Promise<void> {
    for (let n = 0; n < this.#options.size; n++) this.#add();
    await Promise.all(this.members.map(({ process }) => process.logged("worker started")));
  }

  /** Drains all workers and waits until they are gone. */
  async stop(): Promise<void> {
    this.#closing = true;
    for (const { process } of this.members) {
      process.signal("SIGCONT");
      process.signal("SIGTERM");
    }
    await Promise.all(this.#ends);
  }

  /** Ends all at once. */
  async kill(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#members].map(({ process }) => process.kill()));
  }

  #add(): void {
    const { directory, queues, urlOf } = this.#options;
    const n = ++this.#started;
    const name = `worker-${n}`;
    const member = startMember({ name, directory, databaseUrl: urlOf(n), queues: queues.join(",") });
    this.#members.add(member);
    this.#ends.push(this.#ended(member));
  }

  async #ended(member: Member): Promise<void> {
    const exit = await endOf(member, this.#options.directory);
    this.#members.delete(member);
    if (exit !== undefined) this.exits.push(exit);
    if (!this.#closing) this.#add();
  }
}
