/**
 * How much a job costs in the store: enqueues, then claims and completes, on a server of its own and one connection, and
 * prints jobs per second and the processor time of the server process per job, which is the steadier of the two.
 *
 *   node store/scripts/measure-hot-path.ts [jobs] [rounds]
 *
 * `bench/` compares with others; this is for whoever changes a function of 000002, 000004 or 000005. Linux only.
 */
import { readFileSync } from "node:fs";
import { PostgresServer } from "../../test/support/postgres/server.ts";
import {
  claim,
  claimBatch,
  complete,
  Database,
  enqueueMany,
  migrate,
  parseStoreUrl,
  registerWorker,
} from "../src/index.ts";

const JOBS = Number(process.argv[2] ?? 50_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const BATCH = 1000;

/** Processor time of a process so far, in microseconds. */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

const server = await PostgresServer.create(15, { fsync: "on", full_page_writes: "on", shared_buffers: "512MB" });
const database = new Database({ connection: parseStoreUrl(server.url()), applicationName: "measure", poolSize: 1 });
try {
  await migrate(database);
  const workerId = await registerWorker(database, { bootId: "measure", leaseSeconds: 3600 });
  const [backend] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
  const pid = backend?.pid ?? 0;
  const measure = async (what: string, work: () => Promise<void>) => {
    const [from, used] = [performance.now(), cpuTime(pid)];
    await work();
    const rate = (JOBS / (performance.now() - from)) * 1000;
    process.stdout.write(
      `${what}: ${rate.toFixed(0)} jobs/s, ${((cpuTime(pid) - used) / JOBS).toFixed(1)} us/job in the server\n`,
    );
  };
  const enqueueAll = async () => {
    for (let index = 0; index < JOBS; index += 5 * BATCH) {
      await enqueueMany(
        database,
        Array.from({ length: 5 * BATCH }, (_, at) => ({ queue: "q", kind: "k", payload: { id: index + at } })),
      );
    }
  };
  const drain = async (take: (doneTokens: string[]) => Promise<readonly { id: string; leaseToken: string }[]>) => {
    for (let doneTokens: string[] = []; ;) {
      const jobs = await take(doneTokens);
      if (!jobs[0]) return;
      await complete(database, jobs);
      doneTokens = [jobs[0].leaseToken];
    }
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await measure("enqueue", enqueueAll);
    await measure("claim + complete", async () =>
      drain(async (doneTokens) => claim(database, { workerId, queues: ["q"], max: BATCH, doneTokens })),
    );
    await enqueueAll();
    await measure("claimBatch + complete", async () =>
      drain(
        async (doneTokens) => (await claimBatch(database, { workerId, queues: ["q"], max: BATCH, doneTokens })).jobs,
      ),
    );
  }
} finally {
  await database.close();
  await server.destroy();
}
