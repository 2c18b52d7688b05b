/**
 * Bounds of the status in the CRDs. A text one character too long, or a list one entry too long, makes the API server
 * refuse the *whole* status write, so everything that comes from people or from the database is cut here first.
 * A test compares the numbers with crds/*.yaml.
 */
export const STATUS_BOUNDS = {
  /** conditions[].message */
  message: 4096,
  /** holds[] */
  holds: 16,
  holdName: 128,
  holdQueue: 63,
  holdSource: 32,
  holdActor: 256,
  holdReason: 256,
  pausedBy: 2080,
  store: 127,
  recoveryReason: 128,
  restartReason: 128,
  /** handledRequests.* */
  handledRequest: 128,
  serverVersion: 64,
  /** oldSnapshots[].holder */
  holder: 256,
} as const;

/**
 * The text, cut to `limit` characters with an ellipsis at the end. Characters are Unicode code points: that is what the
 * API server counts, although its message says bytes; cutting between two halves of one would not be valid JSON text.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text.toWellFormed(); // a code point is one or two UTF-16 units, so this is safe and common
  const points = Array.from(text.toWellFormed());
  return points.length <= limit ? text.toWellFormed() : `${points.slice(0, limit - 1).join("")}…`;
}
