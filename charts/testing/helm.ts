import { join } from "node:path";
import { tool } from "../../test/cluster/binaries/binaries.ts";
import { CommandError, run } from "../../test/cluster/command.ts";

/** The chart in this repository. */
export const CHART = join(import.meta.dirname, "../jobqueue-operator");

/** `helm template` asks no cluster, so it is told what clusters of today serve. */
const CAPABILITIES = [
  "--kube-version",
  "1.34.0",
  "--api-versions",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
];

/** Runs helm, optionally against a cluster, with values given as `path=value` or as a file's text on standard input. */
export async function helm(
  args: readonly string[],
  options: { kubeconfig?: string; input?: string } = {},
): Promise<string> {
  return run(await tool("helm"), args, {
    env: { KUBECONFIG: options.kubeconfig ?? "/nonexistent" },
    ...(options.input === undefined ? {} : { input: options.input }),
  });
}

/** The manifests that the chart makes of values (an object), for release `jobs` in namespace `jobs-system`. */
export async function render(values: object = {}): Promise<string> {
  return helm(["template", "jobs", CHART, "--namespace", "jobs-system", ...CAPABILITIES, "--values", "-"], {
    input: JSON.stringify(values),
  });
}

/** What helm says when it refuses values. */
export async function refusalOf(values: object): Promise<string> {
  try {
    await render(values);
  } catch (error) {
    if (error instanceof CommandError) return error.stderr;
    throw error;
  }
  throw new Error("helm accepted the values");
}
