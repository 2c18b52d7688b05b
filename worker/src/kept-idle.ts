import type { Log } from "./log.ts";
import type { SharedFacts } from "./watchdog/shared-facts.ts";

/** What being kept idle is about. */
export interface KeptIdleParts {
  readonly shared: Pick<SharedFacts, "get" | "set">;
  readonly log: Log;
  /** It may take jobs again: look for some. */
  readonly onReleased: () => void;
}

/**
 * Whether the operator keeps this worker idle, because its pool shrinks and it had no job. It then stays up and claims
 * nothing until its pod is removed, or until it is released. The store decides: it gives a drained worker nothing, whatever
 * the worker believes. Believing it only saves claims, and lets log and metrics say why nothing runs here.
 *
 * Learned with each heartbeat. A hint that names this worker may mean that it was released: it looks at once, and if the hint
 * was wrong, or about something else, the next heartbeat says so.
 */
export class KeptIdle {
  readonly #parts: KeptIdleParts;

  constructor(parts: KeptIdleParts) {
    this.#parts = parts;
  }

  /** The store said so with a heartbeat. */
  told(drained: boolean): void {
    const { shared, log, onReleased } = this.#parts;
    if (drained === (shared.get("drained") === 1)) return;
    shared.set("drained", drained ? 1 : 0);
    if (drained) {
      log.info({}, "kept idle: its pool shrinks, so it takes no jobs and its pod will be removed");
      return;
    }
    log.info({}, "not kept idle any more: it takes jobs again");
    onReleased();
  }

  /** It may have been released. */
  doubt(): void {
    this.told(false);
  }
}
