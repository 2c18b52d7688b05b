/** How rules become a plan: each is asked in order, and what they found is joined. */
import type { Action, Because } from "./action.ts";

/** Why the spec is not in force (yet). Becomes the condition Ready, and Stalled when only a person can end it. */
export interface Problem extends Because {
  /** `False`: known not to be in force. `Unknown`: cannot be told, because the store or the API server does not say. */
  readonly ready: "False" | "Unknown";
  /** Nothing the operator does or waits for will end it (kstatus: Stalled). */
  readonly needsPerson: boolean;
}

/** What one rule found. */
export interface Finding {
  readonly actions?: readonly Action[];
  readonly problem?: Problem;
  /** No later rule may speak. */
  readonly halt?: boolean;
}

/** What to do, in order, and why the object is not as it should be, if it is not. */
export interface Plan {
  readonly actions: readonly Action[];
  /** The first problem any rule found: rules are ordered by who should be heard first. */
  readonly problem: Problem | undefined;
  /** A rule said that the object must be left alone: no status either. */
  readonly leaveAlone: boolean;
}

/** The rules about one kind, in order, by name. */
export type Rules<Observed> = Readonly<Record<string, (observed: Observed, now: number) => Finding>>;

/** What one rule said. */
export interface Said {
  readonly rule: string;
  readonly finding: Finding;
}

/** Asks the rules in order, up to the first that halts. Pure when the rules are. */
export function ask<Observed>(rules: Rules<Observed>, observed: Observed, now: number): readonly Said[] {
  const said: Said[] = [];
  for (const [rule, judge] of Object.entries(rules)) {
    const finding = judge(observed, now);
    said.push({ rule, finding });
    if (finding.halt) break;
  }
  return said;
}

/** Asks the rules in order and joins what they say. Pure when the rules are. */
export function planOf<Observed>(rules: Rules<Observed>, observed: Observed, now: number): Plan {
  return planSaid(ask(rules, observed, now));
}

/** Joins what rules said. */
export function planSaid(said: readonly Said[]): Plan {
  const last = said.at(-1)?.finding;
  return {
    actions: said.flatMap(({ finding }) => finding.actions ?? []),
    problem: said.find(({ finding }) => finding.problem)?.finding.problem,
    leaveAlone: last?.halt === true && last.problem === undefined,
  };
}

/** Whether carrying out the plan would change anything. */
export function isQuiet(plan: Plan): boolean {
  return plan.actions.every((action) => action.do === "wait");
}
