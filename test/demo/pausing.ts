import { eventually } from "../support/eventually.ts";
import { kubectlFor, OPERATOR_NAMESPACE } from "../support/kubernetes/installation.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";
import { enqueueWords, waitUntilDone } from "./work.ts";

/** Jobs of this run in queue `default` that were claimed after its hold `spec` had been committed. */
const STARTED_AFTER_THE_HOLD = `
  select count(*)::int as started
  from jobqueue.holds h
  join (select queue, tag, claimed_at from jobqueue.jobs union all select queue, tag, claimed_at from jobqueue.job_history) j
    on j.queue = h.queue and j.claimed_at > h.since
  where h.queue = 'default' and h.name = 'spec' and j.tag = $1`;

/** Pauses `default` by applying a manifest while it works, restarts the operator under it, resumes; returns the ids. */
export async function pauseAndResume(stage: Stage, story: Story): Promise<string[]> {
  const store = await stage.store();
  const started = async (): Promise<number> =>
    (await store.query<{ started: number }>(STARTED_AFTER_THE_HOLD, [stage.run]))[0]?.started ?? -1;
  const count = 300;
  const jobs = await enqueueWords(stage, story, count);
  await stage.until("the first of them to be done", async () => {
    const [row] = await store.query("select 1 from jobqueue.job_history where tag = $1 and queue = 'default'", [
      stage.run,
    ]);
    return row;
  });
  story.command("kubectl apply -f crds/examples/paused.yaml");
  await stage.applyExample("paused.yaml");
  await stage.kubectl.run("wait", "--for=condition=Paused", "jobqueue/default", "--timeout=60s");
  await stage.show(story, "default is paused");

  const operator = kubectlFor(stage.access, OPERATOR_NAMESPACE);
  story.command(`kubectl -n ${OPERATOR_NAMESPACE} rollout restart deployment/jobqueue-operator`);
  await operator.run("rollout", "restart", "deployment/jobqueue-operator");
  await operator.run("rollout", "status", "deployment/jobqueue-operator", "--timeout=120s");
  const leader = await eventually("a new leader", async () => {
    const pods = (await operator.list("pods", "app.kubernetes.io/name=jobqueue-operator")).map(
      (pod) => pod.metadata.name,
    );
    const holders = (await operator.list("leases")).map((lease) => lease.spec.holderIdentity as string);
    return holders.find((holder) => pods.some((pod) => holder.startsWith(pod)));
  });
  story.say(`the new leader is ${leader}`);
  const [waiting] = await store.query<{ open: number }>(
    "select count(*)::int as open from jobqueue.jobs where tag = $1 and queue = 'default'",
    [stage.run],
  );
  story.check(
    "G11: nothing of the paused queue was started",
    (await started()) === 0,
    `${await started()} claims after the hold`,
  );
  story.check("the rest of the work waits", (waiting?.open ?? 0) > 0, `${waiting?.open} of ${count} jobs are waiting`);

  story.command("kubectl apply -f crds/examples/quickstart/   # state: Active again");
  await stage.applyExample("quickstart/2-queues.yaml");
  await waitUntilDone(stage, jobs);
  story.say(`resumed: all ${count} jobs are done`);
  return jobs;
}
