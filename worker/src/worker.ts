import { Database, deregisterWorker, type QueueHints, shareMetrics } from "@jobqueue/store";
import { Chores } from "./chores/chores.ts";
import { ClaimLoop } from "./claim/claim-loop.ts";
import { LeaseLedger } from "./claim/lease-ledger.ts";
import { HEARTBEAT_SLACK_MS, HINTS_PROOF_MS, LONGEST_POLL_MS } from "./claim/poll-wait.ts";
import { UnstartedJobs } from "./claim/unstarted-jobs.ts";
import { monotonicMs } from "./clock.ts";
import type { WorkerConfig } from "./config/config.ts";
import { drain } from "./drain.ts";
import { EXIT_CODE, type ExitCode } from "./exit-code.ts";
import { Finisher } from "./finish/finisher.ts";
import type { Handlers } from "./handlers/load.ts";
import { KeptIdle } from "./kept-idle.ts";
import { renewalIntervalMs } from "./lease/trust-window.ts";
import { type HeldLease, WorkerLease } from "./lease/worker-lease.ts";
import type { Log } from "./log.ts";
import { LoopTick } from "./loop-tick.ts";
import { WorkerMetrics } from "./metrics.ts";
import { HttpServer } from "./probes/http-server.ts";
import { WorkerProbes } from "./probes/worker-probes.ts";
import { AttemptRunner } from "./run/attempt-runner.ts";
import { Cancellations } from "./run/cancellations.ts";
import { JobAborted } from "./run/outcome.ts";
import { Slots } from "./run/slots.ts";
import type { Service } from "./service.ts";
import { StoreTrouble } from "./store-trouble.ts";
import { VERSION } from "./version.ts";
import { killPrograms, writePostMortem } from "./watchdog/post-mortem.ts";
import { SharedFacts } from "./watchdog/shared-facts.ts";
import { Watchdog } from "./watchdog/watchdog.ts";
import { within } from "./within.ts";
import { workerFacts } from "./worker-facts.ts";

/** What a worker is made of. */
export interface WorkerOptions {
  readonly config: WorkerConfig;
  readonly handlers: Handlers;
  readonly log: Log;
  /**
   * Ends the process at once; `process.exit` when absent. Called when going on would be wrong: hung, without watchdog, or
   * after a defect. What the worker holds is recovered by others when its lease lapses.
   */
  readonly exit?: (code: ExitCode) => void;
}

/** What every worker hears of beside its queues: holds on all of them, cancellations and releases, schedules. */
const HINTS_FOR_ALL = ["*", "worker:", "schedules:"];

/** How often the main loop shows that it turns, milliseconds, at most; short leases are looked at more often. */
const LONGEST_TICK_MS = 100;

/** How long leaving the store may take at the end of a drain, milliseconds. */
const LEAVE_TIMEOUT_MS = 2_000;

/** How long closing a connection may take; a half-open one would take for ever. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * One worker: claims jobs, runs them in its slots, tells the store how they ended. This file only puts the parts
 * together; each part's own file says what it promises.
 */
