/**
 * What users and clusters do to an operator, each from a state of rest to a state of rest. They are run under faults: what
 * they wait for may take an operator that was killed and a new one.
 */
import { ANNOTATIONS } from "@jobqueue/crds";
import { enqueue, listWorkers } from "@jobqueue/store";
import { waitFor } from "../../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../../test/support/api-server/api-client.ts";
import { workersSpec } from "../cluster-under-test.ts";
import { claimed, finish, hang, staff } from "./pool-workers.ts";
import type { World } from "./world.ts";

/** See the head of this file. */
export interface Scenario {
  readonly name: string;
  /** The world before it, with an operator that has come to rest in it. */
  readonly arrange?: (world: World) => Promise<void>;
  readonly act: (world: World) => Promise<void>;
  /** How long the operator deliberately does nothing in it after `act`, milliseconds. */
  readonly waitsMs?: number;
  /** Takes half a minute or more, because the operator is patient in it: not in the samples of `make test`. */
  readonly slow?: boolean;
}

const schedule = (name: string, cron: string): object => ({ name, cron, kind: "report", payload: { of: name } });

/** A queue with everything a spec may say of it. */
const everything = {
  replicas: 2,
  workers: workersSpec(),
  concurrency: 5,
  retry: { maxAttempts: 3 },
  timeoutSeconds: 60,
  deletionPolicy: "Delete",
  schedules: [schedule("nightly", "0 3 1 1 *"), schedule("weekly", "0 4 1 1 *")],
};

const store = async ({ cluster }: World): Promise<void> => cluster.jobStore("default");

const queue =
  (spec: object) =>
  async (world: World): Promise<void> => {
    await store(world);
    await world.cluster.jobQueue("mailers", spec);
  };

const job = async ({ store: session }: World): Promise<void> => {
  await enqueue(session, { queue: "mailers", kind: "x", payload: {} });
};

const removal = async ({ cluster }: World): Promise<void> => {
  await cluster.api.delete(cluster.path("jobqueues/mailers"));
  await waitFor("mailers to be gone", async () => !(await cluster.api.find(cluster.path("jobqueues/mailers"))), {
    timeoutMs: 60_000,
  });
  // What it owned goes as soon as the cluster's own collector likes.
  const isCollected = async (): Promise<boolean> =>
    !(await cluster.api.find(cluster.path("deployments/mailers-workers"))) &&
    (await cluster.pods("mailers")).length === 0;
  await waitFor("what mailers owned to be gone", isCollected, { timeoutMs: 90_000 });
};

const withJob = (spec: object) => async (world: World) => {
  await queue(spec)(world);
  // A job takes over the policy that it finds.
  await waitFor("the queue to be as its spec says", () => world.isSettled(), { timeoutMs: 60_000 });
  await job(world);
};

/** As fast as the CRD allows. */
const QUICK_HEALTH = {
  heartbeatTimeoutSeconds: 15,
  startupGraceSeconds: 0,
  minSecondsBetweenRestarts: 0,
  stormCooldownSeconds: 0,
};

/** One of three workers hangs with a job in its hands; another one finishes the job, and what the first says then counts no more. */
export const HUNG_WORKER: Scenario = {
  name: "a worker hangs that has a job",
  slow: true,
  arrange: async (world) => {
    await withJob({ replicas: 3, workers: workersSpec({ health: QUICK_HEALTH }) })(world);
    await staff(world, 3);
    await claimed(world);
  },
  act: async (world) => {
    const held = await hang(world);
    const isReplaced = async (): Promise<boolean> => {
      const pods = await world.cluster.pods("mailers");
      return pods.length === 3 && pods.every(({ metadata }) => metadata.uid !== held.podUid);
    };
    await waitFor("its pod to be replaced", isReplaced, { timeoutMs: 150_000 });
    await staff(world, 3);
    if (!(await finish(world, await claimed(world)))) throw new Error("the job was not finished");
    if (await finish(world, held)) throw new Error("the job was finished once more, by the worker that hung");
  },
};

