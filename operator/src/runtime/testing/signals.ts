/**
 * What a part tells while it runs, kept so that a test can wait for something to have been told: no polling, no time. The
 * twin of River's `rivershared/testsignal`.
 */
export class Signals<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  /** Tells. A function of its own, so that it can be handed over as a callback. */
  readonly tell = (signal: T): void => {
    this.all.push(signal);
    for (const look of this.#waiting) look();
  };

  /** Resolves with the first signal, told already or to come, that fits. */
  first(fits: (signal: T) => boolean): Promise<T> {
    return this.until(() => this.all.find(fits));
  }

  /** Looks now and after each signal, until the look gives something. */
  until<R>(look: () => R | undefined): Promise<R> {
    return new Promise((resolve) => {
      const attempt = () => {
        const result = look();
        if (result === undefined || result === false) return;
        this.#waiting.delete(attempt);
        resolve(result);
      };
      this.#waiting.add(attempt);
      attempt();
    });
  }
}
