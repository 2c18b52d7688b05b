/**
 * What the main thread and the watchdog thread know of each other: one block of shared memory, written without locks.
 * The watchdog reports only what stands here, and only the main thread's own loop writes it, so a live thread can never
 * vouch for a dead loop. Times are whole milliseconds of `monotonicMs`; 0 means never.
 */

const FIELDS = [
  /** Last turn of the main event loop. */
  "loopTick",
  /** Last claim that the store answered, or when it last said that there was nothing to claim. */
  "lastClaim",
  /** Last job that finished. */
  "lastFinish",
  /** Last turn of the claim loop; it turns at least every few seconds, also without a lease, room or store. */
  "claimLoopTick",
  "slotsTotal",
  "slotsBusy",
  "slotsStuck",
  /** 1 while draining. */
  "draining",
  /** 1 while the store keeps the worker idle. */
  "drained",
  /** The worker id whose lease is to be renewed; 0: none. */
  "workerId",
  /** Duration of that worker's lease. */
  "leaseMs",
  /** Written by the watchdog: the worker whose lease was renewed last, when that was sent, and how long it lasts. */
  "renewedWorkerId",
  "renewedSentAt",
  "renewedLeaseMs",
  /** Written by the watchdog: the worker of which the store said that its lease is lost. */
  "lostWorkerId",
  /** Written by the watchdog: last turn of its own event loop. */
  "watchdogTick",
  /** Written by the watchdog: after how long without progress it ends the process; 0 until it has started. */
  "hungAfterMs",
] as const;

/** A number in shared memory, by name. */
export type SharedFact = (typeof FIELDS)[number];

const INDEX = Object.fromEntries(FIELDS.map((name, index) => [name, index])) as Record<SharedFact, number>;

/** What runs in a slot: enough to say in a post-mortem what a blocked process was doing. */
export interface SlotFacts {
  readonly slot: number;
  readonly jobId: bigint;
  readonly startedAtMs: number;
  /** Process group of an executable handler; 0 for a function. */
  readonly processGroup: number;
}

const SLOT_FIELDS = 3;

/** A view on the block; both threads make one of the same buffer. */
export class SharedFacts {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  readonly #cells: BigInt64Array<SharedArrayBuffer>;

  private constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#cells = new BigInt64Array(buffer);
    this.slots = (this.#cells.length - FIELDS.length) / SLOT_FIELDS;
  }

  /** A new block for a worker with so many slots. */
  static create(slots: number): SharedFacts {
    const facts = new SharedFacts(new SharedArrayBuffer(8 * (FIELDS.length + SLOT_FIELDS * slots)));
    facts.set("slotsTotal", slots);
    return facts;
  }

  /** A second view on a block. */
  static on(buffer: SharedArrayBuffer): SharedFacts {
    return new SharedFacts(buffer);
  }

  get(fact: SharedFact): number {
    return Number(this.bigint(fact));
  }

  bigint(fact: SharedFact): bigint {
    return Atomics.load(this.#cells, INDEX[fact]);
  }

  /** Stores a number, without its fraction, or an id. */
  set(fact: SharedFact, value: number | bigint): void {
    Atomics.store(this.#cells, INDEX[fact], typeof value === "bigint" ? value : BigInt(Math.trunc(value)));
  }

  /** Says which job runs in a slot, and since when. */
  setSlot(slot: number, jobId: bigint, startedAtMs: number): void {
    const at = FIELDS.length + slot * SLOT_FIELDS;
    Atomics.store(this.#cells, at + 1, BigInt(Math.trunc(startedAtMs)));
    Atomics.store(this.#cells, at, jobId);
  }

  /** Says which process group runs the job of a slot; 0 for none. */
  setProcessGroup(slot: number, processGroup: number): void {
    Atomics.store(this.#cells, FIELDS.length + slot * SLOT_FIELDS + 2, BigInt(processGroup));
  }

  /** Says that a slot runs nothing. */
  clearSlot(slot: number): void {
    const at = FIELDS.length + slot * SLOT_FIELDS;
    // A slot without a job is empty, whatever its start says; and few have a process group.
    if (Atomics.load(this.#cells, at + 2) !== 0n) this.setProcessGroup(slot, 0);
    Atomics.store(this.#cells, at, 0n);
  }

  /** What runs in each slot that is not empty. */
  occupiedSlots(): SlotFacts[] {
    const found: SlotFacts[] = [];
    for (let slot = 0; slot < this.slots; slot++) {
      const at = FIELDS.length + slot * SLOT_FIELDS;
      const jobId = Atomics.load(this.#cells, at);
      if (jobId === 0n) continue;
      found.push({
        slot,
        jobId,
        startedAtMs: Number(Atomics.load(this.#cells, at + 1)),
        processGroup: Number(Atomics.load(this.#cells, at + 2)),
      });
    }
    return found;
  }

  /** Written by the watchdog when the store renewed a lease. The id is taken away first, so no reader sees a mixture. */
  setRenewal(workerId: bigint, sentAtMs: number, leaseMs: number): void {
    this.set("renewedWorkerId", 0n);
    this.set("renewedSentAt", sentAtMs);
    this.set("renewedLeaseMs", leaseMs);
    this.set("renewedWorkerId", workerId);
  }

  /** The last renewal of this worker's lease, if the watchdog got one. */
  renewalOf(workerId: bigint): { sentAtMs: number; leaseMs: number } | undefined {
    for (;;) {
      if (this.bigint("renewedWorkerId") !== workerId) return undefined;
      const sentAtMs = this.get("renewedSentAt");
      const leaseMs = this.get("renewedLeaseMs");
      if (this.bigint("renewedWorkerId") === workerId && this.get("renewedSentAt") === sentAtMs)
        return { sentAtMs, leaseMs };
    }
  }
}
