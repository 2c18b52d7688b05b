/**
 * Stands in for the processes of all workers: for each pod of a pool that is Ready it registers a worker in its store and
 * then sends what an idle worker sends, one statement per heartbeat of 10 s, until the pod goes. One process with two
 * connections per store does it for all of them; the rows and the statements are those of the store's own functions, the
 * connections of 5,000 workers are not there.
 *
 *   KUBECONFIG=…  STORES={"namespace": "postgres://…"}  node worker-beats.ts
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { LABEL_POOL, LABEL_QUEUE } from "../../crds/src/index.ts";
import { PODS } from "../../operator/src/controllers/kinds.ts";
import type { Pod } from "../../operator/src/controllers/kubernetes-objects.ts";
import { trimPod } from "../../operator/src/controllers/job-queue/pods.ts";
import { Informer, type Stored } from "../../operator/src/kube/index.ts";
import { connect } from "../../operator/src/kube/testing/edge.ts";
import { silentLog } from "../../operator/src/runtime/log.ts";
import { systemClock } from "../../operator/src/runtime/index.ts";
import { Database, deregisterWorker, heartbeat, parseStoreUrl, registerWorker } from "../../store/src/index.ts";
import { serve } from "../serve.ts";

/** A third of the default lease of 30 s. */
const HEARTBEAT_MS = 10_000;

const counts = { registered: 0, beats: 0, leasesLost: 0, failures: 0 };
let lastFailure = "";

const stores = new Map(
  Object.entries(JSON.parse(process.env["STORES"] ?? "{}") as Record<string, string>).map(([namespace, url]) => [
    namespace,
    new Database({
      connection: parseStoreUrl(url),
      applicationName: "bench workers",
      poolSize: 2,
      connectTimeoutMs: 60_000, // those who wait for one of the two connections
      idleTimeoutMs: 600_000,
    }),
  ]),
);
const living = new Map<string, AbortController>();

/** One worker, from the time its pod is Ready until it goes. */
async function live({ metadata, spec }: Stored<Pod>, ending: AbortSignal): Promise<void> {
  const { name, namespace = "", uid, labels = {} } = metadata;
  const store = stores.get(namespace);
  if (!store) return;
  const facts = {
    podUid: uid,
    pod: name,
    namespace,
    node: spec?.nodeName,
    hostname: name,
    pid: 1,
    image: "example.com/team/worker:1.0.0",
    pool: `${namespace}/${labels[LABEL_POOL] ?? ""}`,
    queues: [labels[LABEL_QUEUE] ?? ""],
    concurrency: 10,
  };
  let id: string | undefined;
  while (!ending.aborted) {
    try {
      if (id === undefined) {
        id = await registerWorker(store, { ...facts, bootId: randomUUID() });
        counts.registered += 1;
      } else {
        const beat = {
          loopAgeMs: 2,
          lastClaimAgeMs: 1_000,
          slotsBusy: 0,
          slotsStuck: 0,
          state: "active",
          due: true,
        } as const;
        counts.beats += 1;
        if ((await heartbeat(store, id, beat)) === undefined) {
          counts.leasesLost += 1;
          counts.registered -= 1;
          id = undefined;
          continue;
        }
      }
    } catch (error) {
      counts.failures += 1;
      lastFailure = String(error);
    }
    await sleep(HEARTBEAT_MS, undefined, { signal: ending }).catch(() => {});
  }
  if (id === undefined) return;
  counts.registered -= 1;
  await deregisterWorker(store, id).catch(() => {}); // its lease runs out instead
}

const { client, metrics } = await connect(process.env["KUBECONFIG"] ?? "", { onRequest: () => {} });
const informer = new Informer({
  client,
  metrics,
  clock: systemClock,
  log: silentLog,
  resource: PODS,
  namespaces: [],
  labelSelector: LABEL_POOL,
  trim: trimPod,
  onChange: ({ type, object: pod }) => {
    const { uid, deletionTimestamp } = pod.metadata;
    if (type === "deleted" || deletionTimestamp !== undefined) {
      living.get(uid)?.abort();
      living.delete(uid);
    } else if (!living.has(uid) && isReady(pod)) {
      const ending = new AbortController();
      living.set(uid, ending);
      void live(pod, ending.signal);
    }
  },
});
await informer.start();

serve({
  /** How many workers are registered, how many heartbeats were sent, and what went wrong. */
  counts: () => ({ ...counts, lastFailure }),
});

function isReady({ status }: Stored<Pod>): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
}
