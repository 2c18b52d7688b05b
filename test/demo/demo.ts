/**
 * `make demo`: the whole product on a real cluster, told step by step. Every run enqueues its own jobs, tagged with the
 * run, and checks them, so it can be repeated on the cluster it left behind. Exits non-zero when a promise did not hold.
 */
import { parseArgs } from "node:util";
import { Story } from "./story.ts";
import { Stage } from "./stage.ts";
import { enqueueDocuments, waitForRunning, waitUntilDone } from "./work.ts";
import { openDashboard } from "./dashboard.ts";
import { pauseAndResume } from "./pausing.ts";
import { killWorker } from "./killing.ts";
import { showTotals } from "./totals.ts";

parseArgs({ options: {} }); // the demo takes no arguments: say so instead of ignoring them
const story = new Story(9);

const stage = await story.step("a cluster, and the images", async () => Stage.prepare(story));
try {
  await story.step("Postgres, the operator and its dashboard by helm", async () => stage.install(story));
  await story.step("one store and three queues by kubectl apply", async () => stage.applyQuickstart(story));
  const enqueued = await story.step(
    "jobs on real files: Python checksums and compresses, TypeScript counts words",
    async () => {
      await stage.show(story, "before");
      const jobs = await enqueueDocuments(stage, story);
      await waitForRunning(stage);
      await stage.show(story, "during");
      await waitUntilDone(stage, jobs);
      await stage.show(story, "after");
      return jobs;
    },
  );
  const paused = await story.step("a pause from Git, kept while the operator is restarted, then a resume", async () =>
    pauseAndResume(stage, story),
  );
  const killed = await story.step("a worker killed with SIGKILL in the middle of a job", async () =>
    killWorker(stage, story),
  );
  await story.step("totals", async () => showTotals(stage, story, [...enqueued, ...paused, ...killed]));
  await story.step("the dashboard, opened with a token of the cluster", async () => openDashboard(stage, story));
  await story.step("what to look at next", async () => stage.nextSteps(story));
} finally {
  await stage.leave();
}
story.end();
