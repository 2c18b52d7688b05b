import type { Call, Deed, Expectations, History, JobRow, Transition } from "./history.ts";
import { defaultRetryWaitMs, NO_OPERATOR } from "./history.ts";

const EXPECTATIONS: Expectations = {
  drained: true,
  inversions: null,
  startsAfterHoldMs: 2_000,
  retryWaitMs: defaultRetryWaitMs,
};

/** Histories made by hand, for tests of the assertions: each step is one second after the one before, unless it says when. */
export class Story {
  readonly #transitions: Transition[] = [];
  readonly #rows = new Map<string, JobRow | null>();
  #rest: { -readonly [Part in keyof History]?: History[Part] } = {};
  #expectations = EXPECTATIONS;
  #at = 0;

  /** A job comes to be, pending unless said otherwise. */
  enqueue(job: string, row: Partial<JobRow> = {}): this {
    const fresh: JobRow = {
      state: "pending",
      queue: "q",
      priority: 0,
      runAt: 0,
      attempt: 0,
      maxAttempts: 5,
      recoveries: 0,
      generation: 1,
      token: null,
      worker: null,
      claimedAt: null,
      deadline: null,
      deadReason: null,
      uniqueKey: null,
      concurrencyKey: null,
      tag: null,
      lastRecovery: null,
      ...row,
    };
    return this.#push(job, null, fresh);
  }

  /** A job's row changes. */
  change(
    job: string,
    row: Partial<JobRow>,
    when: Partial<Pick<Transition, "at" | "statementAt" | "writtenAt" | "transaction">> = {},
  ): this {
    const before = this.#rows.get(job) ?? null;
    if (before === null) throw new Error(`job ${job} is not there`);
    return this.#push(job, before, { ...before, ...row }, when);
  }

  claim(job: string, token: number, worker = "1"): this {
    const before = this.#rows.get(job);
    return this.change(job, {
      state: "running",
      token,
      worker,
      attempt: (before?.attempt ?? 0) + 1,
      claimedAt: this.#at + 1_000,
    });
  }

  complete(job: string): this {
    return this.change(job, { state: "completed" });
  }

  fail(job: string, waitMs: number): this {
    return this.change(job, { state: "failed", token: null, worker: null, runAt: this.#at + 1_000 + waitMs });
  }

  recover(job: string): this {
    const before = this.#rows.get(job);
    return this.change(job, {
      state: "pending",
      token: null,
      worker: null,
      attempt: (before?.attempt ?? 1) - 1,
      recoveries: (before?.recoveries ?? 0) + 1,
      lastRecovery: String(this.#at),
    });
  }

  delete(job: string): this {
    return this.#push(job, this.#rows.get(job) ?? null, null);
  }

  /** A terminal row without a live one before it. */
  terminalFromNothing(job: string, row: JobRow): this {
    return this.#push(job, null, row);
  }

  call(operation: Call["operation"], details: Partial<Call> = {}): this {
    const call: Call = {
      process: "w",
      operation,
      invokedAt: this.#at,
      endedAt: this.#at,
      outcome: "ok",
      leased: [],
      lost: [],
      marks: [],
      enqueued: [],
      ...details,
    };
    this.#rest.calls = [...(this.#rest.calls ?? []), call];
    return this;
  }

  deed(what: Deed["what"], job: string, token: number, details: Partial<Deed> = {}): this {
    const deed: Deed = { process: "w", at: this.#at, what, job, token, queue: "q", ...details };
    this.#rest.deeds = [...(this.#rest.deeds ?? []), deed];
    return this;
  }

  with(parts: Partial<History>): this {
    this.#rest = { ...this.#rest, ...parts };
    return this;
  }

  expecting(expectations: Partial<Expectations>): this {
    this.#expectations = { ...this.#expectations, ...expectations };
    return this;
  }

  /** Now, in the story's milliseconds. */
  get now(): number {
    return this.#at;
  }

  /** The history; its end is what the story left unless it was told otherwise. */
  history(): History {
    const finals = [...this.#rows].flatMap(([job, row]) =>
      row === null ? [] : [{ job, generation: row.generation, state: row.state, superseded: false, tag: row.tag }],
    );
    return {
      workers: [],
      holds: [],
      calls: [],
      deeds: [],
      faults: [],
      limits: [],
      schedules: [],
      accounts: [],
      intents: [],
      operator: NO_OPERATOR,
      finals,
      ...this.#rest,
      transitions: this.#transitions,
      expectations: this.#expectations,
    };
  }

  #push(job: string, before: JobRow | null, after: JobRow | null, when: Partial<Transition> = {}): this {
    this.#at = when.at ?? this.#at + 1_000;
    const order = this.#transitions.length + 1;
    this.#transitions.push({
      job,
      before,
      after,
      order,
      transaction: String(order),
      at: this.#at,
      statementAt: this.#at,
      writtenAt: this.#at,
      ...when,
    });
    this.#rows.set(job, after);
    return this;
  }
}
