import { readSources } from "./compose.ts";
import { crdText } from "./crd.ts";
import { reference } from "./reference.ts";
import { conditionType, kindTypes } from "./types.ts";

/** Every generated file, by its path from the root of the repository, with its text. */
export async function generateAll(): Promise<Map<string, string>> {
  const { kinds, fragments } = readSources();
  const outputs = new Map<string, string>();
  outputs.set("crds/src/generated/condition.ts", await conditionType(fragments));
  for (const source of kinds) {
    outputs.set(`crds/${source.plural}.yaml`, crdText(source, fragments));
    const file = source.kind === "JobQueue" ? "job-queue" : "job-store";
    outputs.set(`crds/src/generated/${file}.ts`, await kindTypes(source, fragments));
  }
  outputs.set("docs/reference/kinds.md", await reference(kinds, fragments));
  return outputs;
}
