import type { ClusterUnderTest } from "../../../operator/src/testing/cluster-under-test.ts";
import type { ApiServer } from "../../support/api-server/api-server.ts";
import type { ChaosFault, Targets } from "../faults/fault.ts";
import type { Member } from "../member.ts";
import type { Replicas } from "./replicas.ts";

/** What faults of a round with operators are done to. */
export interface OperatorTargets extends Targets {
  readonly fleet: Targets["fleet"] & {
    /** Workers that are hung on purpose: no other fault is done to them, so they are none of `members`. */
    readonly held: Set<Member>;
  };
  readonly api: ApiServer;
  readonly replicas: Replicas;
  readonly cluster: ClusterUnderTest;
}

/** A fault of such a round. */
export type OperatorFault = ChaosFault<OperatorTargets>;

/** What faults of the API server are done to. */
export const API_SERVER = "api-server";
