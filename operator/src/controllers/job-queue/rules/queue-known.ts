import type { Finding } from "../../../plan/plan.ts";
import { queueNameOf, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** The store knows the queue, so that it can be held and counted before its first job. */
export function queueKnown({ queue, store }: Observed): Finding {
  if (!queue || store.is !== "ready" || store.counts) return {};
  const name = queueNameOf(queue);
  return {
    actions: [
      {
        do: "ensureQueue",
        store: storeKeyOf(queue),
        queue: name,
        reason: "QueueMissing",
        sentence: `The store does not know the queue ${name} yet.`,
      },
    ],
  };
}
