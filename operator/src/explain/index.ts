/**
 * Says what the operator observes about one JobQueue, what each of its rules says to that, and what it would do, without doing
 * any of it. The rules are the operator's own (`controllers/job-queue/decide.ts`), asked in its own order; what they are asked
 * about is read once, with the rights of whoever asks.
 *
 * Nothing is stored: every write of the client is a dry run (`KubeClient`, dryRunOnly), and the store is only looked at.
 */
import type { Condition } from "@jobqueue/crds";
import { RULES } from "../controllers/job-queue/decide.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../controllers/job-queue/desired/names.ts";
import { statusOf } from "../controllers/job-queue/status.ts";
import { JOB_QUEUES } from "../controllers/kinds.ts";
import type { StoredJobQueue } from "../controllers/kubernetes-objects.ts";
import { isNotFound, KubeClient } from "../kube/index.ts";
import type { Action } from "../plan/action.ts";
import { ask, planSaid, type Said } from "../plan/plan.ts";
import { explain as inWords } from "../plan/explain.ts";
import type { Clock } from "../runtime/index.ts";
import { type Fact, factsOf, type Origin } from "./facts.ts";
import { layOver } from "./lay-over.ts";
import { type Looked, lookFromHere, type StoreWay } from "./look-from-here.ts";
import { jobQueueIn } from "./manifest.ts";
import { ExplainProblem } from "./problem.ts";
import { QUESTIONS } from "./questions.ts";
import { mustRead, readCluster } from "./read.ts";

export { ExplainProblem } from "./problem.ts";
export type { Fact, Origin } from "./facts.ts";
export type { StoreWay } from "./look-from-here.ts";

/** What to explain: a JobQueue that exists, or one as a file that is not applied yet would make it. */
export type Subject =
  | { readonly name: string; readonly namespace: string }
  | {
      /** The text of the file, and its name for messages. */
      readonly text: string;
      readonly file: string;
      /** Which of several; absent: the only one. */
      readonly name: string | undefined;
      /** Where the file names no namespace. */
      readonly namespace: string;
      /** The namespace that was asked for, which the file must not contradict. */
      readonly asked: string | undefined;
      /** Who would apply it; decides which fields an apply takes away. */
      readonly fieldManager: string;
    };

/** What one rule said. */
export interface RuleSaid {
  readonly rule: string;
  /** What the rule asks. */
  readonly question: string;
  /** What it would have done, and what it has to complain about; empty when it has nothing to say. */
  readonly says: readonly string[];
  /** No later rule was asked. */
  readonly ends: boolean;
}

/** One step of the plan, in words and as data. */
export interface Step {
  readonly do: Action["do"];
  readonly words: string;
  readonly reason: string;
  readonly sentence: string;
}

/** See the head of this file. */
export interface Explanation {
  /** "namespace/name" of the JobQueue. */
  readonly jobQueue: string;
  readonly queue: string;
  /** "namespace/name" of the JobStore. */
  readonly store: string;
  readonly origin: Origin;
  readonly facts: readonly Fact[];
  readonly rules: readonly RuleSaid[];
  /** Rules that were not asked, because one before them ended it. */
  readonly notAsked: readonly string[];
  /** What the operator would do, in order; empty: nothing. */
  readonly plan: readonly Step[];
  /** What the status would say to what was observed; absent where the operator would leave the object alone. */
  readonly conditions: readonly Pick<Condition, "type" | "status" | "reason" | "message">[] | undefined;
}

/** What explaining needs. */
export interface ExplainOptions {
  readonly client: KubeClient;
  /** Ways to the store, the best first. */
  readonly ways: readonly StoreWay[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Explains one JobQueue. @throws ExplainProblem, KubeError when the API server does not answer */
export async function explainJobQueue(subject: Subject, options: ExplainOptions): Promise<Explanation> {
  const { clock, signal, ways } = options;
  const client = new KubeClient(options.client.transport, { dryRunOnly: true });
  const { queue, origin } = await readSubject(subject, client, signal);
  const { jobStore, unread, observe } = await readCluster(queue, { client, clock, signal });
  const looked: Looked | undefined = jobStore && (await lookFromHere(jobStore, ways, clock));
  const observed = await observe(looked?.view ?? { is: "starting" });
  const now = clock.wall();
  const said = ask(RULES, observed, now);
  const plan = planSaid(said);
  const asked = new Set(said.map(({ rule }) => rule));
  return {
    jobQueue: poolOf(queue),
    queue: queueNameOf(queue),
    store: storeKeyOf(queue),
    origin,
    facts: factsOf({ origin, queue, jobStore, observed, looked, unread }),
    rules: said.map(ruleSaid),
    notAsked: Object.keys(RULES).filter((rule) => !asked.has(rule)),
    plan: plan.actions.map((action) => ({
      do: action.do,
      words: inWords(action),
      reason: action.reason,
      sentence: action.sentence,
    })),
    conditions: plan.leaveAlone
      ? undefined
      : statusOf(observed, plan.problem, {}, now).status.conditions?.map(({ type, status, reason, message }) => ({
          type,
          status,
          reason,
          message,
        })),
  };
}

function ruleSaid({ rule, finding }: Said): RuleSaid {
  const { actions = [], problem, halt = false } = finding;
  return {
    rule,
    question: QUESTIONS[rule] ?? rule,
    says: [
      ...(problem ? [`Ready=${problem.ready} (${problem.reason}): ${problem.sentence}`] : []),
      ...actions.map(inWords),
    ],
    ends: halt,
  };
}

async function readSubject(
  subject: Subject,
  client: KubeClient,
  signal: AbortSignal,
): Promise<{ readonly queue: StoredJobQueue; readonly origin: Origin }> {
  if (!("file" in subject)) {
    const { namespace, name } = subject;
    const queue = await findQueue(client, { namespace, name }, signal);
    if (queue) return { queue, origin: { from: "cluster" } };
    throw new ExplainProblem("notFound", `there is no JobQueue ${name} in namespace ${namespace}`, {
      remedy: `\`kubectl get jobqueues -n ${namespace}\` lists them; --namespace chooses another namespace, -f explains a file.`,
    });
  }
  const { text, file, fieldManager } = subject;
  const manifest = jobQueueIn(text, file, subject.name);
  const { namespace: written, name } = manifest.metadata;
  if (written !== undefined && subject.asked !== undefined && written !== subject.asked) {
    const message = `${file} says namespace ${written}, and ${subject.asked} was asked for`;
    throw new ExplainProblem("manifest", message, { remedy: "Leave out one of the two." });
  }
  const namespace = written ?? subject.namespace;
  const live = await findQueue(client, { namespace, name }, signal);
  const queue = await layOver(manifest, live, { client, namespace, fieldManager });
  return { queue, origin: { from: "file", file, exists: live !== undefined } };
}

function findQueue(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<StoredJobQueue | undefined> {
  return mustRead(`JobQueue ${ref.name} in namespace ${ref.namespace}`, async () => {
    try {
      return await client.get(JOB_QUEUES, ref, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // What the server says of a kind it does not have, as opposed to an object.
      if (!error.message.includes("the server could not find the requested resource")) return undefined;
      throw new ExplainProblem("cluster", "the cluster does not serve the kind JobQueue", {
        remedy: "Install the chart, or: kubectl apply --server-side -f crds/jobstores.yaml -f crds/jobqueues.yaml",
        cause: error,
      });
    }
  });
}
