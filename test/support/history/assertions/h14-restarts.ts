import type { Assertion, Violation } from "../assertion.ts";
import type { History, Intent, RestartBudget } from "../history.ts";

/**
 * A pod dies by an intent of its own UID, written by the leader of the term about a worker that was hung, and only once; never more
 * than the budget in any window, and nothing in an outage.
 */
export const restartsWithinBudget: Assertion = {
  id: "H14",
  title: "a pod is killed only by an intent of its UID about a hung worker, once, within the budget, and in no outage",
  promises: ["G15", "G16"],
  check: (history) => [
    ...killsWithoutIntent(history),
    ...history.operator.budgets.flatMap((budget) => overspent(budget, history.intents)),
    ...history.operator.budgets.flatMap((budget) => notHung(budget, history.intents)),
    ...history.intents.flatMap(ofEarlierTerms),
    ...inOutages(history),
  ],
};

function killsWithoutIntent({ intents, operator }: History): Violation[] {
  const killed = new Set<string>();
  return operator.kills.flatMap(({ podUid, at }) => {
    const again = killed.has(podUid);
    killed.add(podUid);
    if (again) return [{ at, message: `pod ${podUid} was killed once more` }];
    const intent = intents.find((each) => each.podUid === podUid && each.at <= at);
    if (!intent) return [{ at, message: `pod ${podUid} was killed, and no intent names it` }];
    return intent.abandoned ? [{ at, message: `pod ${podUid} was killed although its intent was given up` }] : [];
  });
}

function overspent({ pool, concurrent, windowMs, most }: RestartBudget, intents: readonly Intent[]): Violation[] {
  const spent = intents.filter((intent) => intent.pool === pool && !intent.asked && !intent.abandoned);
  return spent.flatMap(({ at }) => {
    const violations: Violation[] = [];
    const inWindow = spent.filter((other) => other.at <= at && other.at > at - windowMs).length;
    if (inWindow > most)
      violations.push({ at, message: `${inWindow} restarts of ${pool} in ${windowMs} ms, ${most} allowed` });
    const open = spent.filter((other) => other.at <= at && (other.closedAt === null || other.closedAt > at)).length;
    if (open > concurrent)
      violations.push({ at, message: `${open} restarts of ${pool} at once, ${concurrent} allowed` });
    return violations;
  });
}

/** A worker is hung that has neither a lease nor said anything for long enough; or by its own word, which is another matter. */
function notHung({ pool, hungAfterMs }: RestartBudget, intents: readonly Intent[]): Violation[] {
  if (hungAfterMs === undefined) return [];
  return intents.flatMap(({ podUid, at, asked, worker, ...intent }) => {
    if (intent.pool !== pool || asked) return [];
    const about = `a restart of pod ${podUid} was decided`;
    if (worker === undefined) return [{ at, message: `${about}, and the store knows no worker of it` }];
    const { leaseUntil, heartbeatAt, stuck, lastClaimAgeMs } = worker;
    if (stuck || lastClaimAgeMs >= hungAfterMs) return [];
    if (leaseUntil > at)
      return [{ at, message: `${about}, and its worker had a lease for another ${ms(leaseUntil - at)}` }];
    const silent = at - heartbeatAt;
    return silent < hungAfterMs
      ? [{ at, message: `${about} after ${ms(silent)} of silence, not ${ms(hungAfterMs)}` }]
      : [];
  });
}

function ofEarlierTerms({ podUid, at, term }: Intent): Violation[] {
  if (term === undefined || term.decidedIn === null || term.decidedIn === term.last) return [];
  const message = `a restart of pod ${podUid} was decided in term ${term.decidedIn}, and term ${term.last} was the last`;
  return [{ at, message }];
}

const ms = (time: number): string => `${Math.round(time)} ms`;

function inOutages({ intents, operator }: History): Violation[] {
  const decided = intents
    .filter(({ asked }) => !asked)
    .map(({ podUid, at }) => ({ at, what: `a restart of pod ${podUid} was decided`, decision: true }));
  const done = operator.kills.map(({ podUid, at }) => ({ at, what: `pod ${podUid} was killed`, decision: false }));
  return [...decided, ...done].flatMap(({ at, what, decision }) => {
    const outage = operator.noRestarts.find(
      ({ from, to, settled = to }) => at > from && at < (decision ? settled : to),
    );
    return outage ? [{ at, message: `${what} while ${outage.why}` }] : [];
  });
}
