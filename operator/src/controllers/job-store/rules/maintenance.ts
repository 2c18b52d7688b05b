import type { Finding } from "../../../plan/plan.ts";
import type { ObservedStore } from "../observed.ts";

/** How often a store is maintained. Its partitions are made days ahead, so that an operator may be down for a while. */
const MAINTAIN_EVERY_MS = 3_600_000;

/** The store is maintained once an hour, and once when this process begins to lead. */
export function maintenance({ key, monitor }: ObservedStore): Finding {
  if (monitor?.view.is !== "up" || !monitor.view.snapshot) return {};
  const ms = monitor.maintainedMsAgo === undefined ? 0 : MAINTAIN_EVERY_MS - monitor.maintainedMsAgo;
  const reason = "MaintenanceDue";
  const sentence = "The store is maintained once an hour.";
  return {
    actions: [ms > 0 ? { do: "wait", ms, reason, sentence } : { do: "maintainStore", store: key, reason, sentence }],
  };
}
