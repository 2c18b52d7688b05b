import { SCHEMA_VERSION } from "@jobqueue/store";
import manifest from "../../package.json" with { type: "json" };
import { withStore } from "../connect/open-store.ts";
import { bundleOf } from "../doctor/bundle.ts";
import { examine } from "../doctor/examine.ts";
import { faultsOf } from "../doctor/faults.ts";
import { printResult } from "../output/result.ts";
import { renderYaml } from "../output/yaml.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue report`. */
export const run: RunVerb = async (args, terminal) => {
  const own = { version: manifest.version, schemaVersion: SCHEMA_VERSION, node: process.versions.node };
  const store = await withStore(args, terminal, async ({ database }) => ({
    faults: faultsOf(await examine(database)),
    store: await bundleOf(database),
  }));
  // Dates become text before YAML sees them.
  const value: unknown = JSON.parse(JSON.stringify({ command: { ...own, platform: process.platform }, ...store }));
  printResult(args, terminal, { value, names: store.faults.map(({ fault }) => fault), text: () => renderYaml(value) });
  return 0;
};
