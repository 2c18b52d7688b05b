/** The beginning of a stream, up to a limit, and whether there was more. */
export class OutputHead {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #overflowed = false;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get overflowed(): boolean {
    return this.#overflowed;
  }

  add(chunk: Buffer): void {
    if (this.#overflowed) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limit) {
      this.#overflowed = true;
      this.#chunks.length = 0;
    } else {
      this.#chunks.push(chunk);
    }
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** The end of a stream, up to a limit: what a program said last before it failed. */
export class OutputTail {
  readonly #limit: number;
  #kept = Buffer.alloc(0);

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  add(chunk: Buffer): void {
    const joined = Buffer.concat([this.#kept, chunk]);
    this.#kept = joined.length > this.#limit ? Buffer.from(joined.subarray(joined.length - this.#limit)) : joined;
  }

  /** Text without the half character that cutting may have left at its start. */
  text(): string {
    let start = 0;
    while (start < this.#kept.length && start < 4 && ((this.#kept[start] ?? 0) & 0xc0) === 0x80) start++;
    return this.#kept.subarray(start).toString("utf8").trim();
  }
}
