/** Workers of pods that a scenario plays, by the store's own protocol: real rows with real leases, and no process behind them. */
import { claim, complete, listWorkers, registerWorker, type ClaimedJob } from "@jobqueue/store";
import { waitFor } from "../../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../../test/support/api-server/api-client.ts";
import type { World } from "./world.ts";

/** Longer than any run, so that none needs to beat; those of the dead are ended by {@link endLeasesOfTheDead}. */
const LEASE_SECONDS = 600;

/** Waits for the pods of mailers, says that they are ready, and gives each a worker that has none. Returns them, oldest first. */
export async function staff(world: World, replicas: number): Promise<readonly KubeObject[]> {
  const pods = await world.cluster.becomeReady("mailers", replicas);
  const staffed = new Set((await listWorkers(world.store)).map(({ podUid }) => podUid));
  for (const { metadata } of pods) {
    if (staffed.has(metadata.uid ?? "")) continue;
    await registerWorker(world.store, {
      bootId: crypto.randomUUID(),
      queues: ["mailers"],
      pool: `${world.cluster.namespace}/mailers`,
      pod: metadata.name,
      podUid: metadata.uid,
      namespace: world.cluster.namespace,
      leaseSeconds: LEASE_SECONDS,
    });
  }
  return pods;
}

/** The worker that claims next of those that have no job; waits until there is a job for it. */
export async function claimed(world: World): Promise<ClaimedJob> {
  return waitFor(
    "a job to claim",
    async () => {
      const idle = (await listWorkers(world.store)).find(({ isLive, running }) => isLive && running === 0);
      if (!idle) return undefined;
      const [job] = await claim(world.store, { workerId: idle.id, queues: ["mailers"], max: 1 });
      return job;
    },
    { timeoutMs: 90_000 },
  );
}

/** The worker that has a job falls silent, and has been for as long as it takes to be hung. Returns what it holds. */
export async function hang(
  world: World,
): Promise<{ readonly id: string; readonly leaseToken: string; readonly podUid: string }> {
  const [held] = await world.store.query<{ id: string; leaseToken: string; worker: string }>(
    `select job_id::text as id, lease_token::text as "leaseToken", worker_id::text as worker from jobqueue.v_leased`,
  );
  const worker = (await listWorkers(world.store)).find(({ id }) => id === held?.worker);
  if (!held || !worker?.podUid) throw new Error("no worker of a pod has a job");
  await world.store.query(
    `update jobqueue.workers set lease_until = clock_timestamp() - interval '1 minute',
       heartbeat_at = clock_timestamp() - interval '5 minutes' where id = $1`,
    [worker.id],
  );
  return { id: held.id, leaseToken: held.leaseToken, podUid: worker.podUid };
}

/** Finishes a job that was claimed; whether that counted. */
export async function finish(
  world: World,
  job: { readonly id: string; readonly leaseToken: string },
): Promise<boolean> {
  return !(await complete(world.store, [job])).includes(job.id);
}

/** Workers without a pod renew nothing: what would take their leases half a minute is done at once. */
export async function endLeasesOfTheDead(world: World): Promise<void> {
  // Those that are there before the pods are listed: one that comes meanwhile has a pod.
  const workers = await listWorkers(world.store);
  const pods = new Set((await world.cluster.pods("mailers")).map(({ metadata }) => metadata.uid));
  const dead = workers
    .filter(({ isLive, podUid }) => isLive && typeof podUid === "string" && !pods.has(podUid))
    .map(({ id }) => id);
  if (dead.length === 0) return;
  await world.store.query("update jobqueue.workers set lease_until = clock_timestamp() where id = any($1::bigint[])", [
    dead,
  ]);
}
