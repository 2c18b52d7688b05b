import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { StoreSettings } from "./configure-store.ts";

/** The settings of a store as they are, the defaults filled in. */
export type CurrentSettings = { readonly [Name in keyof StoreSettings]-?: NonNullable<StoreSettings[Name]> };

/** How long the store keeps what is over and what its sweeps do, as `configureStore` sets it. */
export async function storeSettings(session: Session): Promise<CurrentSettings> {
  const rows = await session.query<CurrentSettings>(
    `select completed_seconds as "completedSeconds", cancelled_seconds as "cancelledSeconds",
       dead_seconds as "deadSeconds", audit_seconds as "auditSeconds", recovery,
       recovery_grace_seconds as "recoveryGraceSeconds"
     from ${quoteIdentifier(session.schema)}.v_store_settings`,
  );
  if (!rows[0]) throw new TypeError("the store has no settings");
  return rows[0];
}
