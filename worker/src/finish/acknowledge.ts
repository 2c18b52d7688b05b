import { acknowledgeCancel, complete, fail, returnUnstarted, type Session, snooze } from "@jobqueue/store";
import type { Outcome } from "../run/outcome.ts";
import type { Finished } from "./finisher.ts";

/** What is said to the store about an outcome; `none` and `drop` are not. */
export type Action = Exclude<Outcome["action"], "none" | "drop">;

/** How the metric names what was acknowledged, in the order in which one flush sends it. */
export const ACKNOWLEDGED: Readonly<Record<Action, string>> = {
  complete: "completed",
  fail: "failed",
  snooze: "snoozed",
  cancelled: "cancelled",
  return: "returned",
};

/** Sends the outcomes of a group, all of the same action, in one statement. Resolves with the ids whose lease was lost. */
export async function acknowledge(session: Session, action: Action, group: readonly Finished[]): Promise<string[]> {
  switch (action) {
    case "complete":
      return complete(
        session,
        // Written out, since this is what nearly every attempt ends with.
        group.map(({ job: { id, leaseToken }, outcome, durationMs, exitCode }) => {
          const result = outcome.action === "complete" ? outcome.result : undefined;
          return { id, leaseToken, result, durationMs, exitCode };
        }),
      );
    case "fail":
      return fail(
        session,
        group.map((finished) => {
          const { outcome } = finished;
          const failed = outcome.action === "fail" ? outcome : { error: "", permanent: false };
          return { ...leaseOf(finished), error: failed.error, permanent: failed.permanent };
        }),
      );
    case "snooze":
      return snooze(
        session,
        group.map((finished) => {
          const { outcome } = finished;
          return { ...leaseOf(finished), delaySeconds: outcome.action === "snooze" ? outcome.delaySeconds : 0 };
        }),
      );
    case "cancelled":
      return acknowledgeCancel(session, group.map(leaseOf));
    case "return":
      return returnUnstarted(session, group.map(leaseOf));
    default:
      throw new TypeError(`no such outcome: ${String(action satisfies never)}`);
  }
}

/** The exact pair that names the lease, and what is known of the attempt. */
function leaseOf({ job: { id, leaseToken }, durationMs, exitCode }: Finished): {
  readonly id: string;
  readonly leaseToken: string;
  readonly durationMs: number | undefined;
  readonly exitCode: number | undefined;
} {
  return { id, leaseToken, durationMs, exitCode };
}
