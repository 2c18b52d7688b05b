import type { Finding } from "../../../plan/plan.ts";
import type { Observed } from "../observed.ts";

/** An age grows without anything happening: the queue is looked at again when its oldest job becomes too old. */
export function objectives({ queue, store }: Observed, now: number): Finding {
  const target = queue?.spec.objectives?.oldestPendingSeconds;
  const age = store.is === "ready" ? store.counts?.oldestPendingSeconds : undefined;
  if (target === undefined || age === undefined || store.is !== "ready") return {};
  const ms = (target - age) * 1000 - (now - store.at);
  const sentence = "A pending job will be too old for spec.objectives then.";
  return ms < 0 ? {} : { actions: [{ do: "wait", ms: ms + 1, reason: "ObjectiveDue", sentence }] };
}
