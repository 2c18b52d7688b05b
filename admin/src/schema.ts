/**
 * JSON Schemas that know the TypeScript type of what they accept. One schema serves three purposes: the server checks
 * requests by it, the OpenAPI document shows it, and handlers get their types from it.
 */

/** A JSON Schema (2020-12, as OpenAPI 3.1 has it) of values of type `T`. */
export interface Schema<T> {
  readonly [keyword: string]: unknown;
  /** Never set: carries the type. */
  readonly accepts?: T;
}

/** The type of what a schema accepts. */
export type Of<S> = S extends Schema<infer T> ? T : never;

/** Properties of an object by name; a schema made with `optional` may be absent. */
export type Fields = Readonly<Record<string, Schema<unknown>>>;

type OptionalKeys<F> = { [K in keyof F]: undefined extends Of<F[K]> ? K : never }[keyof F];

/** The type of an object with these fields. */
export type ObjectOf<F> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Of<F[K]>;
} & { readonly [K in OptionalKeys<F>]?: Exclude<Of<F[K]>, undefined> | undefined };

interface Words {
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

/** Text. `maxLength` counts characters. */
export const text = (
  words: Words & { readonly pattern?: string; readonly minLength?: number; readonly maxLength?: number } = {},
): Schema<string> => ({ type: "string", ...words });

/** A whole number within bounds; in a query digits only, so `1e3` is none. */
export const integer = (
  words: Words & { readonly minimum: number; readonly maximum: number; readonly default?: number },
): Schema<number> => ({ type: "integer", ...words });

/** Any finite number. */
export const decimal = (
  words: Words & { readonly minimum?: number; readonly maximum?: number } = {},
): Schema<number> => ({
  type: "number",
  ...words,
});

/** `true` or `false`. */
export const flag = (words: Words & { readonly default?: boolean } = {}): Schema<boolean> => ({
  type: "boolean",
  ...words,
});

/** One of a closed set. */
export const oneOf = <const T extends string>(
  values: readonly T[],
  words: Words & { readonly default?: T } = {},
): Schema<T> => ({ type: "string", enum: values, ...words });

/** A list; in a query the parameter may be repeated, or its values separated by commas. */
export const list = <T>(
  items: Schema<T>,
  words: Words & { readonly minItems?: number; readonly maxItems?: number } = {},
): Schema<readonly T[]> => ({ type: "array", items, ...words });

/** A list whose values may have commas in them: in a query the parameter is repeated. */
export const listOfWhole = <T>(...of: Parameters<typeof list<T>>): Schema<readonly T[]> => ({
  ...list(...of),
  [WHOLE]: true,
});

/** An object with exactly these fields: others are refused, and never answered. */
export const object = <const F extends Fields>(fields: F, words: Words = {}): Schema<ObjectOf<F>> => ({
  type: "object",
  properties: Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, withoutMark(schema)])),
  required: Object.entries(fields).flatMap(([name, schema]) => (isOptional(schema) ? [] : [name])),
  additionalProperties: false,
  ...words,
});

/** Names and values, all of one kind. */
export const record = <T>(
  values: Schema<T>,
  words: Words & { readonly maxProperties?: number } = {},
): Schema<Readonly<Record<string, T>>> => ({ type: "object", additionalProperties: values, ...words });

/** Anything JSON can hold. */
export const anything = (words: Words = {}): Schema<unknown> => ({ ...words });

/** May be `null`. */
export const nullable = <T>(schema: Schema<T>): Schema<T | null> => {
  if (typeof schema["type"] !== "string") return { anyOf: [schema, { type: "null" }] };
  const allowed = schema["enum"] as readonly unknown[] | undefined;
  return { ...schema, type: [schema["type"], "null"], ...(allowed && { enum: [...allowed, null] }) };
};

/** May be absent. */
export const optional = <T>(schema: Schema<T>): Schema<T | undefined> => ({ ...schema, [OPTIONAL]: true });

/** With other words in the document; for schemas that many routes share. */
export const described = <T>(schema: Schema<T>, description: string): Schema<T> => ({ ...schema, description });

/** An instant with its zone (RFC 3339). */
export const instant = (words: Words = {}): Schema<string> => ({
  type: "string",
  format: "date-time",
  examples: ["2030-01-31T08:00:00Z"],
  ...words,
});

/** Marks what `optional` made; taken off before a schema leaves this file. */
const OPTIONAL = "x-optional";

/** Marks what `listOfWhole` made; it stays in the document, for those who read it. */
export const WHOLE = "x-whole-values";

/** Whether a field may be absent. */
export function isOptional(schema: Schema<unknown>): boolean {
  return schema[OPTIONAL] === true;
}

/** A schema as the document and the checker want it. */
export function withoutMark(schema: Schema<unknown>): Schema<unknown> {
  const { [OPTIONAL]: _mark, ...rest } = schema;
  return rest;
}
