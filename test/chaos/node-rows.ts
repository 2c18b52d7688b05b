import { type MatrixRow, shown } from "./matrix-row.ts";

const NODES = "test/e2e/nodes.cluster.test.ts";
const PODS = "operator/src/controllers/job-queue/pods.test.ts";
const STATUS = "operator/src/controllers/job-queue/status.test.ts";
const RULES = "operator/src/controllers/job-queue/health/health.test.ts";
const HEALTH = "test/e2e/health.cluster.test.ts";
const WALK = "test/e2e/operations.cluster.test.ts";

/** N: what happens to nodes and kubelets, on those of kind. */
export const NODE_ROWS: readonly MatrixRow[] = [
  shown("N1", "node partitioned, frozen or without power", "replaced; fenced; not deleted by force", {
    [NODES]: ["N1, G5: a node cut off", "N1, G5: a frozen node", "N1: a node that loses its power"],
    [PODS]: ["N1, N4, N5:"],
    [WALK]: ["N1:"],
  }),
  shown("N2", "kubelet down, deletion never confirmed", "says it waits; the budget counts it", {
    [NODES]: ["N2:"],
    [STATUS]: ["N1, N2:"],
  }),
  shown("N3", "node drained", "a drain, no restart counted", { [NODES]: ["N3:"] }),
  shown("N4", "image cannot be pulled, pod cannot be placed", "not hung: its own reason", {
    [PODS]: ["N1, N4, N5:"],
    [STATUS]: ["N4:"],
    [WALK]: ["N4:"],
  }),
  shown("N5", "workers in CrashLoopBackOff", "no deletions added", { [HEALTH]: ["N5:"], [PODS]: ["N1, N4, N5:"] }),
  shown("N6", "rollout while old pods lapse", "unavailable pods count against the budget", {
    [RULES]: ["N6:"],
    [HEALTH]: ["N6:"],
  }),
];
