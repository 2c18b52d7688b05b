import { StoreError } from "@jobqueue/store";
import { remark, type Terminal } from "./terminal.ts";

/** SQLSTATE of a right that is missing. */
const LACKS_A_RIGHT = "42501";

/** Whether the user of the database may not do what was tried. */
export function lacksRight(error: unknown): boolean {
  return error instanceof StoreError && error.sqlstate === LACKS_A_RIGHT;
}

/**
 * Reads what carries payloads, and reads it once more without them when the user of the database may look at everything
 * else only (roles `reader` and `operator`); says so beside the result.
 */
export async function readWithPayloads<Found>(
  terminal: Terminal,
  read: (options: { readonly payloads: boolean }) => Promise<Found>,
): Promise<Found> {
  try {
    return await read({ payloads: true });
  } catch (error) {
    if (!lacksRight(error)) throw error;
    const found = await read({ payloads: false });
    remark(terminal, "Payloads and results are left out: this user of the database may not read them.");
    return found;
  }
}
