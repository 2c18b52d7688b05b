import type { TestProject } from "vitest/node";
import { tool } from "../../cluster/binaries/binaries.ts";
import { step } from "../../cluster/progress.ts";
import { ApiServer } from "./api-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of an admin kubeconfig of the API server that the whole run shares; each test file has its namespaces. */
    kubeconfig: string;
    /** Path of its audit log: who wrote what, without what was sent. */
    auditLog: string;
  }
}

/** Starts one API server for the whole run. Tests that stop theirs, or read its audit log, create their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Built here where it is missing: the tests of the chart would run out of time on a machine that has built nothing yet.
  await tool("helm");
  const server = await step("API server for tests", () => ApiServer.create({ audit: "Writes" }));
  project.provide("kubeconfig", server.kubeconfig);
  project.provide("auditLog", server.auditLog);
  return async () => {
    await server.destroy();
  };
}
