/** Holds in words, for the messages of conditions. */
import type { HoldSeen } from "./job-store/store-view.ts";
import { SPEC_HOLD } from "./spec-hold.ts";

const compare = (a: string, b: string): number => (a < b ? -1 : 1);

/** Holds by age, those of one second by queue and name, so that the order is always the same. */
export function oldestFirst(holds: readonly HoldSeen[]): HoldSeen[] {
  return [...holds].sort((a, b) =>
    a.since === b.since ? compare(`${a.queue}/${a.name}`, `${b.queue}/${b.name}`) : compare(a.since, b.since),
  );
}

/** "incident-42 (ana, on the whole store): SMTP is down; spec: …", as seen from `queue`. */
export function holdsTold(holds: readonly HoldSeen[], queue: string): string {
  return oldestFirst(holds)
    .map((hold) => told(hold, queue))
    .join("; ");
}

function told(hold: HoldSeen, queue: string): string {
  const who = hold.name === SPEC_HOLD && hold.queue === queue ? [] : [hold.actor];
  const where = hold.queue === "*" && queue !== "*" ? ["on the whole store"] : [];
  const until = hold.until === undefined ? [] : [`until ${hold.until}`];
  const details = [...who, ...where, ...until].join(", ");
  return `${hold.name}${details === "" ? "" : ` (${details})`}${hold.reason === "" ? "" : `: ${hold.reason}`}`;
}
