import { readFile } from "node:fs/promises";
import { usageFailure } from "../failure.ts";
import { remark, type Terminal } from "../terminal.ts";
import type { AdminAddress } from "./admin-address.ts";
import { AdminApi } from "./admin-api.ts";
import { adminFailure } from "./admin-failure.ts";
import { adminJobs } from "./admin-jobs.ts";
import { adminQueues } from "./admin-queues.ts";
import { adminSchedules } from "./admin-schedules.ts";
import { type InJson, withInstants } from "./instants.ts";
import type { Source } from "./source.ts";

type AuditEvent = Awaited<ReturnType<Source["listAuditEvents"]>>[number];
type Worker = Awaited<ReturnType<Source["listWorkers"]>>[number];

const auditEvent = withInstants<AuditEvent>({ at: true });
const worker = withInstants<Worker>({
  startedAt: true,
  heartbeatAt: true,
  leaseUntil: true,
  drainSince: true,
  goneAt: true,
});

/** Hands `work` the source that is the admin API. Who acts is who the key belongs to, whatever the verb says. */
export async function throughAdminApi<Result>(
  address: AdminAddress,
  terminal: Terminal,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  const api = new AdminApi({
    url: address.url,
    key: await keyOf(address),
    ca: address.caFile === undefined ? undefined : await read(address.caFile, "certificates of the admin API"),
    timeoutMs: address.timeoutSeconds * 1000,
  });
  try {
    return await work(sourceOf(api, terminal));
  } catch (error) {
    throw adminFailure(error, address);
  } finally {
    api.close();
  }
}

/** All that verbs ask, asked of the API. */
function sourceOf(api: AdminApi, terminal: Terminal): Source {
  return {
    ...adminJobs(api),
    ...adminQueues(api, (text) => remark(terminal, text)),
    ...adminSchedules(api),
    listAuditEvents: async ({ afterId, ...filter } = {}) => {
      const query = { ...filter, after: afterId };
      return (await api.ask<{ events: InJson<AuditEvent>[] }>("GET", "audit", { query })).events.map(auditEvent);
    },
    listWorkers: async (query = {}) =>
      (await api.ask<{ workers: InJson<Worker>[] }>("GET", "workers", { query: { ...query } })).workers.map(worker),
    now: async () => new Date((await api.ask<{ now: string }>("GET", "store")).now),
  };
}

async function keyOf({ key, keyFile }: AdminAddress): Promise<string | undefined> {
  const from = keyFile === undefined ? "JOBQUEUE_API_KEY" : `the file ${keyFile}`;
  const found = (keyFile === undefined ? key : await read(keyFile, "key of the admin API"))?.trim();
  // What a header cannot carry is no key, and must not be shown: it may be the key and something else.
  if (found !== undefined && !/^[\u0021-\u007e]{1,8192}$/.test(found)) {
    throw usageFailure(`${from} has no key in it`, "A key is one word, as `jobqueue api-key create` prints it.");
  }
  return found;
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw usageFailure(`the file of the ${what} cannot be read: ${(cause as Error).message}`);
  }
}