export class Worker implements Service {
  readonly metrics = new WorkerMetrics();
  readonly #config: WorkerConfig;
  readonly #log: Log;
  readonly #exit: (code: ExitCode) => void;
  readonly #shared: SharedFacts;
  readonly #trouble: StoreTrouble;
  readonly #database: Database;
  readonly #slots: Slots;
  readonly #lease: WorkerLease;
  readonly #finisher: Finisher;
  readonly #runner: AttemptRunner;
  readonly #unstarted: UnstartedJobs;
  readonly #claimLoop: ClaimLoop;
  readonly #cancellations: Cancellations;
  readonly #chores: Chores;
  readonly #keptIdle: KeptIdle;
  readonly #watchdog: Watchdog;
  readonly #tick: LoopTick;
  readonly #probes: WorkerProbes;
  readonly #http: HttpServer;
  readonly #hurry = new AbortController();
  #hints: QueueHints | undefined;
  #endTelemetry: (() => Promise<void>) | undefined;
  #lastWorkerId: string | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ config, handlers, log, exit = (code) => process.exit(code) }: WorkerOptions) {
    this.#config = config;
    this.#log = log;
    this.#exit = exit;
    const { metrics } = this;
    const leaseMs = config.leaseSeconds * 1000;
    const abortGraceMs = config.abortGraceSeconds * 1000;
    const name = `jobqueue worker ${config.pod ?? process.pid}`;
    const onDefect = (error: unknown): void => {
      this.#defect(error);
    };
    this.#shared = SharedFacts.create(config.slots);
    this.#trouble = new StoreTrouble(log, metrics);
    // A claim must fail before the watchdog takes the claim loop for hung.
    const statementTimeoutMs = Math.min(15_000, config.hungAfterSeconds * 300);
    this.#database = new Database({
      connection: config.connection,
      schema: config.schema,
      applicationName: name,
      poolSize: 6,
      statementTimeoutMs,
      queryTimeoutMs: statementTimeoutMs * 1.1,
      onIdleError: (error) => {
        log.debug({ code: error.code }, "an unused connection broke");
      },
    });
    const session = this.#database;
    const trouble = this.#trouble;
    this.#slots = new Slots(this.#shared);
    this.#lease = new WorkerLease({
      session,
      facts: workerFacts(config, VERSION, [...handlers.keys()]),
      leaseMs,
      shared: this.#shared,
      log,
      metrics,
      trouble,
      onHeld: (lease) => {
        this.#leaseHeld(lease);
      },
      onLost: (lease) => {
        this.#leaseLost(lease);
      },
      onDefect,
    });
    const lease = this.#lease;
    const slots = this.#slots;
    this.#finisher = new Finisher({
      session,
      log,
      metrics,
      trouble,
      onSettled: (jobs) => {
        this.#claimLoop.settled(jobs);
      },
      onDefect,
    });
    const finisher = this.#finisher;
    this.#runner = new AttemptRunner({
      slots,
      finisher,
      session,
      log,
      metrics,
      trouble,
      abortGraceMs,
      onSlotFree: () => {
        this.#shared.set("lastFinish", monotonicMs());
        this.#claimLoop.slotFree();
      },
    });
    const ledger = new LeaseLedger(statementTimeoutMs * 1.1);
    this.#unstarted = new UnstartedJobs({
      session,
      slots,
      runner: this.#runner,
      finisher,
      ledger,
      lease,
      log,
      metrics,
      trouble,
    });
    const longestPollMs = Math.min(LONGEST_POLL_MS, renewalIntervalMs(leaseMs));
    this.#claimLoop = new ClaimLoop({
      session,
      queues: config.queues,
      handlers,
      prefetch: config.prefetch,
      slots,
      unstarted: this.#unstarted,
      finisher,
      ledger,
      lease,
      shared: this.#shared,
      log,
      metrics,
      trouble,
      longestPollMs,
      onDue: (due) => {
        this.#chores.due(due);
      },
      onStuckAlone: () => {
        this.#stuckAlone();
      },
      onDefect,
    });
    this.#cancellations = new Cancellations({
      session,
      runner: this.#runner,
      unstarted: this.#unstarted,
      log,
      trouble,
    });
    this.#chores = new Chores({
      session,
      lease,
      sweepMs: config.sweepSeconds * 1000,
      askedEveryMs: longestPollMs,
      name,
      log,
      metrics,
      trouble,
      onDue: (due) => {
        this.#claimLoop.due(due);
      },
    });
    this.#keptIdle = new KeptIdle({
      shared: this.#shared,
      log,
      onReleased: () => {
        this.#claimLoop.hint();
      },
    });
    this.#tick = new LoopTick(Math.min(LONGEST_TICK_MS, leaseMs / 40), this.#shared, () => {
      this.#lease.check();
    });
    this.#watchdog = new Watchdog(
      {
        facts: this.#shared.buffer,
        connection: config.connection,
        schema: config.schema,
        applicationName: `${name} watchdog`,
        leaseMs,
        limits: {
          loopStallBudgetMs: config.loopStallBudgetSeconds * 1000,
          hungAfterMs: config.hungAfterSeconds * 1000,
        },
      },
      {
        onLost: (workerId) => {
          this.#lease.reportLost(workerId);
        },
        onDue: (workerId, due) => {
          if (workerId !== this.#lastWorkerId) return;
          this.#chores.due(due);
          this.#claimLoop.due(due, longestPollMs + HEARTBEAT_SLACK_MS);
        },
        onCancelled: (workerId) => {
          this.#cancellations.look(workerId);
        },
        onDrained: (workerId, drained) => {
          if (workerId === this.#lastWorkerId) this.#keptIdle.told(drained);
        },
        onRenewalFailed: (error, code) => {
          metrics.count("jobqueue_worker_heartbeat_failures_total");
          trouble.failedWith("heartbeat", code, error);
        },
        onHung: () => {
          this.#exit(EXIT_CODE.hung);
        },
        onDeath: (reason) => {
          log.fatal({ reason }, "the watchdog thread died: the worker ends, since nothing would renew its lease");
          killPrograms(this.#shared);
          this.#exit(EXIT_CODE.watchdogDied);
        },
      },
    );
    this.#probes = new WorkerProbes({
      shared: this.#shared,
      slots,
      lease,
      finisher,
      unstarted: this.#unstarted,
      claimLoop: this.#claimLoop,
      tick: this.#tick,
      metrics,
      hungAfterMs: config.hungAfterSeconds * 1000,
    });
    this.#http = new HttpServer(config.httpPort, this.#probes);
  }

  /** Port of the probes, once started. */
  get httpPort(): number {
    return this.#http.port;
  }

  /** Resolves when the worker works, with or without its store. Rejects when the port of the probes is taken. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /**
   * Drains: claims no more, gives back what was not started, lets running jobs finish for the drain timeout, then aborts
   * them and gives them back, tells the store, leaves it. Never rejects because of the store.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Shortens a drain: running jobs are aborted now. */
  hurry(): void {
    this.#hurry.abort();
  }

  async #start(): Promise<void> {
    await this.#tick.start();
    await this.#http.start();
    this.#endTelemetry = shareMetrics(this.metrics.registry, {
      measure: () => {
        this.#probes.measure("otlp");
      },
    });
    await this.#watchdog.start();
    await this.#lease.start();
    await this.#claimLoop.start();
    await this.#chores.start();
    this.#hints = await this.#database.listen({
      topics: [...this.#config.queues, ...HINTS_FOR_ALL],
      onHint: (hint) => {
        this.#hinted(hint);
      },
      probeIntervalMs: HINTS_PROOF_MS,
      onHearing: (hearing) => {
        this.metrics.set("jobqueue_worker_hints_hearing", hearing ? 1 : 0);
        this.#claimLoop.hearing(hearing);
        this.#chores.hearing(hearing);
        if (!hearing && this.#stopped === undefined)
          this.#log.warn({}, "hints of the store do not arrive: polling alone finds work, within a second");
      },
    });
    this.#log.info(
      { port: this.httpPort, queues: this.#config.queues, slots: this.#config.slots, version: VERSION },
      "worker started",
    );
  }

  async #stop(): Promise<void> {
    if (this.#started === undefined) return;
    await this.#started.catch(() => {});
    this.#shared.set("draining", 1);
    this.#finisher.leave();
    this.#log.info({ running: this.#runner.running, unstarted: this.#unstarted.size }, "draining");
    // These wait for statements that are under way; nothing else need wait for them.
    const idle = Promise.all([this.#chores.stop(), this.#lease.stop()]);
    await drain({
      claimLoop: this.#claimLoop,
      runner: this.#runner,
      finisher: this.#finisher,
      hurry: this.#hurry.signal,
      drainTimeoutMs: this.#config.drainTimeoutSeconds * 1000,
      log: this.#log,
    });
    await Promise.all([within(LEAVE_TIMEOUT_MS, idle), this.#leave()]);
    // Last of all the watchdog: until here it renews the lease.
    await Promise.all([
      this.#watchdog.stop(),
      within(CLOSE_TIMEOUT_MS, this.#hints?.stop() ?? Promise.resolve()),
      this.#http.stop(),
      this.#tick.stop(),
      this.#endTelemetry?.(),
    ]);
    killPrograms(this.#shared);
    await within(CLOSE_TIMEOUT_MS, this.#database.close());
    this.#log.info({}, "drained");
  }

  /** Tells the store that this worker is gone, so that what it may still hold is stale at once. */
  async #leave(): Promise<void> {
    if (this.#lastWorkerId === undefined) return;
    try {
      await within(LEAVE_TIMEOUT_MS, deregisterWorker(this.#database, this.#lastWorkerId));
    } catch (error) {
      this.#log.warn({ error: (error as Error).message }, "could not deregister; the lease will lapse");
    }
  }

  /**
   * A hint names a queue (`*`: all), with `worker:` before it a worker whose jobs were cancelled, or that was released from
   * being kept idle, or says that `schedules:` were changed.
   */
  #hinted(hint: string): void {
    if (hint === `worker:${this.#lastWorkerId}`) {
      this.#cancellations.look(hint.slice("worker:".length));
      this.#keptIdle.doubt();
    } else if (hint === "schedules:") this.#chores.schedulesChanged();
    else if (hint === "*" || this.#config.queues.includes(hint)) this.#claimLoop.hint();
  }

  #leaseHeld(lease: HeldLease): void {
    const former = this.#lastWorkerId;
    this.#lastWorkerId = lease.workerId;
    this.#keptIdle.doubt();
    this.#claimLoop.hint();
    if (former === undefined) return;
    // Where there is no pod uid the store cannot know that the former incarnation is no more.
    deregisterWorker(this.#database, former).catch((error: unknown) => {
      this.#trouble.failed("deregister", error);
    });
  }

  #leaseLost(lease: HeldLease): void {
    this.#unstarted.leaseLost();
    this.#runner.abortAll(
      new JobAborted("lease lost", "the worker lost its lease: another may run this job now"),
      lease,
    );
  }

  /** All that runs here is a handler that ignored its abort, of a job that may have killed workers: nothing joins it. */
  #stuckAlone(): void {
    writePostMortem("a job in its last chance ignored its abort signal", this.#shared);
    killPrograms(this.#shared);
    this.#exit(EXIT_CODE.hung);
  }

  #defect(error: unknown): void {
    this.#log.fatal({ error: error instanceof Error ? error.stack : String(error) }, "a defect: the worker ends");
    writePostMortem("a part of the worker threw", this.#shared);
    killPrograms(this.#shared);
    this.#exit(EXIT_CODE.defect);
  }
}
