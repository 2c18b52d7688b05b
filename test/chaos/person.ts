import { setTimeout as sleep } from "node:timers/promises";
import { hold, release, type Session } from "@jobqueue/store";
import type { Random } from "./random.ts";
import { QUEUES } from "./producer.ts";

/** Somebody who pauses and resumes queues while everything else goes wrong. */
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
      await wait(1_000, 4_000);
      const queue = random.pick([...Object.values(QUEUES), "*"]);
      await this.#quietly(() =>
        hold(this.#session, { queue, name: "person", reason: "chaos", actor: "person", source: "cli" }),
      );
      await wait(300, 3_000);
      await this.#release(queue);
    }
  }

  async #release(queue: string): Promise<void> {
    await this.#quietly(() => release(this.#session, { queue, name: "person", actor: "person", reason: "chaos" }));
  }

  /** A person whose command failed sees why and does something else. */
  async #quietly(act: () => Promise<unknown>): Promise<void> {
    await act().catch(() => {});
  }
}
