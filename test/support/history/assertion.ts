import type { History } from "./history.ts";

/** Something that must not have happened. */
export interface Violation {
  /** What happened, with the figures. */
  readonly message: string;
  /** The job it happened to; its events are shown in the report. */
  readonly job?: string | undefined;
  /** When, milliseconds since 1970. */
  readonly at?: number | undefined;
}

/**
 * One thing that must be true of every history. H1 to H13 are about jobs, H14 to H18 about the operator and the audit trail.
 */
export interface Assertion {
  /** H1 and so on, as in the fault matrix's documentation. */
  readonly id: string;
  /** What holds, in a sentence. */
  readonly title: string;
  /** The promises it is about. */
  readonly promises: readonly string[];
  readonly check: (history: History) => Violation[];
}
