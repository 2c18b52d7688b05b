import { setTimeout as sleep } from "node:timers/promises";
import { cancelJob, deleteJob, hold, release, retryJob, type Session } from "@jobqueue/store";
import type { Random } from "./random.ts";
import { QUEUES } from "./producer.ts";

/** Why a person of a run does something. */
const WORDS = { actor: "person", reason: "chaos" } as const;

/** Somebody who pauses and resumes queues, retries, cancels and deletes jobs while everything else goes wrong. */
export class Person {
  readonly #session: Session;
  readonly #random: Random;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(session: Session, random: Random) {
    this.#session = session;
    this.#random = random;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Stops, and takes away every hold that may still stand. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    for (const queue of [...Object.values(QUEUES), "*"]) await this.#release(queue);
  }

  async #run(): Promise<void> {
    const random = this.#random;
    const { signal } = this.#stopping;
    const wait = async (least: number, most: number): Promise<void> => {
      await sleep(random.between(least, most), undefined, { signal }).catch(() => {});
    };
    while (!signal.aborted) {
      await wait(100, 800);
      if (random.chance(0.75)) {
        await this.#actOnSomeJob();
        continue;
      }
      const queue = random.pick([...Object.values(QUEUES), "*"]);
      await this.#quietly(() => hold(this.#session, { queue, name: "person", source: "cli", ...WORDS }));
      await wait(300, 3_000);
      await this.#release(queue);
    }
  }

  async #actOnSomeJob(): Promise<void> {
    const random = this.#random;
    const [act, states] = random.pick([
      [retryJob, ["dead", "failed"]],
      [cancelJob, ["running", "pending", "scheduled"]],
      [deleteJob, ["scheduled", "pending"]],
    ] as const);
    await this.#quietly(async () => {
      const [job] = await this.#session.query<{ id: string }>(
        `select id from ${this.#session.schema}.v_jobs where state = any($1) order by md5(id::text || $2) limit 1`,
        [states, String(random.next())],
      );
      if (job !== undefined) await act(this.#session, job.id, WORDS);
    });
  }

  async #release(queue: string): Promise<void> {
    await this.#quietly(() => release(this.#session, { queue, name: "person", ...WORDS }));
  }

  /** A person whose command failed sees why and does something else. */
  async #quietly(act: () => Promise<unknown>): Promise<void> {
    await act().catch(() => {});
  }
}
