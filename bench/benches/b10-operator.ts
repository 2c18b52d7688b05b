import type { Bench, Line } from "../bench.ts";
import { OperatorProcess } from "../operator/operator-process.ts";
import { Pauses, shownPauses } from "../operator/pauses.ts";
import type { BenchQueue } from "../operator/population.ts";
import { measureRest, type Rest } from "../operator/rest.ts";
import { Stage, USERS } from "../operator/stage.ts";
import { firstStart, restart, settled, type FirstStart, type Restart } from "../operator/starts.ts";

/** Queues that are paused while the operator is away; the last of them tells when a restart is over. */
const PAUSED_MEANWHILE = 20;

/** The operator with many queues, for each number of them in a cluster and in databases of its own. */
export const B10: Bench = {
  id: "B10",
  title: "the operator at scale",
  goal:
    "1,000 queues over 10 stores, 5,000 pods, 20,000 foreign pods and Secrets: RSS <= 150 MiB, 0 writes/s idle, pause held in " +
    "the store <= 250 ms p99, cold start <= 60 s; 10,000 queues: RSS <= 512 MiB",
  alone: true,
  run: async (setup) => {
    const { scale, server } = setup;
    await OperatorProcess.build();
    for (const user of Object.values(USERS)) await server.createUser(user);
    const lines: Line[] = [];
    for (const queues of scale.queues) lines.push(...(await Stage.with(setup, { ...scale, queues }, measure)));
    return lines;
  },
};

async function measure(stage: Stage): Promise<Line[]> {
  const { cluster, queues, setup, statuses, stores, population } = stage;
  const lines: Line[] = [];
  const tell = (variant: string, shown: string, raw: unknown): void => {
    stage.say(`${variant}: ${shown}`);
    const { stores: count, pods, foreign } = population;
    const settings = `${count} stores, ${pods} pods, ${foreign} foreign pods and Secrets`;
    lines.push({ bench: B10.id, contender: `${population.queues} queues`, settings, variant, shown, raw });
  };

  const { operator, start } = await firstStart(stage);
  tell("first start", shownStart(start), start);
  const rest = await measureRest(stage, operator, setup.scale.restSeconds);
  tell("at rest", shownRest(rest), { ...rest, peakMib: operator.peakMib() });

  const pauses = new Pauses(cluster, statuses, stores);
  const again = await restart(stage, operator, pauses, spreadOver(queues, PAUSED_MEANWHILE));
  tell("restart", shownRestart(again), again);

  const sampled = spreadOver(queues, setup.scale.pauses);
  const oneByOne = await pauses.oneByOne(sampled);
  tell(`${sampled.length} pauses one by one`, shownPauses(oneByOne), oneByOne);
  await pauses.resume(sampled);
  await settled(stage);
  const atOnce = await pauses.atOnce(sampled);
  tell(`${sampled.length} pauses at once`, shownPauses(atOnce), { pauses: atOnce, workers: await stage.beats() });
  return lines;
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const shownStart = ({
  leadsAfter,
  deployedAfter,
  readyAfter,
  requests,
  bytes,
  cpuSeconds,
  peakMib,
}: FirstStart): string =>
  `all Ready after ${readyAfter.toFixed(1)} s (leads after ${leadsAfter.toFixed(1)} s, last Deployment made after ${deployedAfter.toFixed(0)} s); ${requests.total} requests, ${requests.writes} of them writes, ` +
  `${mib(bytes.sent + bytes.received)}; ${cpuSeconds.toFixed(1)} s of CPU; RSS at most ${peakMib.toFixed(0)} MiB`;

function shownRest({ seconds, rssMib, cpu, requests, bytes, statements, tablesWritten, scrape }: Rest): string {
  const aMinute = (count: number): string => ((count / seconds) * 60).toFixed(0);
  return (
    `RSS ${rssMib.median.toFixed(0)} MiB (most ${rssMib.most.toFixed(0)}), CPU ${(cpu * 100).toFixed(1)} % of a core; ` +
    `in ${seconds.toFixed(0)} s ${requests.writes} writes to the API server, ${tablesWritten.length} tables written; ` +
    `a minute ${aMinute(requests.total - requests.leases)} requests and ${aMinute(requests.leases)} of the Lease, ${aMinute((bytes.sent + bytes.received) / 1024)} KiB; ` +
    `${(statements.calls / seconds).toFixed(1)} statements/s to the stores; a scrape ${(scrape.bytes / 1024).toFixed(0)} KiB in ${scrape.ms.toFixed(0)} ms`
  );
}

const shownRestart = ({ leadsAfter, pausedAfter, pauses, rssMib, peakMib }: Restart): string =>
  `${pauses} pauses made meanwhile show after ${pausedAfter.toFixed(1)} s (leads after ${leadsAfter.toFixed(1)} s); ` +
  `RSS then ${rssMib.toFixed(0)} MiB, at most ${peakMib.toFixed(0)} MiB`;

/** So many of the queues, from all over the list. */
function spreadOver(queues: readonly BenchQueue[], count: number): readonly BenchQueue[] {
  const some = Math.min(count, queues.length);
  const chosen = Array.from({ length: some }, (_, index) => queues[Math.floor((index * queues.length) / some)]);
  return chosen.filter((queue) => queue !== undefined);
}
