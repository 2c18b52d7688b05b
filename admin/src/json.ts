import type { Schema } from "./schema.ts";

/** How a value looks once it is JSON: instants are texts. */
export type Json<T> = T extends Date ? string : T extends object ? { readonly [K in keyof T]: Json<T[K]> } : T;

/**
 * The fields of a value that its schema names, and no others: what the store learns to say later is not told before it is in
 * the document.
 */
export function documented<T extends object>(schema: Schema<unknown>, value: T): Json<T> {
  const names = Object.keys(schema["properties"] ?? {});
  const fields = Object.entries(value).filter(([name]) => names.includes(name));
  return Object.fromEntries(fields) as Json<T>;
}

/** Says of a value what its readers will see; the conversion itself happens once, when the answer is written. */
export function asJson<T>(value: T): Json<T> {
  return value as Json<T>;
}
