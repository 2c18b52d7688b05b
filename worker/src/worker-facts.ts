import { hostname, userInfo } from "node:os";
import type { WorkerFacts } from "@jobqueue/store";
import type { WorkerConfig } from "./config/config.ts";

/** What a worker tells the store of itself at registration: the pod's facts where there is a pod, the host's otherwise. */
export function workerFacts(
  config: WorkerConfig,
  version: string,
  kinds: readonly string[],
): Omit<WorkerFacts, "bootId"> {
  return {
    podUid: config.podUid,
    pod: config.pod,
    namespace: config.podNamespace,
    node: config.node,
    hostname: hostname(),
    pid: process.pid,
    ppid: process.ppid,
    image: config.image,
    cluster: config.cluster,
    container: config.container,
    runAs: runAs(),
    version,
    pool: config.pool,
    queues: config.queues,
    kinds,
    concurrency: config.slots,
    leaseSeconds: config.leaseSeconds,
  };
}

/** The user's name, or its number: in a container the number often has no name. */
function runAs(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}
