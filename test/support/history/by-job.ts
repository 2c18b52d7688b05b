import type { Transition } from "./history.ts";

/** The transitions of each job, in the order they happened. */
export function transitionsByJob(transitions: readonly Transition[]): Map<string, Transition[]> {
  const jobs = new Map<string, Transition[]>();
  for (const transition of transitions) {
    const known = jobs.get(transition.job);
    if (known) known.push(transition);
    else jobs.set(transition.job, [transition]);
  }
  for (const list of jobs.values()) list.sort((a, b) => a.order - b.order);
  return jobs;
}

/** Whether a transition takes a job from its worker without that worker's doing. */
export function isRecovery({ before, after }: Transition): boolean {
  return before?.state === "running" && after !== null && after.lastRecovery !== before.lastRecovery;
}

/** Whether a transition is a claim. */
export function isClaim({ before, after }: Transition): boolean {
  return after?.state === "running" && (before?.state !== "running" || before.token !== after.token);
}
