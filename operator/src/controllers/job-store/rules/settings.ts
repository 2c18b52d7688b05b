import type { CurrentSettings, StoreSettings } from "@jobqueue/store";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import type { StoredJobStore } from "../../kubernetes-objects.ts";
import type { ObservedStore } from "../observed.ts";

const RECOVERY = { Recover: "recover", Report: "report", Disabled: "disabled" } as const;

/** What the spec says about the store as a whole is what the store has; retention that it leaves out is left alone. */
export function settings({ key, jobStore, monitor }: ObservedStore): Finding {
  if (!jobStore || monitor?.view.is !== "up" || !monitor.view.snapshot) return {};
  const seen = monitor.view.snapshot.settings;
  const differing = Object.entries(settingsOf(jobStore)).filter(
    ([field, value]) => value !== seen[field as keyof CurrentSettings],
  );
  if (differing.length === 0) return {};
  return {
    actions: [
      {
        do: "configureStore",
        store: key,
        settings: Object.fromEntries(differing),
        actor: actorFor(key),
        reason: "SettingsDiffer",
        sentence: `spec of JobStore ${key}: ${differing.map(([field]) => field).join(", ")}.`,
      },
    ],
  };
}

function settingsOf({ spec: { retention = {}, staleLockRecovery } }: StoredJobStore): StoreSettings {
  return {
    ...retention,
    recovery: RECOVERY[staleLockRecovery.mode],
    recoveryGraceSeconds: staleLockRecovery.graceSeconds,
  };
}
