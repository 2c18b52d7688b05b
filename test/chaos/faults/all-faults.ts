import type { ChaosFault } from "./fault.ts";
import { POOLER_FAULTS } from "./pooler-faults.ts";
import { POSTGRES_FAULTS } from "./postgres-faults.ts";
import { RECOVERY_FAULTS } from "./recovery-faults.ts";
import { WORKER_FAULTS } from "./worker-faults.ts";

/** Faults by family; a pair is of two families. */
export const FAMILIES: readonly (readonly ChaosFault[])[] = [
  WORKER_FAULTS,
  RECOVERY_FAULTS,
  POSTGRES_FAULTS,
  POOLER_FAULTS,
];
