import { Problem } from "./problem.ts";
import { type Fields, isOptional, type Schema, WHOLE } from "./schema.ts";

/**
 * Turns the texts of path and query into the values that the schemas mean, and refuses everything else with words that say
 * what is allowed. Bodies are JSON and have their types already; those the framework checks, and `bodyProblem` finds the words.
 */
export function readTexts(
  texts: Readonly<Record<string, unknown>>,
  fields: Fields,
  place: "path" | "query",
): Record<string, unknown> {
  for (const name of Object.keys(texts)) {
    if (Object.hasOwn(fields, name)) continue;
    const allowed = Object.keys(fields);
    const what = allowed.length === 0 ? "This path has none." : `There are ${allowed.join(", ")}.`;
    throw new Problem("bad_request", `There is no parameter ${shown(name)}. ${what}`, {
      field: name.slice(0, 80),
      allowed,
    });
  }
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(fields)) {
    const given = texts[name];
    if (given === undefined) {
      if (schema["default"] !== undefined) values[name] = schema["default"];
      else if (!isOptional(schema))
        throw new Problem("bad_request", `The ${place} parameter ${name} is missing.`, { field: name });
      continue;
    }
    values[name] = readOne(name, given, schema);
  }
  return values;
}

function readOne(name: string, given: unknown, schema: Schema<unknown>): unknown {
  if (schema["type"] === "array") {
    const all = (Array.isArray(given) ? given : [given]).map(String);
    const texts = schema[WHOLE] === true ? all : all.flatMap((text) => text.split(","));
    const maximum = schema["maxItems"] as number | undefined;
    if (maximum !== undefined && texts.length > maximum)
      throw refuse(name, `has ${texts.length} values; at most ${maximum} are allowed`);
    return texts.map((text) => readText(name, text, schema["items"] as Schema<unknown>));
  }
  if (typeof given !== "string") throw refuse(name, "is there more than once; write it once");
  return readText(name, given, schema);
}

function readText(name: string, text: string, schema: Schema<unknown>): unknown {
  switch (schema["type"]) {
    case "integer": {
      const [minimum, maximum] = [schema["minimum"] as number, schema["maximum"] as number];
      const value = Number(text);
      if (!/^-?\d{1,15}$/.test(text) || value < minimum || value > maximum) {
        throw refuse(name, `is ${shown(text)}; write a whole number from ${minimum} to ${maximum}`);
      }
      return value;
    }
    case "boolean":
      if (text !== "true" && text !== "false")
        throw refuse(name, `is ${shown(text)}; write true or false`, ["true", "false"]);
      return text === "true";
    default:
      return checkText(name, text, schema);
  }
}

/** Longest text that is taken where the schema says nothing. */
const MAX_TEXT = 1024;

function checkText(name: string, text: string, schema: Schema<unknown>): string {
  const allowed = schema["enum"] as readonly string[] | undefined;
  if (allowed && !allowed.includes(text))
    throw refuse(name, `is ${shown(text)}; write one of ${allowed.join(", ")}`, allowed);
  const [shortest, longest] = [
    (schema["minLength"] as number | undefined) ?? 0,
    (schema["maxLength"] as number | undefined) ?? MAX_TEXT,
  ];
  const { length } = Array.from(text);
  if (length < shortest || length > longest)
    throw refuse(name, `has ${length} characters; it must have ${shortest} to ${longest}`);
  const pattern = schema["pattern"] as string | undefined;
  if (pattern !== undefined && !new RegExp(pattern, "u").test(text)) {
    const words = (schema["description"] ?? "") as string;
    // Some descriptions are the rule in words; the others are sentences.
    throw refuse(name, `is ${shown(text)}; ${/^[a-z]/.test(words) ? words : `it must match ${pattern}`}`);
  }
  // Postgres stores neither, and would say so in words of its own.
  if (text.includes("\0") || !text.isWellFormed()) throw refuse(name, "has a character that cannot be stored");
  return text;
}

function refuse(field: string, what: string, allowed?: readonly string[]): Problem {
  return new Problem("bad_request", `The parameter ${field} ${what}.`, { field, ...(allowed && { allowed }) });
}

/** A text of somebody else's, short and in quotes. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** One complaint of the framework's checker. */
export interface SchemaComplaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A complaint about a body, in words that say what is allowed. */
export function bodyProblem(complaint: SchemaComplaint): Problem {
  const at = complaint.instancePath.slice(1).replaceAll("/", ".");
  const { keyword, params } = complaint;
  const field = (name: string): string => (at === "" ? name : `${at}.${name}`);
  if (keyword === "required") {
    const name = field(String(params["missingProperty"]));
    return new Problem("bad_request", `The field ${name} is missing.`, { field: name });
  }
  if (keyword === "additionalProperties") {
    const name = field(String(params["additionalProperty"])).slice(0, 200);
    return new Problem("bad_request", `There is no field ${shown(name)}.`, { field: name });
  }
  const what = at === "" ? "The body" : `The field ${at}`;
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
    return new Problem("bad_request", `${what} must be one of ${allowed.join(", ")}.`, { field: at, allowed });
  }
  return new Problem("bad_request", `${what} ${complaint.message ?? "is not allowed"}.`, { field: at });
}
