/**
 * The monitor of one store: the one place that connects to it. Invariants:
 *
 * 1. *One pool and one look per tick* for all queues of the store, whatever their number. A look is compared with the one
 *    before and only those it concerns are told. Hints (LISTEN) bring a look forward; they are never believed.
 * 2. *Stores are independent.* Each has its own loop, pool and backoff (1 s doubling to 30 s). While a store is down, or a
 *    call to it hangs, callers are refused at once instead of waiting: no reconcile of another store's queue is delayed.
 * 3. *Unknown is not empty.* A failed look publishes `down` and drops the snapshot; nobody can mistake old data for new.
 * 4. *Credentials are followed.* The Secrets are read live when the connection is made, every 30 s, and after every failure.
 *    A changed value replaces the pool, without a restart. A Secret that vanished or became unusable does not end a
 *    connection that works.
 * 5. *Writers read their own writes.* Whoever wrote to the store awaits `refresh`: a look that began after the write.
 * 6. *Only the leader writes.* Every write is a transaction under the term of this leader (`led-store.ts`).
 */
import { fireDueSchedules, migrate, type Session, StoreError } from "@jobqueue/store";
import { backoffMs, type BackoffPolicy, BaseService, type Clock, type Log, sleep } from "../../runtime/index.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import { placeOf } from "./connection-settings.ts";
import { changesBetween, type StoreChange } from "./changes.ts";
import type { ReadSecret } from "./credentials.ts";
import { Canary } from "./canary.ts";
import { downBecause, isAboutTheStore } from "./failure.ts";
import { LedStore, leaderScope, NotLeading, type Leader } from "./led-store.ts";
import { lookAt } from "./look.ts";
import { StoreConnection } from "./store-connection.ts";
import type { StoreView } from "./store-view.ts";
import { VacuumWatch } from "./vacuum-watch.ts";

/** Times of a monitor, milliseconds. */
export interface MonitorTimes {
  /** Between two looks; absent: what the JobStore says (5 s). */
  readonly everyMs: number | undefined;
  /** Least time between a look and one that a hint brought forward (1 s). */
  readonly hintGapMs: number;
  /** Between two readings of the Secrets while all is well (30 s). */
  readonly secretEveryMs: number;
  /** Between two questions what keeps Postgres from cleaning up (60 s). */
  readonly vacuumEveryMs: number;
  /** After looks that failed, in a row. */
  readonly backoff: BackoffPolicy;
  /** A call that takes longer than this makes the store busy: further calls are refused until it ends (2 s). */
  readonly busyMs: number;
}

const TIMES: MonitorTimes = {
  everyMs: undefined,
  hintGapMs: 1_000,
  secretEveryMs: 30_000,
  vacuumEveryMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 30_000, jitter: 0.3 },
  busyMs: 2_000,
};

/** After migrations that failed, in a row: they lock tables, and what hinders them is seldom over soon. */
const MIGRATION_BACKOFF: BackoffPolicy = { baseMs: 5_000, maxMs: 300_000 };

/** How a monitor is made. */
export interface MonitorOptions {
  /** "namespace/name" of the JobStore. */
  readonly key: string;
  readonly jobStore: StoredJobStore;
  readonly readSecret: ReadSecret;
  readonly leader: Leader;
  /** Told after every look that changed something. */
  readonly onChange: (key: string, change: StoreChange) => void;
  /** Told how long every look took and whether it succeeded. */
  readonly onLook?: (key: string, seconds: number, succeeded: boolean) => void;
  /** Told how many ticks of a schedule became jobs, and how many were skipped. */
  readonly onFired?: (key: string, ticks: { readonly fired: number; readonly skipped: number }) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<MonitorTimes>;
}

/** The store is down, not installed or busy: nothing was sent to it. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** See the head of this file. */
export class StoreMonitor extends BaseService {
  readonly #options: MonitorOptions;
  readonly #times: MonitorTimes;
  readonly #connection: StoreConnection;
  readonly #led: LedStore;
  readonly #canary = new Canary();
  readonly #vacuum: VacuumWatch;
  readonly #calls = new Set<{ readonly since: number }>();
  #jobStore: StoredJobStore;
  #view: StoreView = { is: "starting" };
  #failures = 0;
  #migrationFailed: { readonly sentence: string; readonly at: number; readonly failures: number } | undefined;
  #maintainedAt: number | undefined;
  #sweptAt: number | undefined;
  /** Number of the look that runs, or ran last, and who waits for a later one to end. */
  #looks = 0;
  #waiters: { readonly later: number; readonly resolve: () => void }[] = [];
  #hinted = false;
  #wake: () => void = () => {};

