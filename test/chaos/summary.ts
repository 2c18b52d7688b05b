import type { History } from "../support/history/history.ts";
import type { RoundOutcome } from "./round.ts";

/** The figures of a round, or of several added up. */
export interface Tally {
  rounds: number;
  /** Rounds that could not be carried out: what began did not come to be judged. */
  broken: number;
  faults: Map<string, number>;
  enqueued: number;
  completed: number;
  dead: number;
  cancelled: number;
  attempts: number;
  /** Jobs whose effect happened more than once in one generation: allowed, and counted. */
  duplicates: number;
  recovered: number;
  /** Writes with a lease that was gone, which the store refused. */
  staleWritesRefused: number;
  unknown: number;
  /** Of rounds with operators; absent where there were none. */
  operator?: { restarts: number; kills: number; leaderChanges: number };
  lost: number;
  violations: number;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return {
    rounds: 0,
    broken: 0,
    faults: new Map(),
    enqueued: 0,
    completed: 0,
    dead: 0,
    cancelled: 0,
    attempts: 0,
    duplicates: 0,
    recovered: 0,
    staleWritesRefused: 0,
    unknown: 0,
    lost: 0,
    violations: 0,
  };
}

/** Adds a round. */
export function addRound(tally: Tally, { history, faults, findings, operator }: RoundOutcome): void {
  tally.rounds++;
  if (operator) {
    const { restarts, kills, leaderChanges } = tally.operator ?? { restarts: 0, kills: 0, leaderChanges: 0 };
    tally.operator = {
      restarts: restarts + operator.restarts,
      kills: kills + history.operator.kills.length,
      leaderChanges: leaderChanges + operator.leaderChanges,
    };
  }
  for (const id of faults) tally.faults.set(id, (tally.faults.get(id) ?? 0) + 1);
  const ended = (state: string): number => history.finals.filter((job) => job.state === state).length;
  tally.enqueued += new Set(history.finals.map(({ job }) => job)).size;
  tally.completed += ended("completed");
  tally.dead += ended("dead");
  tally.cancelled += ended("cancelled");
  tally.attempts += history.deeds.filter(({ what }) => what === "started").length;
  tally.duplicates += duplicatesOf(history);
  tally.recovered += history.transitions.filter(
    ({ before, after }) => before && after && after.recoveries > before.recoveries,
  ).length;
  tally.staleWritesRefused += history.calls.reduce((sum, { lost }) => sum + lost.length, 0);
  tally.unknown += history.calls.filter(({ outcome }) => outcome === "unknown").length;
  tally.lost += findings.filter(({ assertion }) => assertion.id === "H1").length;
  tally.violations += findings.length;
}

function duplicatesOf({ deeds }: History): number {
  const tokens = new Map<string, number>();
  for (const { job, what } of deeds) if (what === "effect") tokens.set(job, (tokens.get(job) ?? 0) + 1);
  return [...tokens.values()].filter((times) => times > 1).length;
}

/** The one table at the end of a run. */
export function summaryOf(tally: Tally): string {
  const faults = [...tally.faults].toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  const rows: readonly (readonly [string, string | number])[] = [
    ["rounds", tally.rounds],
    ...(tally.broken > 0 ? ([["rounds not carried out", tally.broken]] as const) : []),
    ["faults applied", `${total} (${faults.map(([id, count]) => `${id} ${count}`).join(", ")})`],
    ["jobs enqueued", tally.enqueued],
    ["jobs completed", tally.completed],
    ["jobs dead", tally.dead],
    ["jobs cancelled", tally.cancelled],
    ["attempts started", tally.attempts],
    ["jobs executed more than once", tally.duplicates],
    ["jobs recovered", tally.recovered],
    ["calls of unknown outcome", tally.unknown],
    ["stale writes refused", tally.staleWritesRefused],
    ...(tally.operator
      ? ([
          ["hung workers restarted", tally.operator.restarts],
          ["pods evicted or deleted", tally.operator.kills],
          ["changes of leader", tally.operator.leaderChanges],
        ] as const)
      : []),
    ["jobs lost", tally.lost],
    ["violations", tally.violations],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
