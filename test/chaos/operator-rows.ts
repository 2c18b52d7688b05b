import { type MatrixRow, shown } from "./matrix-row.ts";

const FAULTS = "operator/src/acceptance/api-faults.api.test.ts";
const SERVER = "operator/src/acceptance/api-server.api.test.ts";
const MONITOR = "operator/src/controllers/job-store/monitor.store.test.ts";
const STORES = "operator/src/acceptance/stores.api.test.ts";

/** O: what happens to the operator itself, and to its own access. */
export const OPERATOR_ROWS: readonly MatrixRow[] = [
  shown("O1", "operator killed at each write", "end state as without the kill", {
    "operator/src/acceptance/crash.api.test.ts": ["O1: crash at every write"],
  }),
  shown("O2", "leader paused past its lease", "refused; a thawed leader changes nothing", {
    "operator/src/acceptance/succession.api.test.ts": ["O2: a leader that is stopped past its Lease"],
    [MONITOR]: ["O2: a leader that was succeeded changes nothing any more"],
    "store/src/leaders/leader-term.store.test.ts": ["O2: of a leader that was succeeded lets nothing through"],
    "test/e2e/faults.cluster.test.ts": ["O2:"],
  }),
  shown("O3", "both replicas lose the Lease", "neither acts, caches stay warm, one goes on when it is back", {
    [FAULTS]: ["O3: is lost by both replicas"],
  }),
  shown("O4", "failover between eviction and recovery", "finished once", {
    "operator/src/acceptance/failover.api.test.ts": ["O4: between eviction and the end of the restart"],
  }),
  shown("O5", "database credentials bad, Kubernetes good", "conditions served, no kills", {
    [STORES]: ["O5: a wrong password", "O5: while Postgres is down"],
  }),
  shown("O6", "one of the databases hangs", "the others on time", { [STORES]: ["O6: a store that takes connections"] }),
  shown("O7", "one JobQueue always fails", "only it backs off; caches, metrics and the others do not mind", {
    [SERVER]: ["O7: JobQueues that an older definition"],
    "operator/src/kube/cache.test.ts": ["O7: keeps an object"],
  }),
  shown(
    "O8",
    "20,000 foreign pods and Secrets",
    "they never reach the operator, so its memory is flat",
    { [FAULTS]: ["O8: pods and Secrets of others"] },
    "With 100 of each, by the bytes that the API server sends; memory with 20,000 is benchmark B10.",
  ),
];
