import { type MatrixRow, shown } from "./matrix-row.ts";

const RULES = "operator/src/controllers/job-queue/health/health.test.ts";
const HEALING = "operator/src/acceptance/healing.api.test.ts";
const WALK = "test/e2e/operations.cluster.test.ts";
const HEALTH = "test/e2e/health.cluster.test.ts";
const LIMITS = "operator/src/acceptance/restart-limits.api.test.ts";

/** R: what the budget of restarts must stand. */
export const GOVERNOR_ROWS: readonly MatrixRow[] = [
  shown("R1", "all workers lapse at once (outage)", "no kills; goes on after it settled", {
    [RULES]: ["R1:"],
    [WALK]: ["R1:"],
  }),
  shown(
    "R2",
    "one of twenty hung",
    "that pod only",
    { [RULES]: ["R2:"], [HEALING]: ["R2, G16:"], [WALK]: ["R2: a hung worker", "R2: a worker frozen"] },
    "With real workers: one of three.",
  ),
  shown(
    "R3",
    "eight of twenty hung",
    "breaker opens; a person can override",
    { [RULES]: ["R3:"], [HEALTH]: ["R3:"] },
    "With real workers: two of three.",
  ),
  shown("R4", "slow database, late beats", "no kills", { [RULES]: ["R4:"], [LIMITS]: ["R4:"] }),
  shown("R5", "disruption budget allows none", "respected; condition; deleted when time is up", { [HEALING]: ["R5:"] }),
  shown(
    "R6",
    "a version that hangs every pod",
    "stops after so many per template",
    { [RULES]: ["R6:"], [LIMITS]: ["R6:"] },
    "With real workers the pauses between restarts pass in the store.",
  ),
  shown("R7", "the only replica hung", "restarted once evidence is independent", {
    [RULES]: ["R7:"],
    [HEALTH]: ["R7:"],
  }),
  shown("R8", "pod replaced between decision and kill", "no kill", { [RULES]: ["R8, G16:"], [LIMITS]: ["R8, G16:"] }),
  shown("R9", "heartbeat forged by a worker's role", "kills nobody else", { [HEALING]: ["R9:"], [RULES]: ["R9:"] }),
];