/** All of them. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "a store and a queue with a pool are made", act: queue(everything) },
  {
    name: "a queue is paused and resumed",
    arrange: queue({ replicas: 1, workers: workersSpec() }),
    act: async ({ cluster }) => {
      await cluster.jobQueue("mailers", { replicas: 1, workers: workersSpec(), state: "Paused", pauseReason: "night" });
      await cluster.condition("jobqueues/mailers", "Paused", "True");
      await cluster.jobQueue("mailers", { replicas: 1, workers: workersSpec() });
      await cluster.condition("jobqueues/mailers", "Paused", "False");
    },
  },
  {
    name: "the pod template changes",
    arrange: queue({ replicas: 1, workers: workersSpec() }),
    act: async ({ cluster }) => {
      const template = { spec: { containers: [{ name: "worker", image: "registry.example/worker:2" }] } };
      await cluster.jobQueue("mailers", { replicas: 1, workers: { template } });
    },
  },
  {
    name: "a pool is scaled down",
    arrange: queue({ replicas: 3, workers: workersSpec() }),
    act: async ({ cluster }) => {
      await cluster.jobQueue("mailers", { replicas: 1, workers: workersSpec() });
    },
  },
  {
    name: "policy and schedules change",
    arrange: queue(everything),
    act: async ({ cluster }) => {
      await cluster.jobQueue("mailers", {
        ...everything,
        concurrency: 7,
        retry: { maxAttempts: 9 },
        schedules: [schedule("nightly", "30 3 1 1 *"), schedule("monthly", "0 5 1 1 *")],
      });
    },
  },
  {
    name: "a store is paused",
    arrange: queue({}),
    act: async ({ cluster }) => cluster.jobStore("default", { state: "Paused", pauseReason: "move" }),
  },
  { name: "a queue is deleted that is retained", arrange: withJob({}), act: removal },
  {
    name: "a queue is deleted with its jobs",
    arrange: withJob({ ...everything, replicas: 1 }),
    act: removal,
  },
  {
    name: "a queue is deleted if it is empty, and is not",
    arrange: withJob({ deletionPolicy: "DeleteIfEmpty" }),
    act: removal,
  },
  {
    name: "a queue is deleted if it is empty, and is",
    arrange: queue({ deletionPolicy: "DeleteIfEmpty" }),
    act: removal,
  },
  {
    name: "a pool loses a pod with a job",
    arrange: async (world) => {
      await withJob({ replicas: 1, workers: workersSpec() })(world);
      await staff(world, 1);
      await claimed(world);
    },
    act: async ({ cluster, store: session }) => {
      const [pod] = await cluster.pods("mailers");
      await cluster.removePod(pod?.metadata.name ?? "");
      const isHandedOn = async (): Promise<boolean> =>
        (await listWorkers(session)).every(({ running }) => running === 0);
      await waitFor("its job to be handed on", isHandedOn, { timeoutMs: 90_000 });
    },
  },
  {
    name: "a pool with a busy worker shrinks to one",
    arrange: async (world) => {
      await withJob({ replicas: 3, workers: workersSpec() })(world);
      await staff(world, 3);
      await claimed(world);
    },
    act: async ({ cluster, store: session }) => {
      const busy = (await listWorkers(session)).find(({ running }) => running > 0);
      await cluster.jobQueue("mailers", { replicas: 1, workers: workersSpec() });
      const left = async (): Promise<readonly KubeObject[] | undefined> => {
        const pods = await cluster.pods("mailers");
        return pods.length === 1 ? pods : undefined;
      };
      const [pod] = await waitFor("one pod to be left", left, { timeoutMs: 90_000 });
      if (pod?.metadata.uid !== busy?.podUid) throw new Error("the busy worker was the victim");
    },
  },
  HUNG_WORKER,
  {
    // The steps are those of a hung worker, without the wait until one is known to be hung.
    name: "the restart of a worker is asked for",
    arrange: async (world) => {
      await queue({ replicas: 2, workers: workersSpec() })(world);
      await world.cluster.becomeReady("mailers", 2);
      await world.cluster.condition("jobqueues/mailers", "Ready", "True");
    },
    act: async ({ cluster }) => {
      const before = new Set((await cluster.pods("mailers")).map(({ metadata }) => metadata.uid));
      await cluster.api.patch(cluster.path("jobqueues/mailers"), {
        metadata: { annotations: { [ANNOTATIONS.restartRequested.name]: "now" } },
      });
      await waitFor(
        "one pod to be replaced",
        async () => {
          const pods = await cluster.pods("mailers");
          return pods.length === 2 && pods.filter(({ metadata }) => !before.has(metadata.uid)).length === 1;
        },
        { timeoutMs: 90_000 },
      );
      await cluster.becomeReady("mailers", 2);
    },
  },
  {
    name: "a paused queue is deleted, and its hold is an orphan",
    waitsMs: 60_000,
    slow: true,
    arrange: queue({ state: "Paused", pauseReason: "night" }),
    act: removal,
  },
];
