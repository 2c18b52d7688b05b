import { beforeAll, describe, expect, inject, it } from "vitest";
import { signalContainer } from "../cluster/container-faults.ts";
import { eventually } from "../support/eventually.ts";
import { AT_LENGTH } from "../support/kubernetes/at-length.ts";
import { installOperator } from "../support/kubernetes/installation.ts";
import type { Resource } from "../support/kubernetes/kubectl.ts";
import { Playground, type QueueManifest } from "../support/kubernetes/playground.ts";
import { containerOf, isReady, Pool, restarts } from "../support/kubernetes/pool.ts";

/** As short as the kind allows. */
const HEALTH = { heartbeatTimeoutSeconds: 15, loopStallSeconds: 5, startupGraceSeconds: 0 };

/** A pool whose workers are lost after twenty seconds, which a busy machine leaves them, and do not end themselves. */
const pool = (name: string, replicas: number, more: NonNullable<QueueManifest["workers"]> = {}): QueueManifest => ({
  name,
  replicas,
  workers: {
    slots: 2,
    drainTimeoutSeconds: 5,
    health: HEALTH,
    args: ["--lease", "20", "--hung-after", "600"],
    ...more,
  },
});

const freeze = async (pod: Resource): Promise<void> => signalContainer(containerOf(pod), "SIGSTOP", { all: true });

/** A namespace and its store for one test: evidence comes from the other workers of a store, too. */
async function withGround(prefix: string, play: (ground: Playground) => Promise<void>): Promise<void> {
  const ground = await Playground.create(inject("cluster"), prefix);
  try {
    await play(ground);
  } finally {
    await ground.destroy();
  }
}

describe("workers that are not well, on real kubelets", () => {
  beforeAll(async () => {
    await installOperator(inject("cluster"));
  });

  it.runIf(AT_LENGTH)(
    "N5: workers that crash are left to their nodes, which start them again later and later",
    { concurrent: true },
    async () => {
      await withGround("crash", async (ground) => {
        const crash = new Pool(ground, "mail");
        await ground.queue(pool("mail", 2, { args: ["--handlers", "/nowhere.yaml"] }));
        const first = await eventually(
          "both to have crashed twice",
          async () => {
            const pods = await crash.pods();
            const counts = Object.values(restarts(pods));
            return counts.length === 2 && counts.every((count) => count >= 1) ? pods : undefined;
          },
          { timeoutMs: 180_000 },
        );
        const queue = await ground.condition("jobqueue", "mail", "WorkersAvailable", "False", "WorkersCrashing");
        expect(await crash.message("WorkersAvailable")).toMatch(
          /^None of 2 workers is ready: container worker of pod mail-workers-\S+ ended with exit code 64 .*--previous says why \(and 1 other pod\)\.$/,
        );
        expect(queue.status.workers).toMatchObject({ desired: 2, ready: 0 });
        await eventually(
          "another crash",
          async () => (Object.values(restarts(await crash.pods())).every((count) => count >= 2) ? true : undefined),
          { timeoutMs: 180_000 },
        );
        // The same pods: a new one would be started at once, again and again.
        const uids = (pods: readonly Resource[]) => pods.map(({ metadata }) => metadata.uid).toSorted();
        expect(uids(await crash.pods())).toEqual(uids(first));
        expect(await ground.restarts()).toEqual([]);
      });
    },
  );

  it.concurrent(
    "R7: the only worker is replaced when it hangs, once the store has shown that it is not to blame",
    async () => {
      await withGround("alone", async (ground) => {
        const alone = new Pool(ground, "mail");
        await ground.queue(pool("mail", 1));
        const [pod] = await alone.ready(1);
        if (pod === undefined) throw new Error("no pod");
        const ids = await ground.jobs("mail", "sleep", { seconds: 20 });
        await alone.running(ids, pod.metadata.name);
        await freeze(pod);
        expect(await alone.completed(ids, 180_000)).toEqual({ completed: 1, twice: 0, attempt: 1, recoveries: 1 });
        const [replaced] = await alone.ready(1);
        expect(replaced?.metadata.uid).not.toBe(pod.metadata.uid);
        const name = pod.metadata.name;
        expect(await ground.restarts()).toMatchObject([{ pod: name, reason: "HeartbeatLapsed" }]);
        await ground.condition("jobqueue", "mail", "Healthy", "True");
      });
    },
  );

  it.runIf(AT_LENGTH)(
    "R3: two of three hung are nobody's to restart, until a person asks for one",
    { concurrent: true },
    async () => {
      await withGround("storm", async (ground) => {
        const many = new Pool(ground, "mail");
        await ground.queue(pool("mail", 3));
        const before = await many.ready(3);
        const [first, second] = before;
        if (first === undefined || second === undefined) throw new Error("no pods");
        await Promise.all([freeze(first), freeze(second)]);
        await ground.condition("jobqueue", "mail", "Healthy", "False", "WorkersHung");
        const queue = await ground.condition("jobqueue", "mail", "RestartsSuspended", "True", "TooManyUnhealthy");
        const said = queue.status.conditions as { type: string; message: string }[];
        expect(said.find(({ type }) => type === "RestartsSuspended")?.message).toContain(
          "jobqueue.dev/restart-requested",
        );
        expect(queue.status.workers).toMatchObject({ hung: 2 });
        expect(await ground.restarts()).toEqual([]);
        await ground.kubectl.run("annotate", "jobqueue", "mail", "jobqueue.dev/restart-requested=one");
        await ground.condition("jobqueue", "mail", "RestartsSuspended", "True", "Cooldown");
        const uids = new Set(before.map(({ metadata }) => metadata.uid));
        await eventually("a new worker", async () =>
          (await many.pods()).find((pod) => isReady(pod) && !uids.has(pod.metadata.uid)),
        );
        const [restart, ...more] = await ground.restarts();
        expect(more).toEqual([]);
        expect(restart).toMatchObject({ reason: "Requested" });
        expect([first, second].map(({ metadata }) => metadata.name)).toContain(restart?.pod);
      });
    },
  );

  it.runIf(AT_LENGTH)(
    "N6: no worker is replaced while a roll-out is under way; afterwards all are well again",
    { concurrent: true },
    async () => {
      await withGround("rollout", async (ground) => {
        const rolling = new Pool(ground, "mail");
        await ground.queue(pool("mail", 3));
        const [pod] = await rolling.ready(3);
        if (pod === undefined) throw new Error("no pod");
        await ground.queue(pool("mail", 3, { image: "example.com/shop/mail:nowhere" }));
        await ground.condition("jobqueue", "mail", "Ready", "False", "ImagePullFailed");
        await freeze(pod);
        await ground.condition("jobqueue", "mail", "Healthy", "False", "WorkersHung");
        await ground.condition("jobqueue", "mail", "RestartsSuspended", "True", "RolloutInProgress");
        expect(await ground.restarts()).toEqual([]);
        await ground.queue(pool("mail", 3));
        await ground.condition("jobqueue", "mail", "Healthy", "True");
        await rolling.ready(3);
        // By the operator, or by its node, whose liveness probe gives up after a minute and a half. Nobody else.
        expect((await ground.restarts()).filter((restart) => restart.pod !== pod.metadata.name)).toEqual([]);
      });
    },
  );
});
