import { setTimeout as sleep } from "node:timers/promises";
import { enqueueMany, type NewJob, type Session } from "@jobqueue/store";
import type { Work } from "./handlers.ts";
import type { Random } from "./random.ts";

/** Queues of a run. `limited` and `keyed` have limits. */
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
  #last: string | undefined;
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
      if (this.#random.chance(0.3)) await this.#insist(jobs);
      else await this.#try(jobs);
      await sleep(this.#random.between(40, 160), undefined, { signal }).catch(() => {});
    }
  }

  /** One try: what is unknown stays unknown, which the checker judges. Returns whether an answer came. */
  async #try(jobs: readonly NewJob[]): Promise<boolean> {
    try {
      const [first] = await enqueueMany(this.#session, jobs);
      this.#last = first?.id ?? this.#last;
      return true;
    } catch {
      return false;
    }
  }

  /** As a careful caller does: again and again with a key that stays taken after the job is done (G2). */
  async #insist(jobs: readonly NewJob[]): Promise<void> {
    const careful = jobs.map((job) => ({ ...job, uniqueKey: `own/${String(job.tag)}`, uniqueForSeconds: 3_600 }));
    for (let tries = 0; tries < 10 && !(await this.#try(careful)); tries++) await sleep(250);
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
      ...(queue === QUEUES.keyed ? { concurrencyKey: random.pick(KEYS) } : {}),
      ...(this.#last !== undefined && random.chance(0.08)
        ? { dependsOn: [{ id: this.#last, policy: random.pick(["cancel", "run"] as const) }] }
        : {}),
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
