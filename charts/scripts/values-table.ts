import { format } from "prettier";
import { isMap, isScalar, parseDocument, type YAMLMap } from "yaml";

const BEGIN = "<!-- values: made from values.yaml by charts/scripts/sync-crds.ts -->";
const END = "<!-- end of values -->";

/** One value of the chart: where it is, what holds when nobody sets it, and what it does. */
export interface Value {
  /** Dotted path, such as `image.tag`. */
  readonly path: string;
  readonly default: unknown;
  readonly description: string;
}

/** The text of the comment lines from the one that starts with `--` on. */
function describe(comment: string | null | undefined): string | undefined {
  const lines = (comment ?? "").split("\n").map((line) => line.trim());
  const first = lines.findLastIndex((line) => line.startsWith("-- "));
  return first === -1 ? undefined : lines.slice(first).join(" ").slice(3).trim();
}

function collect(map: YAMLMap, prefix: string, found: Value[]): void {
  for (const [index, pair] of map.items.entries()) {
    if (!isScalar(pair.key)) throw new Error(`values.yaml: a key below '${prefix}' is not a word`);
    const path = `${prefix}${String(pair.key.value)}`;
    // The comment of the first key of a map belongs to the map, says the parser.
    const description = describe(pair.key.commentBefore ?? (index === 0 ? map.commentBefore : undefined));
    if (description !== undefined) {
      found.push({ path, default: (pair.value as { toJSON?: () => unknown } | null)?.toJSON?.(), description });
    } else if (isMap(pair.value)) {
      collect(pair.value, `${path}.`, found);
    } else {
      throw new Error(`values.yaml: ${path} has no comment that starts with "# -- "`);
    }
  }
}

/** Every value of a chart, in the order of the file. Throws when one is not described. */
export function valuesOf(values: string): Value[] {
  const document = parseDocument(values);
  if (document.errors[0]) throw document.errors[0];
  if (!isMap(document.contents)) throw new Error("values.yaml is not a map");
  const found: Value[] = [];
  collect(document.contents, "", found);
  return found;
}

/** The README with its table of values made anew. */
export async function withValuesTable(readme: string, values: string): Promise<string> {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the README has no place for the values: ${BEGIN} … ${END}`);
  const rows = valuesOf(values).map((value) => {
    const description = value.description.replaceAll("|", "\\|");
    return `| \`${value.path}\` | \`${JSON.stringify(value.default)}\` | ${description} |`;
  });
  const table = ["| value | default | what it does |", "|---|---|---|", ...rows].join("\n");
  const text = `${readme.slice(0, begin)}${BEGIN}\n\n${table}\n\n${readme.slice(end)}`;
  return format(text, { parser: "markdown", printWidth: 120 });
}
