import { run } from "../cluster/command.ts";
import { kubectlFor } from "../support/kubernetes/installation.ts";
import { DEMO_NAMESPACE } from "./names.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** Enqueues jobs with the `jobqueue` command; `{i}` in the payload counts from 1. Returns their ids. */
async function enqueue(
  stage: Stage,
  story: Story,
  queue: string,
  kind: string,
  payload: string,
  count: number,
): Promise<string[]> {
  const output = await stage.jobqueue(
    story,
    "enqueue",
    queue,
    kind,
    "--payload",
    payload,
    "--count",
    String(count),
    "--tag",
    stage.run,
    "-o",
    "name",
  );
  const ids = output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^job\//, ""));
  if (ids.length !== count) throw new Error(`asked for ${count} jobs, was told of ${ids.length}: ${output}`);
  return ids;
}

/** Several hundred jobs on real files, in all three queues and two languages. */
export async function enqueueDocuments(stage: Stage, story: Story): Promise<string[]> {
  return [
    ...(await enqueue(stage, story, "low", "document.compress", '{"document": {i}}', 120)),
    ...(await enqueue(stage, story, "default", "document.words", '{"document": {i}}', 150)),
    ...(await enqueue(stage, story, "high", "document.compress", '{"document": {i}, "rounds": 5}', 60)),
  ];
}

/** Jobs for the queue `default`, enough for a pause to fall in the middle of them. */
export async function enqueueWords(stage: Stage, story: Story, count: number): Promise<string[]> {
  return enqueue(stage, story, "default", "document.compress", '{"document": {i}, "rounds": 3}', count);
}

/** One job that takes some ten seconds: every round compresses the document, one of the larger ones, once more. */
export async function enqueueArchive(stage: Stage, story: Story): Promise<string[]> {
  return enqueue(stage, story, "high", "document.compress", '{"path": "fast-check.md", "rounds": 4000}', 1);
}

/** Waits until some of this run's jobs run. */
export async function waitForRunning(stage: Stage): Promise<void> {
  await stage.until("jobs to run", async (store) => {
    const [row] = await store.query("select 1 from jobqueue.job_history where tag = $1 limit 1", [stage.run]);
    return row;
  });
  // The counts in the status are at most a few seconds behind; the table is worth looking at once they have caught up.
  await stage.kubectl.run("wait", "--for=jsonpath={.status.jobs}", "jobqueue/high", "jobqueue/low", "--timeout=30s");
}

/** Waits until every one of these jobs is in the history. */
export async function waitUntilDone(stage: Stage, ids: readonly string[]): Promise<void> {
  await stage.until(
    `${ids.length} jobs to be done`,
    async (store) => {
      const [row] = await store.query<{ done: number }>(
        "select count(distinct id)::int as done from jobqueue.job_history where id = any($1::bigint[])",
        [ids],
      );
      return row?.done === ids.length ? true : undefined;
    },
    300_000,
  );
}

/** Has the checksums that the jobs reported compared with the documents, by the image's own checker in a worker pod. */
export async function checkResults(stage: Stage, story: Story): Promise<void> {
  const store = await stage.store();
  const rows = await store.query<{ result: unknown }>(
    "select result from jobqueue.job_history where tag = $1 and kind = 'document.compress' and state = 10",
    [stage.run],
  );
  const [pod] = await kubectlFor(stage.access, DEMO_NAMESPACE).list("pods", "jobqueue.dev/pool=low");
  if (pod === undefined) throw new Error("the pool of low has no pod");
  const input = rows.map(({ result }) => JSON.stringify(result)).join("\n");
  let verdict = "all agree";
  try {
    await run(
      stage.access.kubectl,
      ["--namespace", DEMO_NAMESPACE, "exec", "-i", pod.metadata.name, "--", "/handlers/documents", "check"],
      { input: `${input}\n`, env: { KUBECONFIG: stage.access.kubeconfig } },
    );
  } catch (error) {
    verdict = error instanceof Error ? error.message : String(error);
  }
  story.check(`${rows.length} results kept, their checksums those of the documents`, verdict === "all agree", verdict);
}
