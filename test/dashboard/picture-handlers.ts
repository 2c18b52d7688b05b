/** Handlers of the jobs in the pictures: they do what such jobs do, quickly. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineHandler, PermanentError } from "@jobqueue/worker";

export default [
  defineHandler<{ ms: number }>("mail.welcome", async ({ ms }, { signal }) => {
    await sleep(ms, undefined, { signal });
    return { accepted: true };
  }),
  defineHandler<{ until: string }>("report.build", async ({ until }, { signal, progress }) => {
    progress({ page: 12, of: 40 });
    while (!existsSync(until)) await sleep(50, undefined, { signal });
  }),
  defineHandler<{ customer: number }>("invoice.render", ({ customer }) => {
    const error = new TypeError(`the template "invoice" has no field "vat" (customer ${customer})`);
    // Where it was thrown is a path of the machine that takes the picture.
    error.stack = String(error);
    throw error;
  }),
  defineHandler<{ file: string }>("image.resize", ({ file }) => {
    throw new PermanentError(`${file} is no image`);
  }),
];
