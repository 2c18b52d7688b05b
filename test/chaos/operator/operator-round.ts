import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { hold, release } from "@jobqueue/store";
import { ClusterUnderTest } from "../../../operator/src/testing/cluster-under-test.ts";
import { Kubelets } from "../../../operator/src/testing/kubelets.ts";
import { ApiServer } from "../../support/api-server/api-server.ts";
import type { Fault, OperatorFacts, RestartBudget } from "../../support/history/history.ts";
import { nowMs, readProcessLogs } from "../../support/history/process-log.ts";
import { eventually } from "../../support/eventually.ts";
import { drained } from "../drained.ts";
import { applyFault, applyFaults } from "../faults/apply-faults.ts";
import { STORE } from "../faults/fault.ts";
import { QUEUES } from "../producer.ts";
import { Random } from "../random.ts";
import type { RoundOptions, RoundOutcome } from "../round.ts";
import { Scene } from "../scene.ts";
import { becomeReady, comeToRest, quietFor, type Resting, summaries } from "./at-rest.ts";
import { Audited } from "./audited.ts";
import { Author, HEALTH } from "./author.ts";
import { FROZEN, HUNG_FAULTS } from "./pod-faults.ts";
import { OPERATOR_FAMILIES } from "./operator-families.ts";
import { PodFleet } from "./pod-fleet.ts";
import { Replicas } from "./replicas.ts";
import type { OperatorFault, OperatorTargets } from "./targets.ts";

/** How such a round is run. */
export interface OperatorRoundOptions extends Omit<RoundOptions, "prepare"> {
  /** For how long nothing may be written in the end, milliseconds. */
  readonly quietMs: number;
}

/** A paused process, and machines that are busy with several rounds, start late what was claimed before a hold. */
const STARTS_AFTER_HOLD_MS = 10_000;

/** The share of the families of faults that a round has: where all are at work nobody is ever sure enough to restart a worker. */
const FAMILY_SHARE = 0.6;

/**
 * One round with operators: a real API server, two real operator processes of which one leads, JobQueues whose pods are real worker
 * processes, load, somebody who rewrites the JobQueues, pairs of faults and always a worker that hangs. Then it comes to rest,
 * and is judged: by all that the other rounds are, and by what the API server, the store and the kubelet tell of the operators.
 */
export async function runOperatorRound(options: OperatorRoundOptions): Promise<RoundOutcome> {
  const { server, directory, loadSeconds, repeat, say = () => {} } = options;
  const random = new Random(options.seed);
  const scene = await Scene.create(server, directory);
  const { direct, proxy } = scene;
  const api = await ApiServer.create({ audit: "Request" });
  const cluster = await ClusterUnderTest.create("chaos", api.kubeconfig);
  const fleet = new PodFleet(directory, proxy.url);
  const kubelets = new Kubelets({ cluster, run: fleet.run });
  const restarts = random.fork();
  const replicas = await Replicas.start(cluster, directory, () => restarts.between(500, 12_000));
  const author = new Author(cluster, random.fork());
  const resting: Resting = { cluster, direct, replicas, kubelets, wanted: author.wanted };
  try {
    kubelets.start();
    await cluster.secret("default", proxy.url);
    await author.write();
    say(`  in namespace ${cluster.namespace}`);
    const unstarted = await comeToRest(resting, 0);
    if (unstarted.length > 0) throw new Error(unstarted.map(({ what }) => what).join("\n"));

    await scene.begin(random, ["producer-1"]);
    author.start();
    const targets: OperatorTargets = {
      server,
      proxy,
      bouncer: undefined,
      fleet,
      direct,
      random: random.fork(),
      api,
      replicas,
      cluster,
    };
    const until = nowMs() + loadSeconds * 1_000;
    const [pairs, hung] = await Promise.all([
      applyFaults(targets, someOf(random, options), options, until),
      oneAfterTheOther(HUNG_FAULTS, { ...targets, random: random.fork() }, options, until),
    ]);
    for (const replica of replicas.all) replica.signal("SIGCONT");
    fleet.wake();
    await author.settle();
    // While everything fails at once nobody may be sure enough to restart a worker; after it somebody has to be.
    if (options.only?.(FROZEN) ?? true) {
      await becomeReady(resting); // if it does not, that is found when it has to come to rest
      say(`  ${FROZEN.id} ${FROZEN.name}, alone`);
      hung.push(await applyFault(FROZEN, targets, options));
    }
    await scene.end();
    await drained(direct);
    const unsettled = [...(await comeToRest(resting))];
    await pauseBoth(author, resting);
    unsettled.push(...(await comeToRest(resting)));
    if (unsettled.length > 0) await keepObjects(cluster, directory);
    const quiet = await quietFor(options.quietMs, resting);
    const shown = await summaries(resting);
    await kubelets.stop();
    await replicas.close();

    const audited = new Audited(api.auditLog, replicas.all);
    const faults = readProcessLogs(directory).faults;
    const operator: OperatorFacts = {
      kills: audited.kills,
      budgets: budgetsOf(cluster.namespace),
      noRestarts: outagesOf(faults),
      summaries: shown,
      lateWrites: [...audited.writesWithin(quiet.from, quiet.to), ...quiet.writes],
      unsettled,
      writesWithoutLease: audited.writesWithoutLease(faults),
    };
    const judgement = await scene.judge({
      repeat,
      operator,
      expectations: { startsAfterHoldMs: STARTS_AFTER_HOLD_MS },
    });
    if (judgement.findings.length > 0) keep(api, directory);
    return {
      ...judgement,
      faults: [...pairs, ...hung],
      workerExits: fleet.exits,
      operator: {
        restarts: judgement.history.intents.filter(({ abandoned, asked }) => !abandoned && !asked).length,
        leaderChanges: audited.leaderChanges,
      },
    };
  } catch (error) {
    keep(api, directory);
    throw error;
  } finally {
    fleet.wake();
    await author.end();
    await kubelets.stop();
    await replicas.close();
    await api.destroy();
    await scene.close();
  }
}

