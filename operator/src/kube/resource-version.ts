/** A resourceVersion that can be ordered: a decimal number without leading zeros (KEP-5504). */
const ORDERED = /^[1-9][0-9]*$/;

/**
 * Negative when `a` is older than `b`, positive when newer, 0 when equal, `undefined` when they cannot be compared.
 * By length, then as text: the numbers may be larger than a double holds exactly.
 */
export function compareVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!ORDERED.test(a) || !ORDERED.test(b)) return undefined;
  return a.length - b.length || (a < b ? -1 : 1);
}

/** Whether `a` is known to be older than `b`. */
export const isOlder = (a: string, b: string): boolean => (compareVersions(a, b) ?? 0) < 0;

/** Whether `a` is the same as `b` or known to be older: nothing new. */
export const isNoNewer = (a: string, b: string): boolean => (compareVersions(a, b) ?? 1) <= 0;
