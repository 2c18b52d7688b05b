/** The fields of a spec, as its CRD has them, and where they are in a manifest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PLURALS, type Kind } from "@jobqueue/crds";
import { parse } from "yaml";

/** A node of an OpenAPI schema, as far as it matters here. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly "x-kubernetes-int-or-string"?: boolean;
}

/** A field that has no fields of its own: `schedules[].cron`. */
export interface Field {
  readonly path: string;
  readonly schema: Schema;
}

/** All fields of the spec of a kind. */
export function specFields(kind: Kind): readonly Field[] {
  const text = readFileSync(join(import.meta.dirname, `../../../../crds/${PLURALS[kind]}.yaml`), "utf8");
  const crd = parse(text) as { spec: { versions: { schema: { openAPIV3Schema: Schema } }[] } };
  const spec = crd.spec.versions[0]?.schema.openAPIV3Schema.properties?.["spec"];
  if (!spec) throw new Error(`the CRD of ${kind} has no spec`);
  return fieldsOf(spec, "");
}

function fieldsOf(schema: Schema, path: string): Field[] {
  const inner = Object.entries(schema.properties ?? {});
  if (inner.length > 0) return inner.flatMap(([name, of]) => fieldsOf(of, path === "" ? name : `${path}.${name}`));
  if (schema.type === "array" && schema.items?.properties) return fieldsOf(schema.items, `${path}[]`);
  return [{ path, schema }];
}

/** Where something is in a manifest: names of fields and places in lists. */
export type Pointer = readonly (string | number)[];

/** The first place of a field in a spec. */
export function locate(spec: unknown, path: string): Pointer | undefined {
  const search = (value: unknown, steps: readonly string[], at: Pointer): Pointer | undefined => {
    const [step, ...rest] = steps;
    if (step === undefined) return value === undefined ? undefined : at;
    if (typeof value !== "object" || value === null) return undefined;
    const name = step.replace("[]", "");
    const found = (value as Record<string, unknown>)[name];
    if (!step.endsWith("[]")) return search(found, rest, [...at, name]);
    for (const [index, entry] of (Array.isArray(found) ? found : []).entries()) {
      const pointer = search(entry, rest, [...at, name, index]);
      if (pointer) return pointer;
    }
    return undefined;
  };
  return search(spec, path.split("."), []);
}

/** What is at a place. */
export function valueAt(spec: unknown, pointer: Pointer): unknown {
  return pointer.reduce<unknown>((value, step) => (value as Record<string | number, unknown>)[step], spec);
}

/** The spec with another value at a place; `undefined` takes the field away. */
export function withValue<Spec>(spec: Spec, pointer: Pointer, value: unknown): Spec {
  const copy = structuredClone(spec);
  const parent = valueAt(copy, pointer.slice(0, -1)) as Record<string | number, unknown>;
  const last = pointer.at(-1);
  if (last === undefined) throw new Error("a pointer leads somewhere");
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}