/** Some of the families that have a fault that is wanted, two at least where there are two. */
function someOf(random: Random, { only = () => true }: OperatorRoundOptions): readonly (readonly OperatorFault[])[] {
  const wanted = OPERATOR_FAMILIES.filter((family) => family.some((fault) => only(fault)));
  for (;;) {
    const some = wanted.filter(() => random.chance(FAMILY_SHARE));
    if (some.length >= Math.min(2, wanted.length)) return some;
  }
}

async function oneAfterTheOther(
  faults: readonly OperatorFault[],
  targets: OperatorTargets,
  options: OperatorRoundOptions,
  until: number,
): Promise<string[]> {
  const wanted = faults.filter((fault) => options.only?.(fault) ?? true);
  const applied: string[] = [];
  while (nowMs() < until && wanted.length > 0) {
    const fault = targets.random.pick(wanted);
    options.say?.(`  ${fault.id} ${fault.name}`);
    applied.push(await applyFault(fault, targets, options));
  }
  return applied;
}

/** Leaves one queue paused by its spec and one by a command, so that rest is not only what is easy to tell. */
async function pauseBoth(author: Author, { direct, cluster }: Resting): Promise<void> {
  await author.pause(QUEUES.plain);
  const held = { queue: QUEUES.keyed, name: "person", actor: "chaos", reason: "the round is over" };
  await release(direct, held);
  await hold(direct, { ...held, source: "cli" });
  await eventually("both to be told", async () => {
    const statuses = await Promise.all([QUEUES.plain, QUEUES.keyed].map((name) => cluster.status(name)));
    return statuses.every(({ pausedBy }) => pausedBy !== undefined) || undefined;
  }).catch(() => {}); // it is judged in the end
}

function budgetsOf(namespace: string): RestartBudget[] {
  return Object.values(QUEUES).map((name) => ({
    pool: `${namespace}/${name}`,
    concurrent: HEALTH.maxConcurrentRestarts,
    windowMs: 600_000,
    most: 3, // of pools as small as these
    hungAfterMs: HEALTH.heartbeatTimeoutSeconds * 1_000,
  }));
}

/** What was on its way when an outage began, milliseconds. */
const UNDER_WAY_MS = 3_000;

/** Times without the store. Until workers had time to speak again nobody is judged. */
function outagesOf(faults: readonly Fault[]): OperatorFacts["noRestarts"] {
  return faults
    .filter(({ id, target }) => target === STORE && (id === "P1" || id === "P2"))
    .map(({ from, to }) => ({
      why: "the store was away",
      from: from + UNDER_WAY_MS,
      to,
      settled: to + HEALTH.heartbeatTimeoutSeconds * 1_000,
    }));
}

/** What is in the namespace while it does not come to rest, as `objects.json`. */
async function keepObjects(cluster: ClusterUnderTest, directory: string): Promise<void> {
  const collections = ["jobqueues", "deployments", "replicasets", "pods"];
  const lists = await Promise.all(
    collections.map(async (collection) => [collection, await cluster.api.get(cluster.path(collection))] as const),
  );
  writeFileSync(join(directory, "objects.json"), JSON.stringify(Object.fromEntries(lists), undefined, 2));
}

/** Evidence that goes with the API server. */
function keep(api: ApiServer, directory: string): void {
  for (const file of [api.auditLog, api.apiserver.log, api.controllerManager.log]) {
    if (existsSync(file)) copyFileSync(file, join(directory, basename(file)));
  }
}
