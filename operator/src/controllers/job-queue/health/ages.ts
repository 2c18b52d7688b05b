/**
 * Ages that count as evidence. The silence of a worker while the store could not be written is the store's; the silence before
 * this leader began to look is nobody's. What is left is judged. Times are milliseconds by the database's clock.
 */
import type { CanarySeen } from "../../job-store/canary.ts";

/** For how long, of the time since `from`, this leader knows that the store could be written, milliseconds. */
export function knownAgeMs(from: number, { at, since, outages }: CanarySeen): number {
  const begin = Math.max(from, since);
  const lost = outages.reduce(
    (sum, outage) => sum + Math.max(0, Math.min(outage.to, at) - Math.max(outage.from, begin)),
    0,
  );
  return Math.max(0, at - begin - lost);
}

/** For how long the store has been writable without a break, as far as this leader knows, milliseconds. */
export function steadyForMs({ at, since, outages }: CanarySeen): number {
  return Math.max(0, at - Math.max(since, ...outages.map(({ to }) => to)));
}
