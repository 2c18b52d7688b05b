import type { Finding } from "../../../plan/plan.ts";
import type { ObservedStore } from "../observed.ts";

/** A JobStore that exists is watched, with the address it has now; one that is gone is not. Its data stay where they are. */
export function watched({ key, jobStore, monitor }: ObservedStore): Finding {
  if (!jobStore || jobStore.metadata.deletionTimestamp !== undefined) {
    const sentence = `JobStore ${key} is gone.`;
    return {
      halt: true,
      actions: monitor ? [{ do: "forgetStore", store: key, reason: "JobStoreGone", sentence }] : [],
    };
  }
  const { uid, generation } = jobStore.metadata;
  const current = monitor?.uid === uid && monitor.generation === generation;
  if (current && monitor.view.is !== "starting") return {};
  const sentence = monitor ? `The spec of JobStore ${key} changed.` : `JobStore ${key} is not watched yet.`;
  return {
    actions: current ? [] : [{ do: "watchStore", jobStore, reason: monitor ? "SpecChanged" : "NotWatched", sentence }],
    // Until the first look is through, what the last leader wrote stands.
    halt: jobStore.status?.conditions !== undefined && (!monitor || monitor.view.is === "starting"),
  };
}
