import type { Assertion, Violation } from "../assertion.ts";
import type { Account, Accountable } from "../history.ts";

/** The actions of audit events that tell of a change. */
const TELLS: Readonly<Record<Accountable, readonly string[]>> = {
  hold: ["hold", "release"],
  schedule: ["put_schedule", "delete_schedule", "pause_schedule"],
  settings: ["configure_store"],
  intent: ["open_restart", "advance_restart"],
  term: ["take_term"],
};

/** Actions that change rows of kept tables, whatever else they change. */
const CHANGES_JOBS: ReadonlySet<string> = new Set(["recover_stale", "retry", "delete"]);

/** Takes everything of a queue with it, and says so once. */
const TAKES_ALONG = "delete_queue";

/** Every change by people or the operator commits with one audit event, and no event tells of nothing. */
export const everyChangeAudited: Assertion = {
  id: "H15",
  title: "what people and the operator change has its audit event in the same transaction, and nothing else has",
  promises: ["G19"],
  check: ({ accounts }) => accounts.flatMap(violationsOf),
};

function violationsOf({ transaction, at, changes, actions, touched }: Account): Violation[] {
  const violations: Violation[] = [];
  const say = (message: string): unknown => violations.push({ at, message: `transaction ${transaction}: ${message}` });
  if (actions.some((action) => CHANGES_JOBS.has(action)) && touched === 0)
    say(`an audit event tells of ${actions.join(", ")}, and nothing was changed`);
  if (actions.includes(TAKES_ALONG)) return violations;
  for (const [of, tells] of Object.entries(TELLS)) {
    const changed = changes.filter((change) => change.of === of);
    const told = actions.filter((action) => tells.includes(action)).length;
    const what = changed.map((change) => change.what).join(", ");
    if (changed.length > told) say(`${changed.length} changes (${of} ${what}), ${told} audit events`);
    if (told > changed.length) say(`${told} audit events of ${tells.join(", ")}, ${changed.length} changes`);
  }
  return violations;
}
