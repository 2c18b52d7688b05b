import { format } from "prettier";
import { CONDITIONS, type ReasonMeaning } from "../src/conditions.ts";
import { API_VERSION, LABEL_POOL, LABEL_QUEUE, RESERVED_ENV, WORKER_CONTAINER } from "../src/names.ts";
import { resolve, type Fragments, type KindSource, type Rule, type Schema } from "./compose.ts";

/** A piece of text that other fields refer to by name instead of repeating its pattern: a Kubernetes name, a quantity. */
const FORMATS = ["object-name", "short-name", "data-key", "label-value", "label-key", "quantity", "queue-name", "time"];

/** Text of a field or a rule as Markdown that shows exactly it. */
const prose = (text: string): string => text.replaceAll(/[\\*_<`[\]]/g, "\\$&");
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const row = (...cells: string[]): string => `| ${cells.map(cell).join(" | ")} |`;
const table = (head: string[], rows: string[][]): string[] => [
  row(...head),
  row(...head.map(() => "---")),
  ...rows.map((cells) => row(...cells)),
  "",
];
const anchor = (title: string): string => `[${title}](#${title.toLowerCase()})`;

/** Writes the sections of docs/reference/kinds.md, one for each type, in the order in which fields lead to them. */
class Sections {
  readonly lines: string[] = [];
  readonly #fragments: Fragments;
  readonly #done = new Set<string>();
  #waiting: { title: string; schema: Schema }[] = [];

  constructor(fragments: Fragments) {
    this.#fragments = fragments;
  }

  /** The fields of an object, nested ones without a name of their own included, and its rules. */
  object(heading: string, schema: Schema): void {
    this.lines.push(heading, "", prose(schema.description ?? ""), "");
    const rows: string[][] = [];
    const rules: [string, Rule][] = [];
    this.#fields("", schema, rows, rules);
    if (rows.length > 0) this.lines.push(...table(["field", "type", "default", "bounds", "meaning"], rows));
    if (rules.length > 0) {
      this.lines.push("Refused with these words when they do not hold:", "");
      for (const [path, { message }] of rules)
        this.lines.push(`- ${path === "" ? "" : `\`${path}\`: `}${prose(message)}`);
      this.lines.push("");
    }
  }

  /** The types that the objects so far refer to, and those that these refer to. */
  referredTo(level: string): void {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.object(`${level} ${next.title}`, next.schema);
    }
  }

  #fields(prefix: string, schema: Schema, rows: string[][], rules: [string, Rule][]): void {
    for (const rule of schema["x-kubernetes-validations"] ?? []) {
      rules.push([(prefix + (rule.fieldPath?.slice(1) ?? "")).replace(/\.$/, ""), rule]);
    }
    for (const [name, source] of Object.entries(schema.properties ?? {})) {
      if (source === null) continue;
      const field = resolve(source, this.#fragments);
      const presence = schema.required?.includes(name) ? "required" : this.#default(field);
      rows.push([
        `\`${prefix}${name}\``,
        this.#type(source),
        presence,
        this.#bounds(source),
        prose(field.description ?? ""),
      ]);
      this.#children(`${prefix}${name}`, source, rows, rules);
    }
  }

  /** Fields and rules below a field, unless its type has a section of its own or its format is explained once for all. */
  #children(path: string, source: Schema, rows: string[][], rules: [string, Rule][]): void {
    const field = resolve(source, this.#fragments);
    if (field.title !== undefined) return;
    if (field.properties) {
      this.#fields(`${path}.`, field, rows, rules);
      return;
    }
    if (!this.#isFormat(source)) {
      for (const rule of field["x-kubernetes-validations"] ?? []) rules.push([path, rule]);
    } else if (source["x-kubernetes-validations"]) {
      for (const rule of source["x-kubernetes-validations"]) rules.push([path, rule]);
    }
    if (field.items) this.#children(`${path}[]`, field.items, rows, rules);
  }

  #isFormat(source: Schema): boolean {
    return source.$ref !== undefined && FORMATS.includes(source.$ref);
  }

  #default({ default: value }: Schema): string {
    return value === undefined ? "" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
  }

  #type(source: Schema): string {
    const schema = resolve(source, this.#fragments);
    if (schema.title !== undefined) {
      if (!this.#done.has(schema.title)) {
        this.#done.add(schema.title);
        this.#waiting.push({ title: schema.title, schema: this.#ownWords(source, schema) });
      }
      return anchor(schema.title);
    }
    if (schema.enum) return schema.enum.map((value) => `\`${String(value === "" ? '""' : value)}\``).join(", ");
    if (schema["x-kubernetes-int-or-string"]) return "number or text";
    if (schema.items) return `list of ${this.#type(schema.items)}`;
    if (typeof schema.additionalProperties === "object") return `map of ${this.#type(schema.additionalProperties)}`;
    return schema.format === "date-time" ? "time" : String(schema.type);
  }

  /** A type used in several places has no sentence of its own; those of its fields are about the places. */
  #ownWords(source: Schema, schema: Schema): Schema {
    if (source.$ref === undefined) return schema;
    const { description: _, ...rest } = schema;
    const own = this.#fragments[source.$ref]?.description;
    return own === undefined ? rest : { ...rest, description: own };
  }

  #bounds(source: Schema): string {
    const schema = resolve(source, this.#fragments);
    const between = (low: number | undefined, high: number | undefined, unit: string): string[] => {
      if (low === undefined && high === undefined) return [];
      if (low === undefined) return [`at most ${high}${unit}`];
      return [high === undefined ? `${low}${unit} or more` : `${low} to ${high}${unit}`];
    };
    const list = schema["x-kubernetes-list-map-keys"];
    return [
      ...(this.#isFormat(source) ? [`[${source.$ref}](#formats)`] : []),
      ...between(schema.minimum, schema.maximum, ""),
      ...(this.#isFormat(source) ? [] : between(schema.minLength, schema.maxLength, " characters")),
      ...between(schema.minItems, schema.maxItems, " items"),
      ...between(undefined, schema.maxProperties, " entries"),
      ...(list ? [`merged by ${list.join(" and ")}`] : []),
    ].join(", ");
  }
}

function conditions(kind: KindSource["kind"]): string[] {
  const types: Readonly<Record<string, Readonly<Record<string, ReasonMeaning>>>> = CONDITIONS[kind];
  const rows = Object.entries(types).flatMap(([type, reasons]) =>
    Object.entries(reasons).map(([reason, { status, actor, meaning }]) => [
      type,
      status.join(" or "),
      reason,
      actor,
      prose(meaning),
    ]),
  );
  return table(["condition", "status", "reason", "who acts", "meaning"], rows);
}

function kindSections(source: KindSource, fragments: Fragments): string[] {
  const sections = new Sections(fragments);
  const { kind, plural, shortName, columns, scale } = source;
  const names = `\`kubectl get ${plural}\`, in short \`kubectl get ${shortName}\`; \`kubectl explain ${kind.toLowerCase()}.spec\` has the same text.`;
  sections.lines.push(`## ${kind}`, "", source.description, "", names, "");
  if (scale)
    sections.lines.push(
      `\`kubectl scale\`, an HPA and KEDA read and write \`${scale.specReplicasPath.slice(1)}\`.`,
      "",
    );
  const rules = source.validations.map(
    ({ fieldPath, message }) => `- \`${(fieldPath ?? "").slice(1)}\`: ${prose(message)}`,
  );
  sections.lines.push("Refused with these words when they do not hold:", "", ...rules, "");
  const { title: _spec, ...spec } = source.spec;
  const { title: _status, ...status } = source.status;
  sections.object(`### ${kind}: spec`, spec);
  sections.referredTo("####");
  sections.object(`### ${kind}: status`, status);
  sections.referredTo("####");
  sections.lines.push(`### ${kind}: conditions`, "", ...conditions(kind));
  sections.lines.push(`### ${kind}: columns`, "", "Wide columns appear with `-o wide`.", "");
  sections.lines.push(
    ...table(
      ["column", "wide", "what it shows"],
      columns.map(({ name, priority, description }) => [
        name.toUpperCase(),
        priority ? "wide" : "",
        prose(description),
      ]),
    ),
  );
  return sections.lines;
}

function formats(fragments: Fragments): string[] {
  const rows = FORMATS.map((name) => {
    const { pattern, minLength, maxLength, "x-kubernetes-validations": rules } = resolve({ $ref: name }, fragments);
    const length = `${minLength === undefined ? "at most " : `${minLength} to `}${maxLength} characters`;
    const words = rules?.map(({ message }) => prose(message)).join("; ");
    return [name, length, words ?? (pattern === undefined ? "" : `\`${pattern}\``)];
  });
  return ["## Formats", "", ...table(["name", "length", "form"], rows)];
}

/** docs/reference/kinds.md: every field, default, bound, rule, condition and reason, taken from the sources. */
export async function reference(kinds: readonly KindSource[], fragments: Fragments): Promise<string> {
  const reserved = [...RESERVED_ENV.prefixes.map((prefix) => `${prefix}*`), ...RESERVED_ENV.names].map(
    (name) => `\`${name}\``,
  );
  const lines = [
    '<!-- Made by crds/scripts/generate.ts from crds/src/schema/ and crds/src/conditions.ts; run "make generate". -->',
    "",
    "# The kinds",
    "",
    `Both are namespaced, in \`${API_VERSION}\`. Examples: \`crds/examples/\`.`,
    "",
    ...kinds.flatMap((source) => kindSections(source, fragments)),
    "## Names the operator uses",
    "",
    `Labels on the Deployment and the pods of a pool: \`${LABEL_QUEUE}\` (the queue in the store) and \`${LABEL_POOL}\``,
    `(the JobQueue), beside \`app.kubernetes.io/name\`, \`instance\`, \`component\`, \`managed-by\` and \`part-of\`.`,
    "",
    `Environment variables it sets in the container \`${WORKER_CONTAINER}\`, and which a template cannot set: ${reserved.join(", ")}.`,
    "",
    ...formats(fragments),
  ];
  return format(lines.join("\n"), { parser: "markdown", printWidth: 120 });
}
