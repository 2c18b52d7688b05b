import { StoreError } from "@jobqueue/store";
import { printableLine } from "./output/printable.ts";
import { AdminProblem } from "./source/admin-api.ts";
import { remark, type Terminal } from "./terminal.ts";

/** SQLSTATE of a right that is missing. */
const LACKS_A_RIGHT = "42501";

/** Whether the user of the database, or the key of the admin API, may not do what was tried. */
export function lacksRight(error: unknown): boolean {
  if (error instanceof AdminProblem) return error.status === 403;
  return error instanceof StoreError && error.sqlstate === LACKS_A_RIGHT;
}

/**
 * Reads what carries payloads, and reads it once more without them when who asks may look at everything else only
 * (in the database the roles `reader` and `operator`, through the admin API who lacks `payloads:read`); says so beside the result.
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
    const why =
      error instanceof AdminProblem ? printableLine(error.message) : "this user of the database may not read them.";
    remark(terminal, `Payloads and results are left out: ${why}`);
    return found;
  }
}
