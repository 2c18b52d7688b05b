import type { Assertion } from "../assertion.ts";

/** Of several operators only the one that holds the Lease changes anything in the cluster. */
export const onlyTheLeaderWrites: Assertion = {
  id: "H18",
  title: "only the operator that holds the Lease writes",
  promises: ["G15", "G16"],
  check: ({ operator }) =>
    operator.writesWithoutLease.map(({ what, at }) => ({ at, message: `${what}, which it wrote without the Lease` })),
};
