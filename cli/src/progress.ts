import type { Terminal } from "./terminal.ts";

/** How often a line of progress is written: often over itself on a terminal, seldom where every line stays. */
const EVERY_MS = { terminal: 100, log: 10_000 };
/** Work that is done sooner than this needs no progress. */
const PATIENCE_MS = 1000;

/** A line of progress on standard error, for work of known size that takes longer than a second. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #what: string;
  readonly #total: number;
  readonly #started: number;
  #next: number;
  #shown = false;

  /** `what` is what is counted, such as `jobs enqueued`; `now` is monotonic milliseconds. */
  constructor(terminal: Terminal, what: string, total: number, now = performance.now()) {
    this.#terminal = terminal;
    this.#what = what;
    this.#total = total;
    this.#started = now;
    this.#next = now + PATIENCE_MS;
  }

  /** So much is done. */
  done(count: number, now = performance.now()): void {
    if (now < this.#next) return;
    this.#next = now + (this.#terminal.progress ? EVERY_MS.terminal : EVERY_MS.log);
    const rate = Math.round(count / ((now - this.#started) / 1000));
    const percent = Math.floor((count / this.#total) * 100);
    const line = `${count} of ${this.#total} ${this.#what} (${percent} %, ${rate} per second)`;
    this.#terminal.stderr.write(this.#terminal.progress ? `\r\u001b[K${line}` : `${line}\n`);
    this.#shown = this.#terminal.progress;
  }

  /** Takes the line away again. */
  end(): void {
    if (this.#shown) this.#terminal.stderr.write("\r\u001b[K");
  }
}
