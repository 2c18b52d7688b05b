/** What the server's routes answer, by the schemas it is held to: types only, nothing of the server is loaded here. */
import type { SERIES } from "../src/routes/series.ts";
import type { AUDIT_EVENT, HOLD, JOB, QUEUE, SCHEDULE, WHY, WORKER } from "../src/routes/shapes.ts";
import type { Of } from "../src/schema.ts";

/** A hold. */
export type Hold = Of<typeof HOLD>;
/** A queue with its counts. */
export type Queue = Of<typeof QUEUE>;
/** Every queue, as the list and the live view tell it. */
export interface Queues {
  readonly queues: readonly Queue[];
  readonly everyQueue: readonly Hold[];
  readonly at: string;
  readonly partial: boolean;
}
/** A job. */
export type Job = Of<typeof JOB>;
/** A worker. */
export type Worker = Of<typeof WORKER>;
/** A schedule. */
export type Schedule = Of<typeof SCHEDULE>;
/** An audit event. */
export type AuditEvent = Of<typeof AUDIT_EVENT>;
/** Why something does not run. */
export type Why = Of<typeof WHY>;
/** The charts of the last hour. */
export type Series = Of<typeof SERIES>;
