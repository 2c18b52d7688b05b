import { isQuiet } from "../../plan/plan.ts";
import type { Apply } from "../../plan/apply.ts";
import { basisOf } from "../../plan/basis.ts";
import { explain } from "../../plan/explain.ts";
import type { Clock, Log, Reconcile } from "../../runtime/index.ts";
import { conclude } from "../conclude.ts";
import { decideStore } from "./decide.ts";
import type { ObserveStore } from "./observe.ts";
import { tellStore } from "./report.ts";
import { storeStatusOf } from "./status.ts";

/** What the reconciler of JobStores is made of. */
export interface JobStoreReconciler {
  readonly observe: ObserveStore;
  readonly apply: Apply;
  /** Told when counts were written, with the time. */
  readonly onCountsWritten: (key: string, at: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Observe, decide, act, tell: brings one JobStore in line. */
export function reconcileJobStores({ observe, apply, onCountsWritten, clock, log }: JobStoreReconciler): Reconcile {
  return async (key, { signal }) => {
    const before = observe(key);
    const plan = decideStore(before, clock.wall());
    const outcome = await apply(plan.actions, signal, basisOf("JobStore", before.jobStore));
    if (!isQuiet(plan))
      log.info({ store: key, plan: plan.actions.map(explain), reason: plan.actions[0]?.reason }, "acted");
    if (plan.leaveAlone) return conclude([outcome], undefined);

    const after = outcome.changed ? observe(key) : before;
    if (!after.jobStore) return { kind: "done" };
    const now = clock.wall();
    const report = storeStatusOf(after, now);
    const telling = await apply(tellStore(after.jobStore, report), signal);
    if (report.differs && !telling.failure) onCountsWritten(key, now);
    return conclude([outcome, telling], report.lookAgainMs);
  };
}
