/** What to do about one JobStore: the rules, in order; see `../job-queue/decide.ts`. */
import { planOf, type Plan, type Rules } from "../../plan/plan.ts";
import type { ObservedStore } from "./observed.ts";
import { hold } from "./rules/hold.ts";
import { maintenance } from "./rules/maintenance.ts";
import { orphanHolds } from "./rules/orphan-holds.ts";
import { orphanSchedules } from "./rules/orphan-schedules.ts";
import { schema } from "./rules/schema.ts";
import { settings } from "./rules/settings.ts";
import { staleJobsRecovered } from "./rules/stale-jobs.ts";
import { watched } from "./rules/watched.ts";

/** A store is watched before it is judged, has a schema before it is used, is paused and told its settings before anything is handed on, and is kept tidy last. */
const STORE_RULES = {
  watched,
  schema,
  hold,
  settings,
  staleJobsRecovered,
  orphanHolds,
  orphanSchedules,
  maintenance,
} satisfies Rules<ObservedStore>;

/** Pure: the same observation gives the same plan. `now` in milliseconds since the epoch. */
export function decideStore(observed: ObservedStore, now: number): Plan {
  return planOf(STORE_RULES, observed, now);
}
