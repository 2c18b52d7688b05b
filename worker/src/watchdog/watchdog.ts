import { Worker as Thread } from "node:worker_threads";
import type { DueWork } from "@jobqueue/store";
import type { Service } from "../service.ts";
import { watchdogThreadFile } from "./thread-file.ts";
import type { WatchdogCommand, WatchdogInput, WatchdogMessage } from "./thread-protocol.ts";

/** What the main thread does about what its watchdog says. */
export interface WatchdogEvents {
  /** The store says that this worker's lease is lost. */
  onLost(workerId: string): void;
  /** The store says what there is to do, because the worker was idle. */
  onDue(workerId: string, due: DueWork): void;
  /** The store says that jobs of this worker were cancelled. */
  onCancelled(workerId: string): void;
  /** The store keeps this worker idle, or does so no more. */
  onDrained(workerId: string, drained: boolean): void;
  onRenewalFailed(error: string, code: string): void;
  /** The watchdog wrote its diagnostics; the process is killed unless it exits within a second. */
  onHung(reason: string): void;
  /** The thread ended without being asked: nothing renews the lease any more. */
  onDeath(reason: string): void;
}

/** How long a thread that was asked to stop may take, milliseconds. */
const STOP_TIMEOUT_MS = 1_000;

/** The main thread's end of the watchdog. */
export class Watchdog implements Service {
  readonly #input: WatchdogInput;
  readonly #events: WatchdogEvents;
  #thread: Thread | undefined;
  #started: Promise<void> | undefined;
  #exited: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(input: WatchdogInput, events: WatchdogEvents) {
    this.#input = input;
    this.#events = events;
  }

  /** Resolves when the thread watches. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    const thread = new Thread(watchdogThreadFile(), { workerData: this.#input, execArgv: [], name: "watchdog" });
    this.#thread = thread;
    let failure = "it ended";
    let watching = false;
    thread.on("error", (error) => {
      failure = error instanceof Error ? error.message : String(error);
    });
    this.#exited = new Promise((resolve) => {
      thread.once("exit", () => {
        resolve();
        if (watching && this.#stopped === undefined) this.#events.onDeath(failure);
      });
    });
    await new Promise<void>((resolve, reject) => {
      thread.once("exit", () => {
        reject(new Error(`the watchdog thread did not start: ${failure}`));
      });
      thread.on("message", (message: WatchdogMessage) => {
        if (message.type === "started") resolve();
        else this.#heard(message);
      });
    });
    watching = true;
  }

  #heard(message: Exclude<WatchdogMessage, { type: "started" }>): void {
    switch (message.type) {
      case "lost":
        this.#events.onLost(message.workerId);
        return;
      case "due":
        this.#events.onDue(message.workerId, message.due);
        return;
      case "cancelled":
        this.#events.onCancelled(message.workerId);
        return;
      case "drained":
        this.#events.onDrained(message.workerId, message.drained);
        return;
      case "renewal failed":
        this.#events.onRenewalFailed(message.error, message.code);
        return;
      case "hung":
        this.#events.onHung(message.reason);
        return;
    }
  }

  async #stop(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    const command: WatchdogCommand = { type: "stop" };
    thread.postMessage(command);
    const timer = setTimeout(() => void thread.terminate(), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
