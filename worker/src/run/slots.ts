import { monotonicMs } from "../clock.ts";
import type { SharedFacts } from "../watchdog/shared-facts.ts";

/** The places a worker runs jobs in. What happens here is published to the watchdog. */
export class Slots {
  readonly total: number;
  readonly #shared: SharedFacts;
  readonly #free: number[];
  readonly #stuck = new Set<number>();

  constructor(shared: SharedFacts) {
    this.#shared = shared;
    this.total = shared.slots;
    this.#free = Array.from({ length: this.total }, (_, index) => this.total - 1 - index);
  }

  get free(): number {
    return this.#free.length;
  }

  /** Slots that run something, the stuck ones included. */
  get busy(): number {
    return this.total - this.#free.length;
  }

  /** Slots whose handler ignored its abort signal. */
  get stuck(): number {
    return this.#stuck.size;
  }

  /** Takes a free slot for a job. */
  take(jobId: string): number {
    const slot = this.#free.pop();
    if (slot === undefined) throw new Error("no slot is free");
    this.#shared.setSlot(slot, BigInt(jobId), monotonicMs());
    this.#shared.set("slotsBusy", this.busy);
    return slot;
  }

  /** Says which process group runs the job of a slot; it is killed when the worker is ended hard. */
  setProcessGroup(slot: number, processGroup: number | undefined): void {
    this.#shared.setProcessGroup(slot, processGroup ?? 0);
  }

  /** Counts a slot as stuck: it is not free until its handler ends after all. */
  markStuck(slot: number): void {
    this.#stuck.add(slot);
    this.#shared.set("slotsStuck", this.stuck);
  }

  /** Gives a slot back. */
  release(slot: number): void {
    if (this.#stuck.delete(slot)) this.#shared.set("slotsStuck", this.stuck);
    this.#free.push(slot);
    this.#shared.clearSlot(slot);
    this.#shared.set("slotsBusy", this.busy);
  }
}
