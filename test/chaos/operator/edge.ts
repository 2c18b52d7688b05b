import { setTimeout as sleep } from "node:timers/promises";
import { loadAccess } from "../../../operator/src/kube/index.ts";
import {
  FaultProxy,
  type LineFate,
  type Rule,
  type SeenRequest,
} from "../../../operator/src/kube/testing/fault-proxy.ts";

/** What becomes of a line of a watch. */
export type WatchFate = (line: string) => LineFate;

const passes: WatchFate = (line) => [line];

/**
 * What stands between one operator and the API server. All its watches are passed on line by line, so that those that stand can be
 * spoiled, too; other faults are there for a while and gone again.
 */
export class Edge {
  readonly #proxy: FaultProxy;
  readonly #active = new Set<Rule>();
  #watches: WatchFate = passes;

  private constructor(proxy: FaultProxy) {
    this.#proxy = proxy;
    proxy.add({
      when: (request) => request.watch && ![...this.#active].some(({ when }) => when(request)),
      fault: { kind: "stream", fate: (line) => this.#watches(line) },
    });
  }

  /** Stands before the API server of a kubeconfig. */
  static async create(kubeconfig: string): Promise<Edge> {
    return new Edge(await FaultProxy.start(await loadAccess({ kubeconfig })));
  }

  /** Writes a kubeconfig that leads through it; returns its path. */
  async kubeconfig(path: string): Promise<string> {
    return this.#proxy.kubeconfig(path);
  }

  /** What of the operator's requests changed something, or was meant to: no reads, no dry runs, not the Lease. */
  get writes(): readonly SeenRequest[] {
    return this.#proxy.requests.filter(
      ({ method, dryRun, resource }) => method !== "GET" && !dryRun && resource !== "leases",
    );
  }

  /** Spoils some requests for so long; milliseconds. */
  async spoil(rule: Rule, ms: number): Promise<void> {
    this.#active.add(rule);
    this.#proxy.add({ ...rule, when: (request) => this.#active.has(rule) && rule.when(request) });
    await sleep(ms);
    this.#active.delete(rule);
  }

  /** Spoils all watches for so long; milliseconds. */
  async spoilWatches(fate: WatchFate, ms: number): Promise<void> {
    this.#watches = fate;
    await sleep(ms);
    if (this.#watches === fate) this.#watches = passes;
  }

  /** Resets all connections that stand. */
  reset(): void {
    this.#proxy.resetConnections();
  }

  async close(): Promise<void> {
    await this.#proxy.stop();
  }
}
