import type { ConnectionSettings, DueWork } from "@jobqueue/store";
import type { WatchdogLimits } from "./judge.ts";

/** What the main thread gives the watchdog thread at its start. */
export interface WatchdogInput {
  readonly facts: SharedArrayBuffer;
  readonly connection: ConnectionSettings;
  readonly schema: string;
  readonly applicationName: string;
  readonly leaseMs: number;
  readonly limits: WatchdogLimits;
}

/** What the watchdog thread tells the main thread. */
export type WatchdogMessage =
  | { readonly type: "started" }
  | { readonly type: "lost"; readonly workerId: string }
  | { readonly type: "due"; readonly workerId: string; readonly due: DueWork }
  | { readonly type: "cancelled"; readonly workerId: string }
  | { readonly type: "drained"; readonly workerId: string; readonly drained: boolean }
  | { readonly type: "renewal failed"; readonly error: string; readonly code: string }
  | { readonly type: "hung"; readonly reason: string };

/** What the main thread tells the watchdog thread. */
export interface WatchdogCommand {
  readonly type: "stop";
}
