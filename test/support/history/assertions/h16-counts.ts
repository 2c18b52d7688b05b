import type { Assertion } from "../assertion.ts";

/** What a summary shows is what SQL says at the same instant. */
export const countsAreTrue: Assertion = {
  id: "H16",
  title: "counts that are shown are those of the store",
  promises: ["G17"],
  check: ({ operator }) =>
    operator.summaries
      .filter(({ shown, truth }) => shown !== truth)
      .map(({ what, at, shown, truth }) => ({ at, message: `${what}: ${shown} is shown, ${truth} is true` })),
};
