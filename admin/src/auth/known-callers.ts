import { createHash } from "node:crypto";
import type { Principal } from "./principal.ts";

/** For how long somebody who was let in counts as known. */
const KNOWN_MS = 15 * 60_000;
const MOST = 1_000;

/**
 * Whose credentials were good lately, by a hash of them. It lets nobody in by itself: it says who is no stranger where strangers have to
 * wait, and who may read what needs no store while the store cannot be asked.
 */
export class KnownCallers {
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly principal: Principal; readonly until: number }>();

  /** `now` is monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Who it was at the last good look; undefined for a stranger. */
  find(secret: string): Principal | undefined {
    const known = this.#seen.get(hashOf(secret));
    return known !== undefined && known.until > this.#now() ? known.principal : undefined;
  }

  /** What these credentials turned out to be: a revoked key is forgotten at once. */
  note(secret: string, principal: Principal | undefined): void {
    const hash = hashOf(secret);
    this.#seen.delete(hash);
    if (principal === undefined) return;
    this.#seen.set(hash, { principal, until: this.#now() + KNOWN_MS });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64");
}
