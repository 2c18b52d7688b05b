/** So many wrong credentials of one address in a window; then strangers from there wait until it is over. */
const ALLOWED = 20;
const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 10_000;

/**
 * Wrong credentials by the address they came from. Nobody guesses a key of 192 bits; this keeps whoever tries from having the store, or
 * the API server, asked as fast as they can send.
 */
export class FailedAttempts {
  readonly #now: () => number;
  readonly #windows = new Map<string, { count: number; readonly until: number }>();

  /** `now` is monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** For how many seconds strangers from an address have to wait; 0 when they need not. */
  waitOf(address: string): number {
    const window = this.#windows.get(networkOf(address));
    const left = (window?.until ?? 0) - this.#now();
    return window !== undefined && window.count >= ALLOWED && left > 0 ? Math.ceil(left / 1000) : 0;
  }

  /** Somebody at an address presented wrong credentials. */
  note(address: string): void {
    const network = networkOf(address);
    const window = this.#windows.get(network);
    if (window !== undefined && window.until > this.#now()) {
      window.count += 1;
      return;
    }
    this.#windows.delete(network);
    this.#windows.set(network, { count: 1, until: this.#now() + WINDOW_MS });
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MOST_ADDRESSES && oldest !== undefined) this.#windows.delete(oldest);
  }
}

/** Who has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [head = "", tail = ""] = address.split("::");
  const [left, right] = [head.split(":").filter(Boolean), tail.split(":").filter(Boolean)];
  const zeros = address.includes("::") ? Array.from({ length: 8 - left.length - right.length }, () => "0") : [];
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