  constructor(options: MonitorOptions) {
    super(`monitor ${options.key}`);
    this.#options = options;
    this.#jobStore = options.jobStore;
    this.#times = { ...TIMES, ...options.times };
    this.#vacuum = new VacuumWatch({ clock: options.clock, everyMs: this.#times.vacuumEveryMs });
    this.#led = new LedStore(leaderScope(options.jobStore), options.leader);
    this.#connection = new StoreConnection({
      key: options.key,
      readSecret: options.readSecret,
      secretEveryMs: this.#times.secretEveryMs,
      onHint: () => {
        this.#hinted = true;
        this.#wake();
      },
      onChanged: () => {
        this.#canary.credentialsChanged();
      },
      clock: options.clock,
      log: options.log,
    });
  }

  /** What is known of the store now. */
  get view(): StoreView {
    return this.#view;
  }

  get #everyMs(): number {
    return this.#times.everyMs ?? this.#jobStore.spec.pollIntervalSeconds * 1000;
  }

  /** The incarnation and generation of the JobStore that is watched. */
  get watched(): { readonly uid: string; readonly generation: number } {
    const { uid, generation } = this.#jobStore.metadata;
    return { uid, generation };
  }

  /** Milliseconds since this process last maintained the store; absent: not yet. */
  get maintainedMsAgo(): number | undefined {
    return this.#maintainedAt === undefined ? undefined : this.#options.clock.now() - this.#maintainedAt;
  }

  /** Milliseconds since this process last swept the store for stale jobs; absent: not yet. */
  get sweptMsAgo(): number | undefined {
    return this.#sweptAt === undefined ? undefined : this.#options.clock.now() - this.#sweptAt;
  }

  /** Milliseconds until a migration that failed may be tried again; 0 is now. */
  get migrationWaitMs(): number {
    if (!this.#migrationFailed) return 0;
    const { at, failures } = this.#migrationFailed;
    return Math.max(0, at + backoffMs(MIGRATION_BACKOFF, failures) - this.#options.clock.now());
  }

  /** Goes on with a JobStore whose spec changed, at once. */
  configure(jobStore: StoredJobStore): void {
    this.#jobStore = jobStore;
    this.#connection.distrust();
    this.#vacuum.forget();
    this.#publish({ is: "starting" }); // what was seen under the old spec says nothing about the new one
    void this.refresh();
  }

  /** Looks now. Resolves when a look that began after this call has ended, well or badly, or the monitor stops. */
  async refresh(): Promise<void> {
    if (this.stopping.aborted) return;
    const looked = new Promise<void>((resolve) => this.#waiters.push({ later: this.#looks, resolve }));
    this.#wake();
    await looked;
  }

  /** The term under which this leader writes; absent before the first look. */
  get term(): number | undefined {
    return this.#led.term;
  }

  /** Calls the store, in one transaction under the term of this leader. @throws StoreUnavailable, NotLeading, StoreError */
  async use<Result>(call: (session: Session) => Promise<Result>): Promise<Result> {
    const database = this.#connection.database;
    if (this.#view.is !== "up" || !this.#view.snapshot || !database)
      throw new StoreUnavailable("The store cannot be used now.");
    const now = this.#options.clock.now();
    for (const { since } of this.#calls) {
      if (now - since > this.#times.busyMs) throw new StoreUnavailable("The store is busy: a call to it hangs.");
    }
    const running = { since: now };
    this.#calls.add(running);
    try {
      return await this.#led.write(database, call);
    } catch (error) {
      if (isAboutTheStore(error)) this.#failed(error);
      throw error;
    } finally {
      this.#calls.delete(running);
    }
  }

  /** Remembers that the store was swept just now. */
  swept(): void {
    this.#sweptAt = this.#options.clock.now();
  }

  /** Remembers that the store was maintained just now. */
  maintained(): void {
    this.#maintainedAt = this.#options.clock.now();
  }

  /** Brings the schema up to date. A failure is told by the view from then on. @throws StoreUnavailable, StoreError */
  async migrate(): Promise<{ readonly from: number; readonly to: number }> {
    const { clock, key, log } = this.#options;
    if (this.#view.is !== "up" || !this.#connection.database)
      throw new StoreUnavailable("The store cannot be used now.");
    try {
      const result = await this.#connection.directly((direct) =>
        migrate(direct, {
          onStep: ({ version, name }) => {
            log.info({ store: key, version, step: name }, "migrated the schema by one step");
          },
        }),
      );
      this.#migrationFailed = undefined;
      return result;
    } catch (error) {
      const failures = (this.#migrationFailed?.failures ?? 0) + 1;
      this.#migrationFailed = { sentence: migrationSentence(error), at: clock.now(), failures };
      throw error;
    }
  }

  protected override onStart(): void {
    this.run((stopping) => this.#loop(stopping));
  }

  protected override async onStop(): Promise<void> {
    await this.#connection.close();
    this.#settle(Infinity);
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      this.#looks += 1;
      this.#hinted = false;
      await this.#look();
      this.#settle(this.#looks);
      await this.#pause(stopping);
    }
  }

  /** Sleeps until the next look is due, counted from the end of the last one so that a slow store is not asked more often. */
  async #pause(stopping: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const ended = clock.now();
    const failed = backoffMs(this.#times.backoff, this.#failures);
    while (!stopping.aborted && this.#waiters.length === 0) {
      const wait = this.#failures > 0 ? failed : this.#hinted ? this.#times.hintGapMs : this.#everyMs;
      const ms = ended + wait - clock.now();
      if (ms <= 0) return;
      const woken = new AbortController();
      this.#wake = () => {
        woken.abort();
      };
      await sleep(clock, ms, AbortSignal.any([stopping, woken.signal]));
    }
  }

  async #look(): Promise<void> {
    const { clock, key, onLook } = this.#options;
    const began = clock.now();
    let succeeded = false;
    try {
      const database = await this.#connection.ready(this.#jobStore, this.#failures > 0);
      const up = await lookAt(database, {
        now: () => clock.wall(),
        vacuumTroubles: (asked) => this.#vacuum.troubles(asked),
        beat: async (serverStartedAt) => {
          const at = (await this.#led.beat(database)).getTime();
          return this.#canary.beat({ at, serverStartedAt: serverStartedAt.getTime(), everyMs: this.#everyMs });
        },
      });
      succeeded = true;
      this.#failures = 0;
      if (up.schema.is === "compatible") this.#migrationFailed = undefined;
      const { secretProblem } = this.#connection;
      this.#publish({
        ...up,
        ...(this.#migrationFailed && { migrationFailed: this.#migrationFailed.sentence }),
        ...(secretProblem !== undefined && { secretProblem }),
      });
      if (up.snapshot) {
        await this.#connection.listen();
        await this.#fire();
      }
    } catch (error) {
      this.#failed(error);
    }
    onLook?.(key, (clock.now() - began) / 1000, succeeded);
  }

  /** Fires the ticks that are due. Workers do it too; each tick fires once, whoever does (G14). */
  async #fire(): Promise<void> {
    const database = this.#connection.database;
    if (!database || this.stopping.aborted) return;
    const { key, log, onFired } = this.#options;
    const ticks = await fireDueSchedules(database, { write: (work) => this.#led.write(database, work) });
    for (const { name, fired, skipped, error } of ticks) {
      if (error !== undefined) log.warn({ store: key, schedule: name, error }, "a schedule cannot be fired");
      onFired?.(key, { fired, skipped });
    }
  }

  #failed(error: unknown): void {
    if (this.stopping.aborted || error instanceof NotLeading) return;
    this.#canary.missed();
    this.#vacuum.forget();
    this.#failures += 1;
    this.#connection.distrust();
    const down = downBecause(error, placeOf(this.#jobStore.spec.connection));
    const { key, log } = this.#options;
    log.warn({ store: key, reason: down.reason, failures: this.#failures, err: error }, "cannot use the store");
    this.#publish(down);
    this.#wake();
  }

  #publish(view: StoreView): void {
    const change = changesBetween(this.#view, view);
    this.#view = view;
    if (change.store || change.all || change.queues.size > 0 || change.pools.size > 0) {
      this.#options.onChange(this.#options.key, change);
    }
  }

  #settle(look: number): void {
    const settled = this.#waiters.filter(({ later }) => later < look);
    this.#waiters = this.#waiters.filter(({ later }) => later >= look);
    for (const { resolve } of settled) resolve();
  }
}

/** Our own words; those of the server stand in the log. */
function migrationSentence(error: unknown): string {
  if (!(error instanceof StoreError))
    return "Migrating the schema failed unexpectedly; the log of the operator says how.";
  if (error.code === "unsupported_server") return `${error.message}.`;
  const coded = error.sqlstate === undefined ? "" : ` (${error.sqlstate})`;
  if (error.code === "access_denied") {
    return `The user may not make or change the schema${coded}; grant it the right to, or run "jobqueue migrate" as a user that has it.`;
  }
  return `A step of the migration failed and was rolled back${coded}; the log of the operator says how. It is tried again.`;
}
