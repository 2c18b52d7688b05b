import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** A schema in the words of OpenAPI v3 and of Kubernetes, before or after `$ref` has been replaced. */
export interface Schema {
  $ref?: string;
  title?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema | null>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  default?: unknown;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  tsType?: string;
  "x-kubernetes-validations"?: Rule[];
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-preserve-unknown-fields"?: true;
}

/** A CEL rule, with the sentence that is shown when it does not hold. */
export interface Rule {
  rule: string;
  message: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** One of the two kinds, as `src/schema/jobqueue.yaml` and `jobstore.yaml` describe it. */
export interface KindSource {
  kind: "JobQueue" | "JobStore";
  plural: string;
  shortName: string;
  description: string;
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
  columns: { name: string; type: string; jsonPath: string; description: string; priority?: number }[];
  selectableFields?: string[];
  validations: Rule[];
  spec: Schema;
  status: Schema;
}

/** Pieces of schema by name, for `$ref`. */
export type Fragments = Readonly<Record<string, Schema>>;

/** Where the sources are. */
const SOURCES = join(import.meta.dirname, "../src/schema");

function read(file: string): unknown {
  // Duplicate keys are errors for this parser: two rules for one field cannot hide each other.
  return parse(readFileSync(join(SOURCES, file), "utf8"));
}

/** Reads all sources. Throws when two files define a fragment of the same name. */
export function readSources(): { kinds: KindSource[]; fragments: Fragments } {
  const fragments: Record<string, Schema> = {};
  for (const file of ["fragments.yaml", "pod-template.yaml"]) {
    for (const [name, schema] of Object.entries(read(file) as Record<string, Schema>)) {
      if (fragments[name]) throw new Error(`${file}: the fragment ${name} exists already`);
      fragments[name] = schema;
    }
  }
  return { kinds: [read("jobstore.yaml"), read("jobqueue.yaml")] as KindSource[], fragments };
}

/**
 * Puts the piece that `$ref` names in its place, one level deep: keys beside `$ref` replace those of the piece, the
 * entries of `properties` are merged one by one, an entry that is null is taken away. Throws when there is no such piece.
 */
export function resolve(schema: Schema, fragments: Fragments): Schema {
  if (schema.$ref === undefined) return schema;
  const fragment = fragments[schema.$ref];
  if (!fragment) throw new Error(`there is no fragment named ${schema.$ref}`);
  const { $ref: _, properties, ...beside } = schema;
  const base = resolve(fragment, fragments);
  const merged: Schema = { ...base, ...beside };
  if (base.properties || properties) merged.properties = { ...base.properties, ...properties };
  return merged;
}

/** Order of the keys of a schema in the result, so that text comes before bounds and bounds before children. */
const KEY_ORDER = [
  "type",
  "description",
  "format",
  "default",
  "enum",
  "required",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "maxProperties",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
  "additionalProperties",
  "properties",
  "items",
  "x-kubernetes-validations",
] as const satisfies readonly (keyof Schema)[];

/** The whole schema, every `$ref` replaced, `title` (which only names TypeScript types) left out, keys in a fixed order. */
export function compose(source: Schema, fragments: Fragments): Schema {
  const { title: _, tsType: __, ...schema } = resolve(source, fragments);
  const unknown = Object.keys(schema).filter((key) => !(KEY_ORDER as readonly string[]).includes(key));
  if (unknown.length > 0) throw new Error(`unknown words in a schema: ${unknown.join(", ")}`);
  const composed: Schema = Object.fromEntries(
    KEY_ORDER.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]),
  );
  const children = Object.entries(schema.properties ?? {}).filter(
    (entry): entry is [string, Schema] => entry[1] !== null,
  );
  if (schema.properties) {
    composed.properties = Object.fromEntries(children.map(([name, child]) => [name, compose(child, fragments)]));
  }
  if (schema.items) composed.items = compose(schema.items, fragments);
  if (typeof schema.additionalProperties === "object") {
    composed.additionalProperties = compose(schema.additionalProperties, fragments);
  }
  return composed;
}
