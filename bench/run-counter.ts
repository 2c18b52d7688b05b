/** Ids from here on are probes: jobs whose start is timed, beside those that are only load. */
export const FIRST_PROBE = 1_000_000_000;

/** What the handlers of one process have seen: the work of a bench is one addition per job, the same for everybody. */
export class RunCounter {
  #runs = 0;
  #sum = 0;
  readonly #startedAtMs = new Map<number, number>();
  readonly #awaited = new Map<number, (atMs: number) => void>();

  /** A handler was started for the job with this id in its payload. */
  ran(id: number): void {
    if (id >= FIRST_PROBE) this.#probe(id);
    else {
      this.#runs++;
      this.#sum += id;
    }
  }

  /** Jobs run, and the sum of their ids: together they show whether each ran once. */
  readonly runs = (): { runs: number; sum: number } => ({ runs: this.#runs, sum: this.#sum });

  /** When the handler of a probe started, by `monotonicMs`; waits for it. */
  readonly probe = async ({ id }: { id: number }): Promise<number> => {
    const startedAtMs = this.#startedAtMs.get(id);
    if (startedAtMs !== undefined) return startedAtMs;
    return new Promise((resolve) => this.#awaited.set(id, resolve));
  };

  /** Probes that have started, by id. */
  readonly probes = (): [number, number][] => [...this.#startedAtMs];

  #probe(id: number): void {
    const nowMs = monotonicMs();
    this.#startedAtMs.set(id, nowMs);
    this.#awaited.get(id)?.(nowMs);
    this.#awaited.delete(id);
  }
}

/** The machine's monotonic clock, the same in every process, milliseconds with fractions. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
