import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { ADMIN_SERVER } from "../support/kubernetes/installation.ts";
import type { Resource } from "../support/kubernetes/kubectl.ts";
import { DEMO_NAMESPACE } from "./names.ts";
import { QUEUES, type Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** What both the dashboard and kubectl know of a queue. */
interface Counts {
  readonly pending: number;
  readonly running: number;
  readonly dead: number;
  readonly paused: boolean;
}

/** The dashboard's counts, as it gets them itself. */
interface Queues {
  readonly queues: readonly (Counts & { readonly queue: string })[];
}

/**
 * Opens the dashboard for a moment, with the tokens of somebody who may look and of somebody who may act, and compares what it
 * says with kubectl.
 */
export async function openDashboard(stage: Stage, story: Story): Promise<void> {
  const { kubectl } = stage;
  story.command("kubectl apply -f test/demo/people.yaml   # viewer has the role view, on-call has edit");
  story.say(await kubectl.apply(readFileSync(join(import.meta.dirname, "people.yaml"), "utf8")));
  const forward = await kubectl.portForward(`service/${ADMIN_SERVER}`, 8090);
  try {
    const url = `http://127.0.0.1:${forward.port}`;
    story.command(`kubectl -n ${DEMO_NAMESPACE} port-forward service/${ADMIN_SERVER} ${forward.port}:8090`);
    const page = await fetch(url);
    story.check("the dashboard is there", page.status === 200, `${page.headers.get("content-type")}`);
    const nobody = await fetch(`${url}/api/v1/queues`);
    story.check("nobody gets in without a token", nobody.status === 401, `status ${nobody.status}`);

    const viewer = await signIn(stage, "viewer");
    story.command(`TOKEN=$(kubectl -n ${DEMO_NAMESPACE} create token viewer)   # and likewise for on-call`);
    const refused = await act("PUT", url, viewer);
    const { error } = (await refused.json()) as { error?: string };
    story.check("viewer may not pause, and is told why", refused.status === 403, error ?? `status ${refused.status}`);

    const onCall = await signIn(stage, "on-call");
    const paused = await act("PUT", url, onCall);
    story.check("on-call may", paused.status === 200, `a hold on low, status ${paused.status}`);
    try {
      await compare(stage, story, url, viewer);
    } finally {
      const released = await act("DELETE", url, onCall);
      story.say(`on-call releases the hold again: status ${released.status}`);
    }
  } finally {
    await forward.stop();
  }
}

/** What a request carries that acts as one of the two. */
async function signIn({ kubectl }: Stage, account: string): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await kubectl.run("create", "token", account)).trim()}` };
}

/** Places the hold of the demo on the queue low, or releases it. */
async function act(method: "PUT" | "DELETE", url: string, headers: Record<string, string>): Promise<Response> {
  const body = method === "DELETE" ? {} : { body: JSON.stringify({ reason: "lunch", forSeconds: 600 }) };
  const type = method === "DELETE" ? {} : { "content-type": "application/json" };
  return fetch(`${url}/api/v1/queues/low/holds/lunch`, { method, headers: { ...headers, ...type }, ...body });
}

/** Says whether the dashboard shows what kubectl does, once the status has followed the store. */
async function compare({ kubectl }: Stage, story: Story, url: string, headers: Record<string, string>): Promise<void> {
  story.command(`curl -H "Authorization: Bearer $TOKEN" ${url}/api/v1/queues`);
  let [shown, told] = ["", ""];
  const same = await eventually("the dashboard and kubectl to agree", async () => {
    const answer = await fetch(`${url}/api/v1/queues`, { headers });
    if (answer.status !== 200) throw new Error(await answer.text());
    const { queues } = (await answer.json()) as Queues;
    shown = table(QUEUES.map((name) => [name, queues.find(({ queue }) => queue === name)]));
    const objects = await kubectl.list("jobqueues");
    told = table(QUEUES.map((name) => [name, countsOf(objects.find(({ metadata }) => metadata.name === name))]));
    return (shown === told && /low.*paused/.test(shown)) || undefined;
  }).catch(() => false);
  story.say(shown);
  story.check("viewer sees in the dashboard what kubectl says", same, same ? "all three queues" : `kubectl: ${told}`);
  story.command("kubectl get jobqueue low -o wide");
  story.say(await kubectl.run("get", "jobqueue", "low", "-o", "wide"));
}

/** What kubectl says of a JobQueue. */
function countsOf(queue: Resource | undefined): Counts | undefined {
  if (queue?.status?.jobs === undefined) return undefined;
  const conditions = queue.status.conditions as { readonly type: string; readonly status: string }[];
  const paused = conditions.some(({ type, status }) => type === "Paused" && status === "True");
  const { pending, running, dead } = queue.status.jobs as Counts;
  return { pending, running, dead, paused };
}

function table(rows: readonly (readonly [string, Counts | undefined])[]): string {
  const cells = rows.map(([name, counts]) =>
    counts === undefined
      ? `${name}: unknown`
      : `${name}: ${counts.pending} pending, ${counts.running} running, ${counts.dead} dead, ${counts.paused ? "paused" : "active"}`,
  );
  return cells.join("\n");
}
