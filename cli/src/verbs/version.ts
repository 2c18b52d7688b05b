import { SCHEMA_VERSION } from "@jobqueue/store";
import manifest from "../../package.json" with { type: "json" };
import { printResult } from "../output/result.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue version`. */
export const run: RunVerb = async (args, terminal) => {
  const facts = { version: manifest.version, schemaVersion: SCHEMA_VERSION, node: process.versions.node };
  const options = { kubeconfig: args.text("kubeconfig"), context: args.text("context"), env: terminal.env };
  const cluster = args.on("cluster")
    ? await (await import("../connect/served-kinds.ts")).servedKinds(options)
    : undefined;
  printResult(args, terminal, {
    value: { ...facts, ...cluster },
    names: [facts.version],
    text: () => {
      const own = `jobqueue ${facts.version}, schema version ${facts.schemaVersion}, Node.js ${facts.node}`;
      if (!cluster) return own;
      const kinds = `${cluster.kinds.join(" and ")} of ${cluster.apiVersion}`;
      return `${own}\nKubernetes ${cluster.kubernetes} serves ${kinds} (${cluster.cluster})`;
    },
  });
  return 0;
};
