import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import { toJsonText } from "../jobs/json-value.ts";
import type { Session } from "../session.ts";

/** How long the store keeps what is over, in seconds, and what its sweeps do. Absent: left as it is; `null`: back to the default. */
export interface StoreSettings {
  /** 7 days by default. */
  readonly completedSeconds?: number | null | undefined;
  /** 7 days by default. */
  readonly cancelledSeconds?: number | null | undefined;
  /** 30 days by default. */
  readonly deadSeconds?: number | null | undefined;
  /** 365 days by default. */
  readonly auditSeconds?: number | null | undefined;
  /** What sweeps do about stale jobs; `recover` by default, the others leave them to people. */
  readonly recovery?: RecoveryMode | null | undefined;
  /** How long after its lease lapsed a sweep recovers; 0 by default. */
  readonly recoveryGraceSeconds?: number | null | undefined;
}

/** What sweeps do about stale jobs. */
export type RecoveryMode = "recover" | "report" | "disabled";

/** Sets how long the store keeps what is over and what its sweeps do. Returns whether anything changed; only then is anything written (G19). */
export async function configureStore(session: Session, settings: StoreSettings, act: Act): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.configure_store($1::jsonb, $2, $3) as changed`,
    [
      toJsonText(
        {
          completed_seconds: settings.completedSeconds,
          cancelled_seconds: settings.cancelledSeconds,
          dead_seconds: settings.deadSeconds,
          audit_seconds: settings.auditSeconds,
          recovery: settings.recovery,
          recovery_grace_seconds: settings.recoveryGraceSeconds,
        },
        "settings",
      ),
      act.actor,
      act.reason,
    ],
  );
  return rows[0]?.changed ?? false;
}
