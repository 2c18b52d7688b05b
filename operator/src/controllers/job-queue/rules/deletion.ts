import type { Finding } from "../../../plan/action.ts";
import type { Observed } from "../observed.ts";

/**
 * A JobQueue that is gone, or going, is left alone. There is no finalizer: its Deployment goes with its owner reference,
 * its jobs stay in the store (G18), and the JobStore releases the hold it leaves behind (see `spec-hold.ts`). While somebody
 * else's finalizer keeps it, nothing must be made again under the hands of the garbage collector.
 */
export function deletion({ queue }: Observed): Finding {
  return queue === undefined || queue.metadata.deletionTimestamp !== undefined ? { halt: true } : {};
}
