import { invalidInput } from "../errors.ts";

/** Most bytes that a payload or a result may have as JSON text. The SQL functions hold the same bound. */
export const MAX_JSON_BYTES = 1_048_576;
/** Deepest nesting of arrays and objects in a payload or a result. */
export const MAX_JSON_DEPTH = 100;

/**
 * JSON text of a payload or result, or an error that says what to change. Checked here and not only by the server
 * because `JSON.stringify` alters in silence what the handler would miss: `undefined` and functions vanish, NaN becomes
 * null, and U+0000 and lone surrogates are refused by Postgres in words that name no field.
 */
export function toJsonText(value: unknown, what: string): string {
  if (!isPlain(value, 0)) check(value, what, 0, new Set());
  const text = JSON.stringify(value);
  // A character has at most three bytes.
  const bytes = text.length > MAX_JSON_BYTES / 3 ? Buffer.byteLength(text) : 0;
  if (bytes > MAX_JSON_BYTES) {
    throw invalidInput(
      `${what} has ${bytes} bytes as JSON; at most ${MAX_JSON_BYTES} are stored. Put the data elsewhere and enqueue a reference to it`,
    );
  }
  return text;
}

/**
 * Whether a value surely passes `check`, which names what is wrong and pays for it: it keeps the path and the ancestors of
 * every value. Here a cycle just gets too deep.
 */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "string") return !value.includes("\u0000") && value.isWellFormed();
  if (typeof value === "number") {
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  }
  if (typeof value === "object" && value !== null) return depth < MAX_JSON_DEPTH && isPlainObject(value, depth);
  return value === null || typeof value === "boolean";
}

function isPlainObject(value: object, depth: number): boolean {
  if ("toJSON" in value) return false;
  if (Array.isArray(value)) {
    for (const element of value) if (!isPlain(element, depth + 1)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const [key, element] of Object.entries(value)) {
    if (!isPlain(key, depth) || (element !== undefined && !isPlain(element, depth + 1))) return false;
  }
  return true;
}

function check(value: unknown, path: string, depth: number, ancestors: Set<object>): void {
  switch (typeof value) {
    case "string":
      checkText(value, path);
      return;
    case "number":
      checkNumber(value, path);
      return;
    case "boolean":
      return;
    case "bigint":
      throw invalidInput(`${path} is a BigInt, which JSON cannot hold: send it as a string`);
    case "object":
      if (value !== null) checkObject(value, path, depth, ancestors);
      return;
    case "undefined":
    case "function":
    case "symbol":
      throw invalidInput(
        `${path} is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}, which JSON cannot hold: leave it out or send null`,
      );
  }
}

function checkText(value: string, path: string): void {
  if (value.includes("\u0000")) {
    throw invalidInput(
      `${path} contains the character U+0000, which Postgres cannot store: remove it, or send the bytes as base64`,
    );
  }
  if (!value.isWellFormed()) {
    throw invalidInput(`${path} contains half of a surrogate pair, so it is not text: send the bytes as base64`);
  }
}

function checkNumber(value: number, path: string): void {
  if (!Number.isFinite(value)) throw invalidInput(`${path} is ${value}, which JSON cannot hold: send null or a string`);
  // From 1e21 on numbers are written with an exponent, which nobody takes for an exact count.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) {
    throw invalidInput(`${path} is ${value}, beyond 2^53, where digits get lost: send it as a string`);
  }
}

function checkObject(value: object, path: string, depth: number, ancestors: Set<object>): void {
  if (depth >= MAX_JSON_DEPTH) throw invalidInput(`${path} is nested deeper than ${MAX_JSON_DEPTH} levels: flatten it`);
  if (ancestors.has(value)) throw invalidInput(`${path} contains itself: JSON cannot hold a cycle`);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    // Dates and the like: what counts is what they turn themselves into.
    check((toJSON as (key: string) => unknown).call(value, ""), path, depth + 1, ancestors);
    return;
  }
  ancestors.add(value);
  if (Array.isArray(value)) {
    value.forEach((element, index) => {
      check(element, `${path}[${index}]`, depth + 1, ancestors);
    });
    if (Object.keys(value).length < value.length)
      throw invalidInput(`${path} is an array with holes: fill them with null`);
  } else {
    if (value instanceof Map || value instanceof Set) {
      throw invalidInput(
        `${path} is a ${value.constructor.name}, which JSON turns into {}: send an array or an object`,
      );
    }
    for (const [key, element] of Object.entries(value)) {
      checkText(key, `a key of ${path}`);
      // A property that is undefined is left out by everyone who writes JSON by hand, so it is here.
      if (element !== undefined) check(element, `${path}.${key}`, depth + 1, ancestors);
    }
  }
  ancestors.delete(value);
}
