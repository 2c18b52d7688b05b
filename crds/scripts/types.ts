import { compile, type JSONSchema } from "json-schema-to-typescript";
import { format } from "prettier";
import { resolve, type Fragments, type KindSource, type Schema } from "./compose.ts";

const BANNER = '// Made by crds/scripts/generate.ts from crds/src/schema/; change those and run "make generate".\n';

/** Fragments whose type has a file of its own, because both kinds use it. */
const SHARED: Readonly<Record<string, string>> = { Condition: "./condition.ts" };

/**
 * A schema for json-schema-to-typescript: a piece with a title stays a reference to the type of that name, a field with
 * a default is always there once the API server has stored the object, a number-or-text is what it says.
 */
class TypeSchemas {
  readonly definitions: Record<string, JSONSchema> = {};
  readonly imports = new Set<string>();
  readonly #fragments: Fragments;

  constructor(fragments: Fragments) {
    this.#fragments = fragments;
  }

  convert(source: Schema): JSONSchema {
    const schema = resolve(source, this.#fragments);
    const { title } = schema;
    if (title === undefined) return this.#plain(schema);
    if (SHARED[title]) {
      this.imports.add(`import type { ${title} } from "${SHARED[title]}";`);
    } else if (!this.definitions[title]) {
      this.definitions[title] = {}; // holds the place, so that types appear in the order of the fields
      // The sentence beside a `$ref` is about that field; the type keeps the sentence of the piece itself.
      this.definitions[title] = { title, ...this.#plain(this.#withoutFieldText(source, schema)) };
    }
    return { ...(schema.description && { description: schema.description }), tsType: title };
  }

  #withoutFieldText(source: Schema, schema: Schema): Schema {
    if (source.$ref === undefined || source.description === undefined) return schema;
    const { description: _, ...rest } = schema;
    const own = this.#fragments[source.$ref]?.description;
    return own === undefined ? rest : { ...rest, description: own };
  }

  #plain(schema: Schema): JSONSchema {
    const converted: JSONSchema = {};
    if (schema.description) converted.description = describe(schema);
    if (schema.tsType) converted.tsType = schema.tsType;
    if (schema.enum) converted.enum = schema.enum as string[];
    if (schema["x-kubernetes-int-or-string"]) converted.type = ["integer", "string"];
    else if (schema.type) converted.type = schema.type as "object";
    if (schema.items) converted.items = this.convert(schema.items);
    if (schema.properties) {
      const entries = Object.entries(schema.properties).filter((entry): entry is [string, Schema] => entry[1] !== null);
      converted.properties = Object.fromEntries(entries.map(([name, child]) => [name, this.convert(child)]));
      const defaulted = entries.filter(([, child]) => resolve(child, this.#fragments).default !== undefined);
      converted.required = [...new Set([...(schema.required ?? []), ...defaulted.map(([name]) => name)])];
    }
    converted.additionalProperties =
      typeof schema.additionalProperties === "object" ? this.convert(schema.additionalProperties) : false;
    return converted;
  }
}

/** The sentence of a field, and its bounds, which `kubectl explain` does not show but an editor can. */
function describe(schema: Schema): string {
  const bounds = [
    schema.minimum !== undefined && `minimum ${schema.minimum}`,
    schema.maximum !== undefined && `maximum ${schema.maximum}`,
    schema.maxLength !== undefined && `at most ${schema.maxLength} characters`,
    schema.maxItems !== undefined && `at most ${schema.maxItems} items`,
  ].filter((bound) => bound !== false);
  const text = (schema.description ?? "").replaceAll("*/", "*\\/");
  return bounds.length === 0 ? text : `${text} (${bounds.join(", ")})`;
}

async function print(name: string, root: JSONSchema, converter: TypeSchemas, imports: string[]): Promise<string> {
  const text = await compile({ ...root, title: name, definitions: converter.definitions }, name, {
    additionalProperties: false,
    bannerComment: "",
    format: false,
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
  });
  const formatted = await format([BANNER, ...imports, "", text].join("\n"), { parser: "typescript", printWidth: 120 });
  return (
    formatted
      // Where the tool found a definition says nothing to a reader; a comment of one sentence needs one line.
      .replaceAll(/( \*\n)? \* This interface was referenced by [^\n]*\n \* via the `definition` [^\n]*\n/g, "")
      .replaceAll(/^\/\*\*\n \*\/\n/gm, "")
      .replaceAll(/\/\*\*\n *\* ([^\n]*)\n *\*\//g, "/** $1 */")
      .replaceAll(/^(\}|;)\n(?=\/\*\*|export)/gm, "$1\n\n")
  );
}

/** The TypeScript types of a kind as it comes from the API server: defaults filled in, metadata complete. */
export async function kindTypes(source: KindSource, fragments: Fragments): Promise<string> {
  const converter = new TypeSchemas(fragments);
  const root: JSONSchema = {
    type: "object",
    description: source.description,
    additionalProperties: false,
    required: ["apiVersion", "kind", "metadata", "spec"],
    properties: {
      apiVersion: { tsType: "typeof API_VERSION" },
      kind: { tsType: `"${source.kind}"` },
      metadata: { tsType: "ObjectMeta" },
      spec: converter.convert(source.spec),
      status: converter.convert(source.status),
    },
  };
  const imports = [
    'import type { API_VERSION } from "../names.ts";',
    'import type { ObjectMeta } from "../object-meta.ts";',
    ...converter.imports,
  ];
  return print(source.kind, root, converter, imports);
}

/** The type of a condition, which both kinds share. */
export async function conditionType(fragments: Fragments): Promise<string> {
  const converter = new TypeSchemas(fragments);
  const { title: _, ...condition } = fragments["condition"] as Schema;
  return print("Condition", converter.convert(condition), converter, []);
}
