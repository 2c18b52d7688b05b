/**
 * Which pods of a pool this process has seen with its own eyes. One of them that is missing now is gone; a pod that was
 * never seen may as well belong to another cluster (see `rules/recovery.ts`).
 */
export class SeenPods {
  readonly #pools = new Map<string, Set<string>>();

  /** A pod of the pool is there. `pool` is the key of the JobQueue. */
  add(pool: string, uid: string): void {
    const uids = this.#pools.get(pool) ?? new Set();
    uids.add(uid);
    this.#pools.set(pool, uids);
  }

  /** Of the given pods, those that were seen. */
  of(pool: string, uids: ReadonlySet<string>): ReadonlySet<string> {
    const seen = this.#pools.get(pool);
    return new Set([...uids].filter((uid) => seen?.has(uid)));
  }

  /** Forgets the pods nobody asks about any more. */
  keepOnly(pool: string, wanted: (uid: string) => boolean): void {
    const kept = [...(this.#pools.get(pool) ?? [])].filter(wanted);
    if (kept.length > 0) this.#pools.set(pool, new Set(kept));
    else this.#pools.delete(pool);
  }
}
