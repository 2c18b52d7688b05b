/**
 * What to do about one JobQueue: the rules, in order. Each is one file and one concern; the first problem any of them
 * finds is the one people are told. To change a rule edit its file, add a row to its table in `rules.test.ts`.
 */
import { planOf, type Plan, type Rules } from "../../plan/plan.ts";
import type { Observed } from "./observed.ts";
import { conflict } from "./rules/conflict.ts";
import { deletion } from "./rules/deletion.ts";
import { disruptionBudget } from "./rules/disruption-budget.ts";
import { finalizer } from "./rules/finalizer.ts";
import { health } from "./rules/health.ts";
import { hold } from "./rules/hold.ts";
import { objectives } from "./rules/objectives.ts";
import { policy } from "./rules/policy.ts";
import { queueKnown } from "./rules/queue-known.ts";
import { recovery } from "./rules/recovery.ts";
import { requests } from "./rules/requests.ts";
import { scale } from "./rules/scale.ts";
import { schedules } from "./rules/schedules.ts";
import { store } from "./rules/store.ts";
import { suspended } from "./rules/suspended.ts";
import { validity } from "./rules/validity.ts";
import { workers } from "./rules/workers.ts";

/** By name. The order matters: who may act at all, then what is in the way, then the pause, then what the store should know, and only then anything that runs. */
export const RULES = {
  deletion,
  suspended,
  conflict,
  finalizer,
  validity,
  store,
  queueKnown,
  hold,
  policy,
  schedules,
  objectives,
  recovery,
  requests,
  disruptionBudget,
  scale,
  workers,
  health,
} satisfies Rules<Observed>;

/** Pure: the same observation gives the same plan. `now` in milliseconds since the epoch. */
export function decide(observed: Observed, now: number): Plan {
  return planOf(RULES, observed, now);
}
