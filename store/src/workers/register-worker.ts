import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** What a worker says about itself once, when it registers. */
export interface WorkerFacts {
  /** New for every process, and after every lost lease. */
  readonly bootId: string;
  readonly podUid?: string | undefined;
  /** Name of the container within the pod; `worker` when absent. */
  readonly container?: string | undefined;
  readonly pod?: string | undefined;
  readonly namespace?: string | undefined;
  readonly node?: string | undefined;
  readonly hostname?: string | undefined;
  readonly pid?: number | undefined;
  readonly ppid?: number | undefined;
  readonly image?: string | undefined;
  readonly runAs?: string | undefined;
  readonly cluster?: string | undefined;
  readonly version?: string | undefined;
  /** "namespace/name" of the JobQueue whose pool it belongs to. */
  readonly pool?: string | undefined;
  readonly queues?: readonly string[] | undefined;
  /** Kinds it has handlers for; absent: it does not say, or takes all. */
  readonly kinds?: readonly string[] | undefined;
  /** Number of slots. */
  readonly concurrency?: number | undefined;
  /** Seconds a lease lasts without a heartbeat; 1 to 3600, 30 when absent. */
  readonly leaseSeconds?: number | undefined;
}

/**
 * Registers a worker and returns its id; its lease starts now. Earlier incarnations of the same container of the same
 * pod, or of the same boot id, are marked gone: what they hold is stale at once.
 */
export async function registerWorker(session: Session, facts: WorkerFacts): Promise<string> {
  const rows = await session.query<{ id: string }>(
    `select ${quoteIdentifier(session.schema)}.register_worker($1::jsonb) as id`,
    [
      JSON.stringify({
        boot_id: facts.bootId,
        pod_uid: facts.podUid,
        container: facts.container,
        pod: facts.pod,
        namespace: facts.namespace,
        node: facts.node,
        hostname: facts.hostname,
        pid: facts.pid,
        ppid: facts.ppid,
        image: facts.image,
        run_as: facts.runAs,
        cluster: facts.cluster,
        version: facts.version,
        pool: facts.pool,
        queues: facts.queues,
        kinds: facts.kinds,
        concurrency: facts.concurrency,
        lease_seconds: facts.leaseSeconds,
      }),
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new TypeError("the store returned no worker id");
  return id;
}

/** Marks a worker gone: it holds nothing any more, or what it holds is stale at once. */
export async function deregisterWorker(session: Session, workerId: string): Promise<void> {
  await session.query(`select ${quoteIdentifier(session.schema)}.deregister_worker($1)`, [workerId]);
}
