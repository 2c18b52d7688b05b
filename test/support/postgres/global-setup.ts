import type { TestProject } from "vitest/node";
import { POSTGRES_MAJORS, PostgresServer } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the maintenance database of each server that tests run on, by name ("PostgreSQL 15"). */
    postgres: Record<string, string>;
  }
}

/** Starts one server per major for the whole run, or uses the one that DATABASE_URL names. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["DATABASE_URL"];
  if (given) {
    project.provide("postgres", { DATABASE_URL: given });
    return async () => {};
  }
  const servers = await Promise.all(POSTGRES_MAJORS.map((major) => PostgresServer.create(major)));
  project.provide(
    "postgres",
    Object.fromEntries(servers.map((server) => [`PostgreSQL ${server.major}`, server.url()])),
  );
  return async () => {
    await Promise.all(servers.map((server) => server.destroy()));
  };
}
