import type { TestProject } from "vitest/node";
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
  const server = await step("API server for tests", () => ApiServer.create({ audit: "Writes" }));
  project.provide("kubeconfig", server.kubeconfig);
  project.provide("auditLog", server.auditLog);
  return async () => {
    await server.destroy();
  };
}
