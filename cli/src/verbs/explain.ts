import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import {
  ExplainProblem,
  explainJobQueue,
  type Explanation,
  type StoreWay,
  type Subject,
} from "@jobqueue/operator/explain";
import { systemClock } from "@jobqueue/operator/runtime";
import type { Arguments } from "../arguments.ts";
import { byUrl } from "../connect/by-url.ts";
import { clusterFailure, openCluster } from "../connect/cluster.ts";
import { throughJobStore } from "../connect/through-job-store.ts";
import type { ExitName } from "../exit-codes.ts";
import { renderExplanation } from "../explanation.ts";
import { Failure, usageFailure } from "../failure.ts";
import { printResult } from "../output/result.ts";
import type { Terminal } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

const EXITS: Readonly<Record<ExplainProblem["kind"], ExitName>> = {
  manifest: "invalidManifest",
  notFound: "notFound",
  cluster: "clusterFailed",
};

/** As the JobStore says, else as the environment does; a URL on the command line is the only way. */
function waysOf(args: Arguments, { env }: Terminal): readonly StoreWay[] {
  const byUrlFrom = (url: string, from: "--store-url" | "DATABASE_URL"): StoreWay => ({
    name: from,
    open: ({ spec }) => byUrl({ by: "url", url, schema: args.text("schema") ?? spec.schema, from }, env),
  });
  const url = args.text("store-url");
  if (url !== undefined) return [byUrlFrom(url, "--store-url")];
  const fromEnvironment = env["DATABASE_URL"];
  const cluster = { context: args.text("context"), kubeconfig: args.text("kubeconfig") };
  return [
    {
      name: "the connection of the JobStore",
      open: ({ metadata: { namespace, name } }) =>
        throughJobStore({ by: "jobStore", namespace, name, ...cluster }, env),
    },
    ...(fromEnvironment ? [byUrlFrom(fromEnvironment, "DATABASE_URL")] : []),
  ];
}

async function contentOf(file: string, { stdin }: Terminal): Promise<string> {
  if (file === "-") return readAll(stdin);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Failure("invalidManifest", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function subjectOf(args: Arguments, terminal: Terminal, namespace: string): Promise<Subject> {
  const name = args.optional("NAME");
  const file = args.text("filename");
  if (file !== undefined) {
    return {
      text: await contentOf(file, terminal),
      file: file === "-" ? "standard input" : file,
      name,
      namespace,
      asked: args.text("namespace"),
      fieldManager: args.text("field-manager") ?? "kubectl",
    };
  }
  if (args.has("field-manager")) throw usageFailure("--field-manager goes with -f: what exists is not applied again");
  if (name !== undefined) return { namespace, name };
  throw usageFailure(
    "explain needs the name of a JobQueue, or a file with one",
    "Usage: jobqueue explain NAME | -f FILE",
  );
}

async function explanationOf(args: Arguments, terminal: Terminal): Promise<Explanation> {
  if (args.has("store")) throw usageFailure("explain takes no --store: the JobQueue names its JobStore");
  const options = { kubeconfig: args.text("kubeconfig"), context: args.text("context"), env: terminal.env };
  const cluster = await openCluster(options);
  try {
    const subject = await subjectOf(args, terminal, args.text("namespace") ?? cluster.namespace);
    const { client } = cluster;
    const signal = new AbortController().signal;
    return await explainJobQueue(subject, { client, ways: waysOf(args, terminal), clock: systemClock, signal });
  } catch (error) {
    if (!(error instanceof ExplainProblem)) throw clusterFailure(error, "the cluster cannot be asked");
    throw new Failure(EXITS[error.kind], error.message, { remedy: error.remedy, cause: error });
  } finally {
    await cluster.close();
  }
}

/** `jobqueue explain NAME | -f FILE`. */
export const run: RunVerb = async (args, terminal) => {
  const explanation = await explanationOf(args, terminal);
  printResult(args, terminal, {
    value: explanation,
    names: explanation.plan.map((step) => step.do),
    text: () => renderExplanation(explanation, terminal),
  });
  return 0;
};
