import { usesCurrentContext } from "../cluster/current-context.ts";
import { signalCommand, signalContainer } from "../cluster/container-faults.ts";
import { runningEngine } from "../cluster/engine/engine.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";
import { enqueueArchive, waitUntilDone } from "./work.ts";

interface Running {
  readonly id: string;
  readonly pod: string;
  readonly node: string;
  readonly worker_id: string;
}

/** Kills the worker that runs a long job, without warning, and shows that the job is run again and finished once. */
export async function killWorker(stage: Stage, story: Story): Promise<string[]> {
  const ids = await enqueueArchive(stage, story);
  const running = await stage.until("a worker to be in the middle of it", async (store) => {
    const [row] = await store.query<Running>(
      `select j.id, w.id as worker_id, w.pod, w.node from jobqueue.jobs j join jobqueue.workers w on w.id = j.worker_id
       where j.id = any($1::bigint[]) and j.claimed_at < clock_timestamp() - interval '1 second' limit 1`,
      [ids],
    );
    return row;
  });
  await kill(stage, story, running);
  const killed = performance.now();
  await stage.until("the job to be claimed again", async (store) => {
    const [row] = await store.query(
      "select 1 from jobqueue.jobs where id = $1 and recoveries > 0 and worker_id is not null and worker_id <> $2",
      [running.id, running.worker_id],
    );
    return row;
  });
  story.say(
    `job ${running.id} runs again on another worker ${((performance.now() - killed) / 1000).toFixed(1)} s after the kill`,
  );
  await waitUntilDone(stage, ids);
  const [end] = await (
    await stage.store()
  ).query<{ finishes: number; attempt: number; recoveries: number }>(
    `select count(*)::int as finishes, min(attempt)::int as attempt, min(recoveries)::int as recoveries
     from jobqueue.job_history where id = $1`,
    [running.id],
  );
  story.check("G8: the job of the killed worker was finished once", end?.finishes === 1, `${end?.finishes} times`);
  story.check(
    "G9: the crash spent no attempt",
    end?.attempt === 1 && end.recoveries === 1,
    `attempt ${end?.attempt}, recoveries ${end?.recoveries}`,
  );
  return ids;
}

/**
 * SIGKILL to the container's first process, from its node. On a cluster whose nodes we cannot enter the pod is deleted
 * without grace instead, which the kubelet does with SIGTERM and, two seconds later, SIGKILL.
 */
async function kill(stage: Stage, story: Story, { pod, node, id }: Running): Promise<void> {
  const engine = usesCurrentContext() ? undefined : await runningEngine();
  if (engine === undefined) {
    story.command(`kubectl delete pod ${pod} --grace-period=0 --force   # runs job ${id}`);
    await stage.kubectl.run("delete", "pod", pod, "--grace-period=0", "--force");
    return;
  }
  const object = await stage.kubectl.get("pod", pod);
  const container = (object?.status?.containerStatuses as { name: string; containerID: string }[] | undefined)?.find(
    ({ name }) => name === "worker",
  );
  if (container === undefined) throw new Error(`pod ${pod} has no container "worker"`);
  const where = { node, containerID: container.containerID };
  const shown = signalCommand(where, "SIGKILL").map((word) => (word.length === 64 ? `${word.slice(0, 12)}…` : word));
  story.command(`docker ${shown.join(" ")}   # ${pod}, runs job ${id}`);
  await signalContainer(where, "SIGKILL");
}
