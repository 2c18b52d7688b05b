/** Handlers that do what tests need to see: wait for a file, block, ignore their abort, leave a promise alone. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker as Thread } from "node:worker_threads";
import { defineHandler, type JobContext } from "../index.ts";

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
  defineHandler("throw", () => {
    throw new TypeError("no such document");
  }),
  defineHandler("unstorable", () => ({ text: "a\u0000b" })),
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
