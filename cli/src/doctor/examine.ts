import {
  type Database,
  listHolds,
  listWorkers,
  oldSnapshots,
  queueStats,
  SCHEMA_VERSION,
  schemaVersion,
  serverFacts,
  storeSettings,
  vacuumFacts,
  vacuumTroubles,
  whyQueue,
} from "@jobqueue/store";
import type { Examined } from "./faults.ts";

/** Of so many queues with pending jobs it is asked why they do not run, those with most first. */
const MOST_ASKED = 20;

/** Looks at a store; changes nothing. Of a schema that does not fit, only its version is read. */
export async function examine(database: Database): Promise<Examined> {
  const asked = Date.now();
  const server = await serverFacts(database);
  const clockAheadMs = Math.round((asked + Date.now()) / 2 - server.now.getTime());
  const version = await schemaVersion(database);
  const facts = { schemaVersion: version, clockAheadMs, now: server.now };
  if (version !== SCHEMA_VERSION)
    return { ...facts, queues: [], holds: [], workers: [], settings: undefined, oldSnapshots: [], vacuumTroubles: [] };
  const stats = await queueStats(database);
  const asking = new Set(
    stats
      .filter(({ pending }) => pending > 0)
      .toSorted((a, b) => b.pending - a.pending)
      .slice(0, MOST_ASKED)
      .map(({ queue }) => queue),
  );
  const queues: Examined["queues"][number][] = [];
  for (const { queue, pending, stale, dead } of stats) {
    queues.push({ queue, pending, stale, dead, why: asking.has(queue) ? await whyQueue(database, queue) : [] });
  }
  return {
    ...facts,
    queues,
    holds: await listHolds(database),
    workers: await listWorkers(database),
    settings: await storeSettings(database),
    oldSnapshots: await oldSnapshots(database),
    vacuumTroubles: vacuumTroubles(await vacuumFacts(database)),
  };
}
