import { enqueueMany } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { signalContainer } from "../cluster/container-faults.ts";
import { eventually } from "../support/eventually.ts";
import { installOperator, kubectlFor, OPERATOR_NAMESPACE } from "../support/kubernetes/installation.ts";
import { Playground, storeManifests } from "../support/kubernetes/playground.ts";
import { containerOf, restarts } from "../support/kubernetes/pool.ts";

/** What an operator logs when it notices that it does not lead any more. */
const LOST_LEADERSHIP = /no longer leading/;

describe("the operator and its workers under faults", () => {
  let ground: Playground;
  const work = { name: "work", replicas: 2, workers: { slots: 4, drainTimeoutSeconds: 5 } };
  const operator = () => kubectlFor(inject("cluster"), OPERATOR_NAMESPACE);
  const operatorPods = async () => operator().list("pods", "app.kubernetes.io/name=jobqueue-operator");

  beforeAll(async () => {
    const access = inject("cluster");
    await installOperator(access);
    ground = await Playground.create(access, "faults");
    await ground.queue(work);
    await ground.condition("jobqueue", "work", "WorkersAvailable", "True");
  });
  afterAll(async () => {
    await ground?.destroy();
  });

  it("G11: the leader operator pod is killed; a pause applied right after is enforced by its successor", async () => {
    const lease = await operator().list("leases");
    const holder = lease.map((object) => object.spec.holderIdentity as string).find((identity) => identity !== "");
    const leader = (await operatorPods()).find((pod) => holder?.startsWith(pod.metadata.name));
    if (leader === undefined) throw new Error(`no pod of the leader ${holder}`);
    // Frozen first: deleted alone it would have its moment to end well, and might place the pause itself.
    await signalContainer(containerOf(leader, "operator"), "SIGSTOP", { all: true });
    await operator().run("delete", "pod", leader.metadata.name, "--grace-period=0", "--force");
    await ground.queue({ ...work, state: "Paused" });
    await ground.condition("jobqueue", "work", "Paused", "True", "PausedBySpec");
    const successor = (await operator().list("leases"))[0]?.spec.holderIdentity as string;
    expect(successor.startsWith(leader.metadata.name)).toBe(false);
    await ground.queue(work);
    await ground.condition("jobqueue", "work", "Paused", "False");
  });

  it("O2: a frozen leader operator is replaced; thawed, it takes nothing back from its successor", async () => {
    const lease = async () => (await operator().list("leases")).find(({ spec }) => spec.holderIdentity !== "");
    const before = await lease();
    const leader = (await operatorPods()).find(({ metadata }) => before?.spec.holderIdentity.startsWith(metadata.name));
    if (leader === undefined) throw new Error(`no pod of the leader ${before?.spec.holderIdentity}`);
    const frozen = containerOf(leader, "operator");
    await signalContainer(frozen, "SIGSTOP", { all: true });
    try {
      await ground.queue({ ...work, state: "Paused" });
      await ground.condition("jobqueue", "work", "Paused", "True", "PausedBySpec");
    } finally {
      await signalContainer(frozen, "SIGCONT", { all: true });
    }
    const after = await lease();
    expect(after?.spec.holderIdentity.startsWith(leader.metadata.name)).toBe(false);
    expect(after?.spec.leaseTransitions).toBe(before?.spec.leaseTransitions + 1);
    // It remembers a queue that is not paused. Awake, it must notice first that it leads no more.
    await eventually("the former leader to say that it leads no more", async () => {
      const log = await operator().run("logs", leader.metadata.name, "--all-containers", "--tail=200");
      return LOST_LEADERSHIP.test(log) ? true : undefined;
    });
    await ground.condition("jobqueue", "work", "Paused", "True", "PausedBySpec");
    expect((await lease())?.spec.holderIdentity).toBe(after?.spec.holderIdentity);
    await ground.queue(work);
    await ground.condition("jobqueue", "work", "Paused", "False");
  });

  it("wrong credentials: the condition says so and what to do, other queues do not suffer, a mended Secret is picked up", async () => {
    const wrong = ground.clusterUrl.replace(/:[^:@]+@/, ":wrong@");
    await ground.kubectl.apply(storeManifests("other", wrong));
    await ground.queue({ name: "elsewhere", store: "other" });
    const store = await ground.condition("jobstore", "other", "Reachable", "False", "AuthFailed");
    const message = (store.status.conditions as { type: string; message: string }[]).find(
      (condition) => condition.type === "Reachable",
    )?.message;
    expect(message).toContain("other-uri");
    expect(message).not.toContain("wrong");
    const blocked = await ground.condition("jobqueue", "elsewhere", "Ready", "Unknown");
    expect(blocked.status.store).toBe(`${ground.kubectl.namespace}/other`);
    await ground.naps("work", 4, 0.1);
    const database = await ground.store();
    await eventually("the other queue to go on", async () => {
      const [row] = await database.query<{ open: string }>("select count(*) as open from jobqueue.jobs");
      return row?.open === "0" ? true : undefined;
    });
    await ground.condition("jobqueue", "work", "Ready", "True");
    await ground.kubectl.apply(storeManifests("other", ground.clusterUrl));
    await ground.condition("jobstore", "other", "Ready", "True");
    await ground.condition("jobqueue", "elsewhere", "Ready", "True");
  });

  it("Postgres restarted under load: nothing lost, nothing finished twice, no worker and no operator restarts", async () => {
    const workers = async () => ground.kubectl.list("pods", "jobqueue.dev/pool=work");
    const before = { ...restarts(await workers()), ...restarts(await operatorPods()) };
    const database = await ground.store();
    const jobs = Array.from({ length: 300 }, () => ({ queue: "work", kind: "nap", payload: { seconds: 0.2 } }));
    const ids = (await enqueueMany(database, jobs)).map(({ id }) => id);
    await eventually("some of them to be done", async () => {
      const [row] = await database.query<{ done: string }>("select count(*) as done from jobqueue.job_history");
      return Number(row?.done) > 40 ? true : undefined;
    });
    await ground.disconnect();
    await ground.kubectl.run("delete", "pod", "demo-postgres-0");
    await ground.kubectl.run("rollout", "status", "statefulset/demo-postgres", "--timeout=120s");
    await eventually(
      "all of them to be done",
      async () => {
        try {
          const [row] = await (
            await ground.store()
          ).query<{ done: string }>(
            "select count(distinct id) as done from jobqueue.job_history where id = any($1::bigint[])",
            [ids],
          );
          return row?.done === "300" ? true : undefined;
        } catch (error) {
          await ground.disconnect();
          throw error;
        }
      },
      { timeoutMs: 180_000, everyMs: 500 },
    );
    const twice = await (
      await ground.store()
    ).query("select id from jobqueue.job_history group by id having count(*) > 1");
    expect(twice).toEqual([]);
    expect({ ...restarts(await workers()), ...restarts(await operatorPods()) }).toEqual(before);
    await ground.condition("jobqueue", "work", "Ready", "True");
  });

  it("a converged operator writes nothing", async () => {
    const versions = async () => {
      const objects = [
        ...(await ground.kubectl.list("jobqueues")),
        ...(await ground.kubectl.list("jobstores")),
        ...(await ground.kubectl.list("deployments")),
      ];
      return objects.map((object) => `${object.kind}/${object.metadata.name}@${object.metadata.resourceVersion}`);
    };
    // Counts are written at most every 15 s; after that the last of them has been said.
    let since = performance.now();
    let last = await versions();
    await eventually(
      "20 s without a write",
      async () => {
        const now = await versions();
        if (now.join() !== last.join()) {
          last = now;
          since = performance.now();
        }
        return performance.now() - since > 20_000 ? true : undefined;
      },
      { timeoutMs: 90_000, everyMs: 1_000 },
    );
  });
});
