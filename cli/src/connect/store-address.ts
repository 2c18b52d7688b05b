import type { Arguments } from "../arguments.ts";
import { usageFailure } from "../failure.ts";
import { NEEDS_DATABASE } from "../flag-groups.ts";

/** Where the store is, as the command line and the environment say. */
export type StoreAddress =
  | { readonly by: "url"; readonly url: string; readonly schema: string; readonly from: "--store-url" | "DATABASE_URL" }
  | {
      readonly by: "jobStore";
      readonly name: string;
      /** Absent: that of the context. */
      readonly namespace: string | undefined;
      readonly context: string | undefined;
      readonly kubeconfig: string | undefined;
    };

/** Flags that name a database, by its URL or through a JobStore. */
export const DATABASE_FLAGS = ["store-url", "schema", "store", "namespace", "context", "kubeconfig"] as const;

/** Flags that say "through a JobStore". */
const THROUGH_CLUSTER = ["store", "namespace", "context", "kubeconfig"] as const;

/**
 * What was asked for is stronger than what happens to be in the environment: --store-url, then the flags of a cluster,
 * then DATABASE_URL, then the JobStore `default` of the current context. Contradictions are refused, not resolved.
 */
export function storeAddress(args: Arguments, env: Readonly<Record<string, string | undefined>>): StoreAddress {
  const url = args.text("store-url");
  const schema = args.text("schema");
  const cluster = THROUGH_CLUSTER.find((name) => args.text(name) !== undefined);
  if (url !== undefined && cluster !== undefined) {
    throw usageFailure(`--store-url and --${cluster} are two ways to name a store`, "Give one of them.");
  }
  const schemaOfUrl = schema ?? (env["JOBQUEUE_SCHEMA"] || "jobqueue");
  if (url !== undefined) return { by: "url", url, schema: schemaOfUrl, from: "--store-url" };
  const fromEnvironment = env["DATABASE_URL"];
  if (cluster === undefined && fromEnvironment) {
    return { by: "url", url: fromEnvironment, schema: schemaOfUrl, from: "DATABASE_URL" };
  }
  if (cluster === undefined && schema === undefined && env["JOBQUEUE_ADMIN_URL"]) {
    throw usageFailure(
      "this works on the database itself, and JOBQUEUE_ADMIN_URL names an admin API, which cannot do it",
      NEEDS_DATABASE,
    );
  }
  if (schema !== undefined) throw usageFailure("--schema goes with --store-url: a JobStore says its schema itself");
  return {
    by: "jobStore",
    name: args.text("store") ?? "default",
    namespace: args.text("namespace"),
    context: args.text("context"),
    kubeconfig: args.text("kubeconfig"),
  };
}
