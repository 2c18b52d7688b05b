/** One table from what an effect threw to how to go on: what to tell people, and when to try again. */
import { StoreError } from "@jobqueue/store";
import { StoreUnavailable } from "../controllers/job-store/monitor.ts";
import {
  isConflict,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  KubeError,
  retryAfterMs,
  retryClassOf,
} from "../kube/index.ts";
import type { Action } from "./action.ts";
import type { Problem } from "./plan.ts";
import type { Failure } from "./outcome.ts";
import { refusal } from "./refusal.ts";

/** A store is never asked again sooner than this: milliseconds would hammer a server that is in trouble. */
const STORE_RETRY_MS = 1_000;

const problem = (reason: string, sentence: string, ready: Problem["ready"], needsPerson = false): Problem => ({
  reason,
  sentence,
  ready,
  needsPerson,
});

/** How to go on after `action` threw `error`. */
export function failureOf(action: Action, error: unknown): Failure {
  const failed = { action, error };
  if (error instanceof StoreUnavailable) {
    return { ...failed, next: "retry", afterMs: STORE_RETRY_MS, problem: undefined }; // the view says why
  }
  if (error instanceof StoreError) {
    // What is about the store as a whole is told by its view from now on; the rest is about this one call.
    const refused = error.code === "invalid_input" || error.code === "internal";
    const sentence = `The store refused to ${action.do}; the log of the operator says why.`;
    return {
      ...failed,
      next: "retry",
      afterMs: STORE_RETRY_MS,
      problem: refused ? problem("Progressing", sentence, "False") : undefined,
    };
  }
  if (isNamespaceTerminating(error)) return { ...failed, next: "wait", problem: undefined };
  if (isConflict(error)) return { ...failed, next: "retry", problem: undefined }; // somebody was faster: look again
  if (action.do === "continueRestart" && isForbidden(error)) {
    return { ...failed, next: "retry", problem: undefined, restartForbidden: refusal(error) };
  }
  if (error instanceof KubeError && action.do === "applyDeployment") {
    if (isInvalid(error)) {
      return {
        ...failed,
        next: "wait",
        problem: problem("InvalidPodTemplate", refusal(error), "False", true),
      };
    }
    if (isForbidden(error)) {
      const sentence = `The API server forbids the Deployment: ${refusal(error)}`;
      return { ...failed, next: "retry", problem: problem("WorkerRolloutFailed", sentence, "False", true) };
    }
  }
  const afterMs = retryAfterMs(error);
  return {
    ...failed,
    next: retryClassOf(error) === "never" ? "wait" : "retry",
    problem: undefined,
    ...(afterMs !== undefined && { afterMs }),
  };
}
