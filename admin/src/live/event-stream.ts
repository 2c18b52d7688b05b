import { Readable } from "node:stream";

/** So often a stream says something, so that proxies keep it and a dead peer is noticed. */
const BEAT_MS = 15_000;
/** A peer that took nothing for so long is gone. */
const STUCK_MS = 60_000;

/**
 * One stream of server-sent events. A slow reader costs one event per name and no more: while it does not read, the latest
 * event of each name replaces the one before.
 */
export class EventStream extends Readable {
  readonly #waiting = new Map<string, string>();
  readonly #beat: NodeJS.Timeout;
  readonly #now: () => number;
  #blockedSince: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    super({ highWaterMark: 64 * 1024 });
    this.#now = now;
    this.#beat = setInterval(() => {
      if (this.#blockedSince !== undefined && this.#now() - this.#blockedSince > STUCK_MS) this.destroy();
      else if (this.#blockedSince === undefined) this.#push(": beat\n\n");
    }, BEAT_MS);
    // Tells the browser how long to wait before it connects again.
    this.#push("retry: 2000\n\n");
  }

  /** Sends an event, or has it replace the one of the same name that waits. */
  send(name: string, data: unknown): void {
    if (this.destroyed) return;
    const frame = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    if (this.#blockedSince === undefined) this.#push(frame);
    else this.#waiting.set(name, frame);
  }

  override _read(): void {
    this.#blockedSince = undefined;
    for (const [name, frame] of this.#waiting) {
      this.#waiting.delete(name);
      if (!this.#push(frame)) return;
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#beat);
    this.#waiting.clear();
    done(error);
  }

  #push(frame: string): boolean {
    const more = this.push(frame);
    if (!more) this.#blockedSince ??= this.#now();
    return more;
  }
}
