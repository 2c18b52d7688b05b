/**
 * What to do about one JobQueue: the rules, in order. Each is one file and one concern; the first problem any of them
 * finds is the one people are told. To change a rule edit its file, add a row to its table in `rules.test.ts`.
 */
import { planOf, type Finding, type Plan } from "../../plan/action.ts";
import type { Observed } from "./observed.ts";
import { conflict } from "./rules/conflict.ts";
import { deletion } from "./rules/deletion.ts";
import { finalizer } from "./rules/finalizer.ts";
import { hold } from "./rules/hold.ts";
import { objectives } from "./rules/objectives.ts";
import { policy } from "./rules/policy.ts";
import { queueKnown } from "./rules/queue-known.ts";
import { recovery } from "./rules/recovery.ts";
import { schedules } from "./rules/schedules.ts";
import { store } from "./rules/store.ts";
import { validity } from "./rules/validity.ts";
import { workers } from "./rules/workers.ts";

/** The order matters: who may act at all, then what is in the way, then the pause, then what the store should know, and only then anything that runs. */
const RULES: readonly ((observed: Observed, now: number) => Finding)[] = [
  deletion,
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
  workers,
];

/** Pure: the same observation gives the same plan. `now` in milliseconds since the epoch. */
export function decide(observed: Observed, now: number): Plan {
  return planOf(RULES, observed, now);
}
