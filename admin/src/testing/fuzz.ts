/** Values for schemas, good and bad, from a seed: the same seed makes the same requests. */
import type { Fields, Schema } from "../schema.ts";

/** A random number generator of 32 bits (mulberry32), small and repeatable. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** Names of things that are there, by the name of a parameter or field: what random texts would never hit. */
export type Known = Readonly<Record<string, readonly string[]>>;

/** What is sent where a schema says what would be right. */
const NASTY: readonly unknown[] = [
  "",
  " ",
  "null",
  "RUNNING'--",
  "'; drop table jobs;--",
  "$$",
  "../../etc/passwd",
  "1e3",
  "-1",
  "0x10",
  "9007199254740993",
  "99999999999999999999999999",
  "1.5",
  "NaN",
  "true",
  "__proto__",
  "constructor",
  "a\u0000b",
  "a\nb",
  "\u001b[31mred",
  "💩",
  "\u202egnirts",
  "<script>alert(1)</script>",
  "*",
  "x".repeat(5000),
  "infinity",
  "10000-01-01T00:00:00Z",
  "2030-13-45T99:99:99Z",
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  2 ** 53,
  [],
  [[]],
  [null],
  {},
  { __proto__: 1 },
  { a: { b: { c: "d" } } },
];

/** Any JSON. */
function anyJson(random: Random, depth = 0): unknown {
  const leaf = random.pick<unknown>([null, true, 0, -1.5, "text", "💩", "", 1e21]);
  if (depth > 3 || random.next() < 0.5) return leaf;
  if (random.next() < 0.5) return Array.from({ length: random.below(4) }, () => anyJson(random, depth + 1));
  return Object.fromEntries(Array.from({ length: random.below(4) }, (_, n) => [`k${n}`, anyJson(random, depth + 1)]));
}

/** A value that a schema accepts, as far as it says what that is. */
export function goodValue(name: string, schema: Schema<unknown>, known: Known, random: Random): unknown {
  const allowed = schema["enum"] as readonly unknown[] | undefined;
  if (allowed) return random.pick(allowed);
  if (Array.isArray(schema["anyOf"]))
    return goodValue(name, random.pick(schema["anyOf"] as Schema<unknown>[]), known, random);
  const type = Array.isArray(schema["type"])
    ? random.pick(schema["type"] as string[])
    : (schema["type"] as string | undefined);
  const [minimum, maximum] = [
    (schema["minimum"] as number | undefined) ?? 0,
    (schema["maximum"] as number | undefined) ?? 1000,
  ];
  switch (type) {
    case "integer":
      return random.pick([minimum, maximum, minimum + random.below(Math.min(maximum - minimum, 1000) + 1)]);
    case "number":
      return minimum + random.next() * Math.min(maximum - minimum, 1000);
    case "boolean":
      return random.next() < 0.5;
    case "array": {
      const length = Math.max((schema["minItems"] as number | undefined) ?? 0, random.below(3));
      return Array.from({ length }, () => goodValue(name, schema["items"] as Schema<unknown>, known, random));
    }
    case "object":
      return goodObject(schema, known, random);
    case "string":
      return goodText(name, schema, known, random);
    case "null":
      return null;
    case undefined:
    default:
      return anyJson(random);
  }
}

function goodObject(schema: Schema<unknown>, known: Known, random: Random): Record<string, unknown> {
  const required = (schema["required"] ?? []) as readonly string[];
  const entries = Object.entries((schema["properties"] ?? {}) as Fields)
    .filter(([name]) => required.includes(name) || random.next() < 0.3)
    .map(([name, field]) => [name, goodValue(name, field, known, random)] as const);
  return Object.fromEntries(entries);
}

function goodText(name: string, schema: Schema<unknown>, known: Known, random: Random): string {
  const candidates = [...(known[name] ?? []), ...((schema["examples"] ?? []) as string[])];
  if (candidates.length > 0) return random.pick(candidates);
  if (schema["format"] === "date-time") return "2999-01-31T08:00:00Z";
  return random.pick(["a", "some-text", "z9"]);
}

/** A value that is probably wrong. */
export function badValue(random: Random): unknown {
  return random.pick(NASTY);
}

/** A text in a URL: nasty ones, some that no encoder would make. */
export function badText(random: Random): string {
  if (random.next() < 0.15) return random.pick(["%zz", "%", "%ED%A0%80", "%C3", "%2e%2e%2f", "%00"]);
  const value = badValue(random);
  return encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value)).slice(0, 6000);
}
