/** Handlers of the jobs in the runbooks: they have the trouble that the runbook is about, until it is mended. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineHandler, PermanentError } from "@jobqueue/worker";

/** What is mended once a file is there. */
interface UntilMended {
  readonly mended: string;
}

export default [
  defineHandler<UntilMended>("welcome", ({ mended }) => {
    if (!existsSync(mended)) throw new PermanentError("the relay refused the connection");
  }),
  defineHandler<UntilMended>("import", async ({ mended }, { signal }) => {
    while (!existsSync(mended)) await sleep(20, undefined, { signal });
  }),
  // Takes its worker down, as one that needs more memory than there is does.
  defineHandler<UntilMended>("render", ({ mended }) => {
    if (!existsSync(mended)) process.kill(process.pid, "SIGKILL");
  }),
];
