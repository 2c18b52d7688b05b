import { POSTGRES_FAULTS } from "../faults/postgres-faults.ts";
import { RECOVERY_FAULTS } from "../faults/recovery-faults.ts";
import { WORKER_FAULTS } from "../faults/worker-faults.ts";
import { API_FAULTS } from "./api-faults.ts";
import { OPERATOR_FAULTS } from "./operator-faults.ts";
import { POD_FAULTS } from "./pod-faults.ts";
import type { OperatorFault } from "./targets.ts";

/** Faults of rounds with operators, by family; a pair is of two families. */
export const OPERATOR_FAMILIES: readonly (readonly OperatorFault[])[] = [
  OPERATOR_FAULTS,
  API_FAULTS,
  POSTGRES_FAULTS,
  WORKER_FAULTS,
  [...POD_FAULTS, ...RECOVERY_FAULTS],
];
