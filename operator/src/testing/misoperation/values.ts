/** Other values of a field, made from its schema: ones that may be right, of which the API server chooses, and one that is wrong. */
import type { Field } from "./fields.ts";

/** Texts of a form that a pattern or a rule asks for, by the last name of the field's path. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  cron: ["5 4 * * *"],
  timeZone: ["Europe/Paris"],
  fieldPath: ["metadata.name"],
  resource: ["requests.cpu", "limits.cpu"],
  pausedUntil: ["2037-01-01T00:00:00Z"],
  host: ["elsewhere.example"],
  medium: ["Memory", ""],
};

/** Values to try instead of the current one, in this order; `undefined`, the last one, takes the field away. */
export function otherValues({ path, schema }: Field, current: unknown): readonly unknown[] {
  return [...changed(path, schema, current), undefined].filter(
    (value) => JSON.stringify(value) !== JSON.stringify(current),
  );
}

function changed(path: string, schema: Field["schema"], current: unknown): readonly unknown[] {
  if (schema.enum) return schema.enum;
  if (schema["x-kubernetes-int-or-string"])
    return typeof current === "number" ? [current + 1, "30%"] : ["30%", "3Mi", 3];
  const { minimum = 0, maximum = Infinity } = schema;
  if (schema.type === "boolean") return [current !== true];
  if (schema.type === "integer") {
    return [Number(current) + 1, Number(current) - 1].filter((value) => value >= minimum && value <= maximum);
  }
  if (schema.type === "array") {
    const entries = current as readonly unknown[];
    return [[...entries, typeof entries[0] === "number" ? entries[0] + 7 : "extra"], entries.slice(1)];
  }
  if (schema.type === "object") return [{ ...(current as object), extra: "1" }];
  const name = path.slice(path.lastIndexOf(".") + 1);
  return [...(TEXTS[name] ?? []), `${String(current)}2`];
}

/** A value that no field of this type can have. */
export function wrongValue({ schema }: Field): unknown {
  return schema.type === "string" || schema["x-kubernetes-int-or-string"] ? { no: "text" } : "no such thing";
}
