import { readFileSync } from "node:fs";
import { eventually } from "@jobqueue/test/support/eventually.ts";

/** Waits until a process runs nothing any more. One that nobody collects stays as a zombie for a while: that counts. */
export async function processGone(pid: number): Promise<void> {
  await eventually(
    `process ${pid} to be gone`,
    async () => {
      try {
        return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ") || undefined;
      } catch {
        return true;
      }
    },
    { timeoutMs: 5_000, everyMs: 10 },
  );
}
