import type { Finding, Problem } from "../../../plan/plan.ts";
import { isStoreElsewhere, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/**
 * Whether the store can be used, in the words of the queue; the JobStore itself says more. A store that is down
 * does not halt: what concerns only the cluster is still done, and the rules that need the store see for themselves.
 */
export function store({ queue, store: seen }: Observed): Finding {
  if (!queue) return {};
  const name = `JobStore ${storeKeyOf(queue)}`;
  const problem = (reason: string, ready: Problem["ready"], sentence: string): Finding => ({
    problem: { reason, sentence: `${name} ${sentence}`, ready, needsPerson: false },
  });
  if (seen.is === "ready") return {};
  if (seen.is === "absent") {
    const where = isStoreElsewhere(queue) ? ", or is in a namespace that this operator does not watch" : "";
    return problem(
      "StoreNotFound",
      "False",
      `does not exist${where}; create it, or name another one in a new JobQueue.`,
    );
  }
  if (seen.is === "notAllowed") {
    const { known, sentence } = seen;
    return { problem: { reason: "StoreNotAllowed", sentence, ready: known ? "False" : "Unknown", needsPerson: true } };
  }
  if (seen.is === "incompatible") {
    if (seen.settling) return problem("Progressing", "False", `is being set up: ${seen.sentence}`);
    return problem("SchemaIncompatible", "False", `has a schema that cannot be used: ${seen.sentence}`);
  }
  if (seen.view.is === "starting") {
    // This process leads since a moment ago. What the last leader wrote stands until the first look is through.
    return queue.status?.conditions ? { halt: true } : problem("Progressing", "Unknown", "has not been reached yet.");
  }
  const reason = seen.view.reason === "AuthFailed" ? "StoreAuthFailed" : "StoreUnreachable";
  return problem(reason, "Unknown", `cannot be used: ${seen.view.sentence}`);
}
