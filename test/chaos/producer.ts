import { setTimeout as sleep } from "node:timers/promises";
import { enqueueMany, type NewJob, type Session } from "@jobqueue/store";
import type { Work } from "./handlers.ts";
import type { Random } from "./random.ts";

/** Queues of a run. `limited` and `keyed` have limits when the store knows them. */
export const QUEUES = { plain: "plain", limited: "limited", keyed: "keyed" } as const;

/** Concurrency keys of the jobs of the queue `keyed`. */
const KEYS = ["red", "green", "blue"] as const;

/** Unique keys that producers contend for. */
const UNIQUE_KEYS = 12;

/** Makes work until it is told to stop. */
export class Producer {
  readonly #session: Session;
  readonly #name: string;
  readonly #random: Random;
  readonly #stopping = new AbortController();
  #made = 0;
  #loop: Promise<void> | undefined;

  constructor(session: Session, name: string, random: Random) {
    this.#session = session;
    this.#name = name;
    this.#random = random;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const jobs = Array.from({ length: this.#random.whole(1, 4) }, () => this.#job());
      await this.#enqueue(jobs);
      await sleep(this.#random.between(40, 160), undefined, { signal }).catch(() => {});
    }
  }

  /** One try: what is unknown stays unknown, which the checker judges. */
  async #enqueue(jobs: readonly NewJob[]): Promise<void> {
    await enqueueMany(this.#session, jobs).catch(() => {});
  }

  #job(): NewJob {
    const random = this.#random;
    const mark = `${this.#name}/${++this.#made}`;
    const queue = random.pick([QUEUES.plain, QUEUES.plain, QUEUES.limited, QUEUES.keyed]);
    return {
      queue,
      ...this.#kind(),
      tag: mark,
      maxAttempts: 3,
      priority: random.whole(-2, 2),
      ...(random.chance(0.2) ? { delaySeconds: random.between(0, 4) } : {}),
      ...(random.chance(0.1) ? { uniqueKey: `shared/${random.whole(1, UNIQUE_KEYS)}` } : {}),
      ...keyOf(queue, random),
    };
  }

  #kind(): { readonly kind: string; readonly payload: Work } {
    const random = this.#random;
    const roll = random.next();
    if (roll < 0.15) return { kind: "fail", payload: { failures: random.whole(1, 3) } };
    if (roll < 0.17) return { kind: "block", payload: { ms: random.whole(50, 300) } };
    return { kind: "work", payload: { ms: random.chance(0.1) ? random.whole(500, 3_000) : random.whole(1, 80) } };
  }
}

function keyOf(queue: string, random: Random): Partial<NewJob> {
  // Cast: `concurrencyKey` of a job.
  return queue === QUEUES.keyed ? ({ concurrencyKey: random.pick(KEYS) } as Partial<NewJob>) : {};
}
