import {
  type Database,
  jobCounts,
  listHolds,
  listSchedules,
  listWorkers,
  oldSnapshots,
  queuePolicies,
  queueStats,
  SCHEMA_VERSION,
  schemaVersion,
  serverFacts,
  storeSettings,
  vacuumFacts,
} from "@jobqueue/store";

/** Counting every job reads them all; without the counts a bundle is still worth having. */
const COUNT_MS = 10_000;

/**
 * What somebody who helps needs to know of a store. It is put together from what is listed here and from nothing else: no payload,
 * result, error, label or unique key of a job, no options of a schedule, no words of the audit trail, no address and no credential.
 * Names of queues, kinds, schedules, hosts and people who hold queues are in it, and the reasons they gave.
 */
export async function bundleOf(database: Database): Promise<Readonly<Record<string, unknown>>> {
  const server = await serverFacts(database);
  const installed = await schemaVersion(database);
  const schema = { installed: installed ?? null, wanted: SCHEMA_VERSION };
  if (installed !== SCHEMA_VERSION) return { server, schema };
  const counts = await database
    .transaction(async (session) => jobCounts(session), { timeoutMs: COUNT_MS })
    .catch(() => `not counted within ${COUNT_MS / 1000} s`);
  return {
    server,
    schema,
    settings: await storeSettings(database),
    queues: await queueStats(database),
    policies: Object.fromEntries(await queuePolicies(database)),
    counts,
    holds: await listHolds(database),
    workers: await listWorkers(database, { includeGone: true }),
    schedules: (await listSchedules(database, { payloads: false })).map((one) => ({
      ...one,
      payload: undefined,
      options: undefined,
    })),
    oldSnapshots: await oldSnapshots(database),
    vacuum: await vacuumFacts(database),
  };
}
