/** Handlers that do what tests need to see: wait for a file, block, ignore their abort, leave a promise alone. */
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker as Thread } from "node:worker_threads";
import { Database, parseStoreUrl } from "@jobqueue/store";
import { CancelledError, defineHandler, type JobContext, PermanentError } from "../index.ts";

/** Payload of the handlers that end when a file appears. */
interface UntilFile {
  readonly file: string;
}

async function fileExists(file: string, signal?: AbortSignal): Promise<void> {
  while (!existsSync(file)) await sleep(20, undefined, signal ? { signal } : {});
}

function started(context: JobContext): void {
  context.log.info({ token: context.fencingToken }, "started");
}

function blockLoop(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Payload of the handlers that write into a table of the test, in a transaction of their own. */
interface Entry {
  readonly name: string;
  /** When the transaction goes on to complete the job. */
  readonly file?: string;
  /** What happens after that. */
  readonly next?: "commit" | "roll back" | "throw after commit";
}

/** Writes an entry and completes the job with it, on a client as an application has one. */
async function record({ name, file, next = "commit" }: Entry, context: JobContext): Promise<void> {
  const database = new Database({
    connection: parseStoreUrl(process.env["DATABASE_URL"] ?? ""),
    applicationName: "handler",
    poolSize: 1,
  });
  try {
    await database.transaction(async (session) => {
      const client = {
        query: async (sql: string, values?: unknown[]) => ({ rows: await session.query(sql, values) }),
      };
      await client.query("insert into entries (name) values ($1)", [name]);
      if (file !== undefined) await fileExists(file);
      await context.complete(client, { entry: name });
      if (next === "roll back") throw new Error("rolled back");
    });
  } catch (error) {
    context.log.info({ error: (error as Error).name }, "rolled back");
    // A handler that forgets to tell: the worker must find out.
    if (next !== "roll back") throw error;
  } finally {
    await database.close();
  }
  if (next === "throw after commit") throw new Error("too late to matter");
}

// The only thread of a worker is its watchdog.
let watchdog: Thread | undefined;
process.on("worker", (thread) => {
  watchdog = thread;
});

export default [
  defineHandler("quick", (payload) => ({ echo: payload })),
  defineHandler<{ ms: number }>("sleep", async ({ ms }, { signal }) => {
    await sleep(ms, undefined, { signal });
    return { pid: process.pid };
  }),
  defineHandler<UntilFile>("wait", async ({ file }, context) => {
    started(context);
    context.signal.addEventListener("abort", () => {
      context.log.info({ reason: String(context.signal.reason) }, "aborted");
    });
    await fileExists(file, context.signal);
    return { pid: process.pid };
  }),
  defineHandler<UntilFile>("stubborn", async ({ file }, context) => {
    started(context);
    await fileExists(file);
    context.log.info({}, "returns");
    return { pid: process.pid };
  }),
  defineHandler<{ ms: number }>("block", ({ ms }, context) => {
    started(context);
    blockLoop(ms);
    return { pid: process.pid };
  }),
  defineHandler<UntilFile>("block-until", ({ file }, context) => {
    started(context);
    while (!existsSync(file)) blockLoop(20);
    return { pid: process.pid };
  }),
  defineHandler<{ values: readonly unknown[]; file: string }>("report", async ({ values, file }, context) => {
    for (const value of values) context.progress(value);
    started(context);
    await fileExists(file, context.signal);
    context.progress("the last");
  }),
  defineHandler<{ seconds: number; first: string }>("snooze-once", ({ seconds, first }, { snooze }) => {
    if (existsSync(first)) return "awake";
    writeFileSync(first, "");
    snooze(seconds);
    return "not kept";
  }),
  defineHandler("permanent", () => {
    throw new PermanentError("no such customer");
  }),
  defineHandler<Entry>("record", record),
  defineHandler("parent", async (_payload, { enqueue, traceparent, deadline }) => {
    const { id } = await enqueue({ queue: "default", kind: "child" });
    return { child: id, traceparent, secondsLeft: deadline && (deadline.getTime() - Date.now()) / 1000 };
  }),
  defineHandler("child", (_payload, { traceparent }) => ({ traceparent })),
  defineHandler<UntilFile>("cancellable", async ({ file }, context) => {
    started(context);
    try {
      await fileExists(file, context.signal);
    } catch (error) {
      const { reason } = context.signal as { reason: unknown };
      context.log.info(
        { cancelled: reason instanceof CancelledError, reason: (reason as Error).message },
        "asked to stop",
      );
      throw error;
    }
  }),
  defineHandler("throw", () => {
    throw new TypeError("no such document");
  }),
  defineHandler("unstorable", () => ({ text: "a\u0000b" })),
  defineHandler("bomb", () => {
    const hoard: unknown[] = [];
    for (;;) hoard.push(Array.from({ length: 10_000 }, () => Math.random()));
  }),
  defineHandler("stall-claim-loop", () => {
    // Timers that never fire: the claim loop waits for one, the event loop goes on turning.
    globalThis.setTimeout = Object.assign(() => ({}), { __promisify__: globalThis.setTimeout.__promisify__ }) as never;
  }),
  defineHandler("leave-rejection", async () => {
    void Promise.reject(new Error("nobody listens"));
    await sleep(10);
    return "done";
  }),
  defineHandler("throw-later", async (_payload, { signal }) => {
    setTimeout(() => {
      throw new Error("thrown in a callback");
    }, 10);
    await sleep(60_000, undefined, { signal });
  }),
  defineHandler("kill-watchdog", async () => {
    await watchdog?.terminate();
  }),
];
