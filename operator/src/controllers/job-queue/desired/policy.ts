/** What a spec says about the jobs of its queue, in the words of the store. */
import type { JobQueueRetry, JobQueueSpec } from "@jobqueue/crds";
import type { QueuePolicy } from "@jobqueue/store";
import { canonical } from "../../canonical.ts";
import type { PolicySeen } from "../../job-store/store-view.ts";

const ON_LOSS = { Retry: "retry", Fail: "fail", Hold: "hold" } as const;

/** The policy; what the spec leaves out is not in it: hands off (Strimzi proposal 051: absent is not default). */
function policyOf({ concurrency, retry, timeoutSeconds, resultTTLSeconds, onWorkerLoss }: JobQueueSpec): QueuePolicy {
  const wait = retry && waitOf(retry);
  return {
    ...(concurrency !== undefined && { maxRunning: concurrency }),
    ...(retry?.maxAttempts !== undefined && { maxAttempts: retry.maxAttempts }),
    ...(wait && { retry: wait }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(resultTTLSeconds !== undefined && { resultTtlSeconds: resultTTLSeconds }),
    ...(onWorkerLoss !== undefined && { onWorkerLoss: ON_LOSS[onWorkerLoss] }),
  };
}

function waitOf({ exponential, intervalsSeconds }: JobQueueRetry): QueuePolicy["retry"] {
  return exponential ? { exponential } : intervalsSeconds && { intervalsSeconds };
}

/** The part of the spec's policy that the store does not have; `undefined` when there is none. */
export function policyToWrite(spec: JobQueueSpec, seen: PolicySeen | undefined): QueuePolicy | undefined {
  const differing = Object.entries(policyOf(spec)).filter(
    ([field, value]) => canonical(value) !== canonical(seen?.[field as keyof PolicySeen]),
  );
  return differing.length === 0 ? undefined : Object.fromEntries(differing);
}
