/**
 * Entry of the watchdog thread. It shares nothing with the main thread but one block of memory, has its own connections
 * to the database, and outlives a blocked event loop, which it ends with the process. Bundlers: this file is an entry
 * point of its own; see `thread-file.ts`.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Database, heartbeat, StoreError } from "@jobqueue/store";
import { killPrograms, writePostMortem } from "./post-mortem.ts";
import { Renewal } from "./renewal.ts";
import { SharedFacts } from "./shared-facts.ts";
import type { WatchdogInput, WatchdogMessage } from "./thread-protocol.ts";

/** How long the main thread may take to exit with a code of its own before it is killed. */
const EXIT_GRACE_MS = 1_000;

const input = workerData as WatchdogInput;
const facts = SharedFacts.on(input.facts);
// A heartbeat must fail early enough to be tried again twice within the lease.
const timeoutMs = Math.min(5_000, Math.max(500, input.leaseMs / 4));
const database = new Database({
  connection: input.connection,
  schema: input.schema,
  applicationName: input.applicationName,
  poolSize: 2,
  connectTimeoutMs: timeoutMs,
  statementTimeoutMs: timeoutMs,
  queryTimeoutMs: timeoutMs,
  idleTimeoutMs: Math.max(30_000, input.leaseMs),
});

function tell(message: WatchdogMessage): void {
  parentPort?.postMessage(message);
}

const renewal = new Renewal(facts, input.limits, {
  beat: (workerId, progress) => heartbeat(database, workerId, progress),
  cancelled: (workerId) => {
    tell({ type: "cancelled", workerId });
  },
  drained: (workerId, drained) => {
    tell({ type: "drained", workerId, drained });
  },
  due: (workerId, due) => {
    tell({ type: "due", workerId, due });
  },
  lost: (workerId) => {
    tell({ type: "lost", workerId });
  },
  renewalFailed: (error) => {
    tell({
      type: "renewal failed",
      error: error instanceof Error ? error.message : String(error),
      code: error instanceof StoreError ? error.code : "internal",
    });
  },
  hung: (reason) => {
    writePostMortem(reason, facts);
    killPrograms(facts);
    tell({ type: "hung", reason });
    setTimeout(() => process.kill(process.pid, "SIGKILL"), EXIT_GRACE_MS);
  },
});

parentPort?.once("message", () => {
  // The only command is to stop.
  void (async () => {
    await renewal.stop();
    await database.close();
    parentPort?.close();
  })();
});
await renewal.start();
tell({ type: "started" });
