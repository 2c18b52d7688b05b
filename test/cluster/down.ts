/** `make cluster-down`: removes the cluster of this checkout, and our engine when no other checkout uses it. */
import { rmSync } from "node:fs";
import { CLUSTER_DIRECTORY, CLUSTER_NAME } from "./checkout.ts";
import { usesCurrentContext } from "./current-context.ts";
import { releaseEngine, runningEngine } from "./engine/engine.ts";
import { deleteCluster } from "./kind.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

/** Removes what `up` made; does nothing where there is nothing. With CLUSTER=current the cluster is not ours: it stays. */
export async function down(): Promise<void> {
  await withLock(CLUSTER_NAME, "removing the cluster", async () => {
    const engine = usesCurrentContext() ? undefined : await runningEngine();
    if (engine) await step(`cluster ${CLUSTER_NAME} removed`, () => deleteCluster(engine));
    await releaseEngine(); // images may have been built with it, whatever the cluster
  });
  rmSync(CLUSTER_DIRECTORY, { recursive: true, force: true });
}

if (import.meta.main) {
  try {
    await down();
  } catch (error) {
    console.error(`\nmake cluster-down failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
