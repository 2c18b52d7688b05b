/** A string that YAML 1.1 and 1.2 readers both take for this very string without quotes. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*$/;
const RESERVED = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value) ?? "null";
  if (PLAIN.test(value) && !RESERVED.test(value)) return value;
  // A JSON string is a YAML double-quoted one, but for characters that YAML wants escaped and JSON does not.
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function block(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return ["[]"];
    return value.flatMap((item) => {
      const [first = "", ...rest] = block(item, `${indent}  `);
      return [`- ${first.trimStart()}`, ...rest].map((line, index) => (index === 0 ? `${indent}${line}` : line));
    });
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.length === 0) return ["{}"];
    return entries.flatMap(([key, item]) => {
      const nested = item !== null && typeof item === "object" && Object.keys(item).length > 0;
      if (!nested) return [`${indent}${scalar(key)}: ${block(item, "").join("")}`];
      return [`${indent}${scalar(key)}:`, ...block(item, Array.isArray(item) ? indent : `${indent}  `)];
    });
  }
  return [`${indent}${scalar(value)}`.trimStart()];
}

/** A JSON value as YAML, for `-o yaml`. Strings that a reader could take for something else are quoted. */
export function renderYaml(value: unknown): string {
  // What JSON makes of it first: dates become strings, what has no JSON form disappears.
  return `${block(JSON.parse(JSON.stringify(value)) as unknown, "").join("\n")}\n`;
}
