import type { JobQueue } from "../../crds/src/index.ts";
import { JOB_QUEUES } from "../../operator/src/controllers/kinds.ts";
import { Informer, keyOf, type Stored } from "../../operator/src/kube/index.ts";
import type { Edge } from "../../operator/src/kube/testing/edge.ts";
import { silentLog } from "../../operator/src/runtime/log.ts";
import { systemClock } from "../../operator/src/runtime/index.ts";

/** What the bench sees of the JobQueues, by a watch of its own. */
export class Statuses {
  readonly #informer: Informer<JobQueue>;
  /** Who waits for a JobQueue to be paused, or not to be, by its key. */
  readonly #waiting = new Map<string, { readonly paused: boolean; readonly resolve: (at: number) => void }>();

  private constructor({ client, metrics }: Edge) {
    this.#informer = new Informer({
      client,
      metrics,
      clock: systemClock,
      log: silentLog,
      resource: JOB_QUEUES,
      namespaces: [],
      onChange: ({ object }) => {
        const key = keyOf(object.metadata);
        const waiting = this.#waiting.get(key);
        if (!waiting || !conditionIs(object, "Paused", waiting.paused ? "True" : "False")) return;
        this.#waiting.delete(key);
        waiting.resolve(Date.now());
      },
    });
  }

  /** Begins to watch. */
  static async watch(edge: Edge): Promise<Statuses> {
    const statuses = new Statuses(edge);
    await statuses.#informer.start();
    await statuses.#informer.synced();
    return statuses;
  }

  /** How many JobQueues say that they are Ready, as of their present spec. */
  ready(): number {
    return [...this.#informer.cache.values()].filter(isReady).length;
  }

  /** Resolves with the time (milliseconds of the wall clock) when the status of a JobQueue came that says that it is paused, or is not. */
  paused(key: string, paused: boolean): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(key, { paused, resolve }));
  }

  async stop(): Promise<void> {
    await this.#informer.stop();
  }
}

function conditionIs({ metadata, status }: Stored<JobQueue>, type: string, is: "True" | "False"): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    (status?.conditions?.some((condition) => condition.type === type && condition.status === is) ?? false)
  );
}

const isReady = (queue: Stored<JobQueue>): boolean => conditionIs(queue, "Ready", "True");
