/**
 * Builds the Go programs that tests of an API server and of a cluster are made of, where they are missing: some ten minutes
 * on a new machine. `make test` runs it beside its first levels, with what these leave of the processors (test/run.ts).
 *
 *   node test/cluster/binaries/ahead.ts
 */
import { controlPlanePrograms, nodePrograms, tool } from "./binaries.ts";
import { buildProgram } from "./go.ts";

await controlPlanePrograms();
await buildProgram("kwok"); // the bench of the operator at scale runs among the first tests of an API server
await tool("helm");
// With a registry the nodes may come from there (node-image/node-image.ts).
if (process.env["REGISTRY"] === "none" && !process.env["NODE_IMAGE"]) {
  await tool("kind");
  await nodePrograms();
}
