import type { Finding } from "../../../plan/plan.ts";
import type { ObservedStore } from "../observed.ts";

/** The schema is installed, and brought up to date; a newer one is left alone. Failures are tried again, ever more slowly. */
export function schema({ key, jobStore, monitor }: ObservedStore): Finding {
  if (monitor?.view.is !== "up") return {};
  const { schema: seen } = monitor.view;
  if (seen.is === "compatible" || seen.is === "newer") return {};
  if (jobStore?.spec.migrations === "Manual") return {}; // the status tells people what to run
  const sentence =
    seen.is === "missing" ? "The schema is not installed." : `The schema has the old version ${seen.version}.`;
  if (monitor.migrationWaitMs > 0) {
    return {
      actions: [
        {
          do: "wait",
          ms: monitor.migrationWaitMs,
          reason: "MigrationFailed",
          sentence: "The migration failed; it is tried again.",
        },
      ],
    };
  }
  return {
    actions: [{ do: "migrateStore", store: key, reason: seen.is === "missing" ? "NotInstalled" : "TooOld", sentence }],
  };
}
