import { tool } from "./binaries/binaries.ts";
import { KUBECONFIG } from "./checkout.ts";
import { type CommandOptions, run } from "./command.ts";

/** Runs kubectl against the cluster of this checkout and returns what it prints. */
export async function kubectl(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return run(await tool("kubectl"), ["--kubeconfig", KUBECONFIG, ...args], options);
}
