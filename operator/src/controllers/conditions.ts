/**
 * How one list of conditions follows another. Which conditions and reasons exist is the closed table of
 * `@jobqueue/crds`; the types below let nothing else be said.
 *
 * Every condition is computed anew each time and none is ever only set: a left-over condition is a lie nobody clears.
 * `Stalled` is there only while it is true: tools that wait (kstatus: Helm, Flux) take it as "a person must act".
 */
import type { Condition, CONDITIONS, ConditionType, Kind, ReasonMeaning } from "@jobqueue/crds";
import { cut, STATUS_BOUNDS } from "./status-bounds.ts";

type StatusOf<Meaning> = Meaning extends { readonly status: readonly (infer Status)[] } ? Status : never;

/** A condition before it has a history: a type, and a reason and a status that the table allows together. */
export type Verdict<K extends Kind> = {
  readonly [Type in ConditionType<K>]: {
    readonly [Reason in keyof (typeof CONDITIONS)[K][Type] & string]: {
      readonly type: Type;
      readonly reason: Reason;
      readonly status: StatusOf<(typeof CONDITIONS)[K][Type][Reason] & ReasonMeaning>;
      readonly message: string;
    };
  }[keyof (typeof CONDITIONS)[K][Type] & string];
}[ConditionType<K>];

/** RFC 3339 with whole seconds, as Kubernetes writes times. `at` in milliseconds since the epoch. */
export function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

/**
 * The next list of conditions, sorted by type. `lastTransitionTime` moves only with `status`, so that a status that says
 * the same is byte for byte the same.
 */
export function conditionsAfter(
  previous: readonly Condition[] | undefined,
  verdicts: readonly (Verdict<"JobQueue"> | Verdict<"JobStore">)[],
  facts: { readonly generation: number; readonly now: number },
): Condition[] {
  return verdicts
    .map(({ type, status, reason, message }): Condition => {
      const before = conditionOf(previous, type);
      return {
        type,
        status,
        reason,
        message: cut(message, STATUS_BOUNDS.message),
        observedGeneration: facts.generation,
        lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(facts.now),
      };
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

/** One condition of a list. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
