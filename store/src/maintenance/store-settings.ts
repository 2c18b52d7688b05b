import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { StoreSettings } from "./configure-store.ts";

/** How long the store keeps what is over, as `configureStore` sets it. */
export async function storeSettings(session: Session): Promise<{ [Name in keyof StoreSettings]-?: number }> {
  const rows = await session.query<{ [Name in keyof StoreSettings]-?: number }>(
    `select completed_seconds as "completedSeconds", cancelled_seconds as "cancelledSeconds",
       dead_seconds as "deadSeconds", audit_seconds as "auditSeconds"
     from ${quoteIdentifier(session.schema)}.v_store_settings`,
  );
  if (!rows[0]) throw new TypeError("the store has no settings");
  return rows[0];
}
