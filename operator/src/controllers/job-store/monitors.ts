import type { StoredJobStore } from "../kubernetes-objects.ts";
import { StoreMonitor, StoreUnavailable, type MonitorOptions } from "./monitor.ts";
import type { StoreKey } from "../../plan/action.ts";

/** The monitors of all JobStores that are watched. Only a leader has any. */
export class Monitors {
  readonly #options: Omit<MonitorOptions, "key" | "jobStore">;
  readonly #monitors = new Map<StoreKey, StoreMonitor>();

  constructor(options: Omit<MonitorOptions, "key" | "jobStore">) {
    this.#options = options;
  }

  /** The monitor of a store, if it is watched. */
  find(key: StoreKey): StoreMonitor | undefined {
    return this.#monitors.get(key);
  }

  /** The keys of all stores that are watched. */
  keys(): Iterable<StoreKey> {
    return this.#monitors.keys();
  }

  /** The monitor of a store. @throws StoreUnavailable when it is not watched */
  get(key: StoreKey): StoreMonitor {
    const monitor = this.#monitors.get(key);
    if (!monitor) throw new StoreUnavailable("The store is not watched.");
    return monitor;
  }

  /** Watches a JobStore, or goes on with its new spec. Does not wait for the store: the monitor tells when it knows more. */
  async watch(key: StoreKey, jobStore: StoredJobStore): Promise<void> {
    const known = this.#monitors.get(key);
    // The schema cannot change within one incarnation; another incarnation may be another database altogether.
    if (known?.watched.uid === jobStore.metadata.uid) {
      known.configure(jobStore);
      return;
    }
    await this.forget(key);
    const monitor = new StoreMonitor({ ...this.#options, key, jobStore });
    this.#monitors.set(key, monitor);
    await monitor.start();
  }

  /** Stops watching a store and closes its connections. */
  async forget(key: StoreKey): Promise<void> {
    const monitor = this.#monitors.get(key);
    this.#monitors.delete(key);
    await monitor?.stop();
  }

  /** Stops watching all. */
  async stop(): Promise<void> {
    await Promise.all([...this.#monitors.keys()].map((key) => this.forget(key)));
  }
}
