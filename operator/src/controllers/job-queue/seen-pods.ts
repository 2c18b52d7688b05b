/**
 * A pod that nothing asks about is remembered for so long, milliseconds: its worker may have registered a moment before
 * the pod went, and the store be looked at only after that.
 */
const REMEMBERED_MS = 600_000;

/**
 * Which pods of a pool this process has seen with its own eyes. One of them that is missing now is gone; a pod that was
 * never seen may as well belong to another cluster (see `rules/recovery.ts`).
 */
export class SeenPods {
  /** By pool, by UID: when it was last asked for, monotonic milliseconds; undefined: not yet. */
  readonly #pools = new Map<string, Map<string, number | undefined>>();

  /** A pod of the pool is there. `pool` is the key of the JobQueue. */
  add(pool: string, uid: string): void {
    const uids = this.#pools.get(pool) ?? new Map<string, number | undefined>();
    uids.set(uid, undefined);
    this.#pools.set(pool, uids);
  }

  /** Of the given pods, those that were seen. */
  of(pool: string, uids: ReadonlySet<string>): ReadonlySet<string> {
    const seen = this.#pools.get(pool);
    return new Set([...uids].filter((uid) => seen?.has(uid)));
  }

  /** Forgets the pods that nobody has asked about for a while. `nowMs` is monotonic. */
  keepOnly(pool: string, wanted: (uid: string) => boolean, nowMs: number): void {
    const uids = this.#pools.get(pool);
    if (!uids) return;
    for (const [uid, wantedMs = nowMs] of uids) {
      if (wanted(uid)) uids.set(uid, nowMs);
      else if (nowMs - wantedMs > REMEMBERED_MS) uids.delete(uid);
      else uids.set(uid, wantedMs);
    }
    if (uids.size === 0) this.#pools.delete(pool);
  }
}
