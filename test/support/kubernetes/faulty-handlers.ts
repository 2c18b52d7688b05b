/** Handlers with which a worker goes wrong in the ways the product is made for, run in real pods by the tests. */
import { setTimeout as sleep } from "node:timers/promises";
import { defineHandler } from "@jobqueue/worker";

export default [
  /** Takes its time, and stops when it is told to. */
  defineHandler<{ seconds: number }>("sleep", async ({ seconds }, { signal }) => {
    await sleep(seconds * 1_000, undefined, { signal });
    return { slept: seconds };
  }),

  /** Blocks the event loop, as a loop without an end or a synchronous call does; this one needs no processor for it. */
  defineHandler<{ seconds: number }>("block", async ({ seconds }) => {
    await sleep(0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1_000);
    return { blocked: seconds };
  }),

  /** Waits for an answer that never comes, without a limit, deaf to its signal. */
  defineHandler("wait-for-ever", async () => new Promise(() => setInterval(() => undefined, 60_000))),
];
