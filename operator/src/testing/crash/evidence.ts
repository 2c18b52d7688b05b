/** What a world leaves for the history checker: H14 to H17 are about what an operator did in it. */
import { inject } from "vitest";
import { listRestarts } from "@jobqueue/store";
import { isDone, isDryRun, isKill, readAuditLog } from "../../../../test/support/api-server/audit-log.ts";
import { checkHistory } from "../../../../test/support/history/check.ts";
import { defaultRetryWaitMs, type OperatorFacts } from "../../../../test/support/history/history.ts";
import { readHistory } from "../../../../test/support/history/merge.ts";
import type { World } from "./world.ts";

/** Those about jobs need the logs of workers, which are played here. */
const ABOUT_OPERATORS = new Set(["H14", "H15", "H16", "H17"]);

/** A write of an operator, in the API server's words. */
interface OperatorWrite {
  readonly what: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The pod that it took away; absent for all other writes, and for one that was refused. */
  readonly killed?: string;
}

/** Writes of an operator in a namespace as the API server's audit log has them: everything but dry runs and the Lease. */
export function operatorWrites(namespace: string): readonly OperatorWrite[] {
  return readAuditLog(inject("auditLog"), namespace)
    .filter(({ userAgent, objectRef }) => userAgent === "jobqueue-operator" && objectRef?.namespace === namespace)
    .filter((event) => event.objectRef?.resource !== "leases" && !isDryRun(event))
    .map((event) => ({
      what: `${event.verb} ${event.requestURI}`,
      at: Date.parse(event.requestReceivedTimestamp ?? ""),
      ...(isKill(event) && isDone(event) && { killed: event.objectRef?.name ?? "" }),
    }));
}

/** What the history checker finds of a world; `more`: what it cannot know by itself. */
export async function findingsOf(world: World, more: Partial<OperatorFacts> = {}): Promise<readonly string[]> {
  const { namespace } = world.cluster;
  const uids = new Map((await listRestarts(world.store)).map(({ pod, podUid }) => [pod, podUid]));
  const kills = operatorWrites(namespace).flatMap(({ killed, at }) =>
    killed === undefined ? [] : [{ podUid: uids.get(killed) ?? killed, at }],
  );
  const history = await readHistory(world.store, world.directory, {
    expectations: { drained: false, inversions: null, startsAfterHoldMs: 2_000, retryWaitMs: defaultRetryWaitMs },
    operator: {
      kills,
      budgets: [{ pool: `${namespace}/mailers`, concurrent: 1, windowMs: 600_000, most: 3 }],
      ...more,
    },
  });
  return checkHistory(history)
    .filter(({ assertion }) => ABOUT_OPERATORS.has(assertion.id))
    .map(({ assertion, message }) => `${assertion.id}: ${message}`);
}
