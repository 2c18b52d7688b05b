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
 * One thing that must be true of every history. H1 to H13 are about jobs; those about the operator (H14 to H17) look at
 * what `History` will then hold besides, and join the list of `check.ts`.
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
