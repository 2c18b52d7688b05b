import type { Assertion } from "../assertion.ts";

/** After the last fault everything becomes as the spec says, and then the operator writes nothing. */
export const quietAtRest: Assertion = {
  id: "H17",
  title: "an operator comes to rest, and at rest it writes nothing",
  promises: ["G17"],
  check: ({ operator }) => [
    ...operator.unsettled.map(({ what, at }) => ({ at, message: `it does not come to rest: ${what}` })),
    ...operator.lateWrites.map(({ what, at }) => ({
      at,
      message: `${what} was written after the operator had come to rest`,
    })),
  ],
};
