import type { Apply } from "../../plan/apply.ts";
import { basisOf } from "../../plan/basis.ts";
import { explain } from "../../plan/explain.ts";
import { isQuiet } from "../../plan/plan.ts";
import type { Clock, Log, Reconcile } from "../../runtime/index.ts";
import { conclude } from "../conclude.ts";
import { decide } from "./decide.ts";
import type { Observe } from "./observe.ts";
import { tell } from "./report.ts";
import { statusOf } from "./status.ts";

/** What the reconciler of JobQueues is made of. */
export interface JobQueueReconciler {
  readonly observe: Observe;
  readonly apply: Apply;
  /** Told when counts were written, with the time. */
  readonly onCountsWritten: (key: string, at: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Observe, decide, act, tell: brings one JobQueue in line. */
export function reconcileJobQueues({ observe, apply, onCountsWritten, clock, log }: JobQueueReconciler): Reconcile {
  return async (key, { signal }) => {
    const before = await observe(key, signal);
    const plan = decide(before, clock.wall());
    const outcome = await apply(plan.actions, signal, basisOf("JobQueue", before.queue));
    if (!isQuiet(plan))
      log.info({ queue: key, plan: plan.actions.map(explain), reason: plan.actions[0]?.reason }, "acted");
    if (plan.leaveAlone) return conclude([outcome], undefined);

    const after = outcome.changed ? await observe(key, signal) : before;
    if (!after.queue) return { kind: "done" };
    const now = clock.wall();
    const told = {
      problem: outcome.failure?.problem,
      restartForbidden: outcome.failure?.restartForbidden,
      recovered: outcome.recovered,
      handled: outcome.handled,
    };
    const report = statusOf(after, decide(after, now).problem, told, now);
    const telling = await apply(tell(after.queue, report, outcome), signal);
    if (report.differs && !telling.failure) onCountsWritten(key, now);
    return conclude([outcome, telling], report.lookAgainMs);
  };
}
