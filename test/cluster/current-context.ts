import { writeFileSync } from "node:fs";
import { tool } from "./binaries/binaries.ts";
import { createClusterDirectory, KUBECONFIG } from "./checkout.ts";
import { CommandError, run } from "./command.ts";
import { kubectl } from "./kubectl.ts";

/** `CLUSTER=current` uses the cluster of the person's current kubectl context, and starts nothing. */
export function usesCurrentContext(): boolean {
  const wanted = process.env["CLUSTER"] || "kind";
  if (wanted === "kind" || wanted === "current") return wanted === "current";
  throw new Error(`CLUSTER is ${wanted}; it may be kind (the default) or current`);
}

/** Copies the current context into the kubeconfig of this checkout, after asking its API server; returns its name. */
export async function adoptCurrentContext(): Promise<string> {
  const program = await tool("kubectl");
  let config: string;
  try {
    config = await run(program, ["config", "view", "--minify", "--flatten", "--raw"]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error("CLUSTER=current, but kubectl has no current context (kubectl config current-context)", {
      cause: error,
    });
  }
  createClusterDirectory();
  writeFileSync(KUBECONFIG, config, { mode: 0o600 });
  await kubectl(["version", "--request-timeout=10s"]);
  return (await kubectl(["config", "current-context"])).trim();
}
