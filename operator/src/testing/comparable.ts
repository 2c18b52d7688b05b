/** Objects and texts without what differs between two runs of the same: identities, times, names of namespaces. */
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";

/** Fields that no two runs share. */
const UNCOMPARED_FIELDS = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "managedFields",
  "lastTransitionTime",
  "lastUpdateTime",
  // Tells, as an event does, what the operator that wrote it has just done. One that dies before it has told leaves that to
  // the audit trail, which is compared.
  "lastRecovery",
]);

/** Makes the function that takes out of a text what no two runs share; `own`: this run's own texts, and what stands for them. */
export function maskOf(own: Readonly<Record<string, string>>): (text: string) => string {
  const texts = Object.entries(own);
  return (text) =>
    texts
      .reduce((masked, [text_, name]) => masked.replaceAll(text_, name), text)
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?/g, "TIME")
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID")
      .replaceAll(/@[0-9a-f]{8}\b/g, "@UID")
      // Of what names the namespace.
      .replaceAll(/("jobqueue\.dev\/applied-hash": ?)"[0-9a-f]+"/g, '$1"HASH"')
      .replaceAll(/("template_hash": ?)"[0-9a-z]+"/g, '$1"HASH"')
      .replaceAll(/-workers-[0-9a-f]{6,10}-[a-z0-9]{5}\b/g, "-workers-POD");
}

/** An object without fields that no two runs share. A Deployment's status is its controller's, and as late as that likes. */
export function comparable(object: KubeObject): unknown {
  const { kind, status, ...rest } = object;
  const ours = kind === "Deployment" || kind === undefined ? undefined : status;
  return without({ ...rest, ...(ours === undefined ? {} : { status: ours }) });
}

function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([field]) => !UNCOMPARED_FIELDS.has(field));
  return Object.fromEntries(
    kept.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([field, inner]) => [field, without(inner)]),
  );
}

/** The lines of one text that are not in the other, with a sign before each. */
export function differenceOf(wanted: string, seen: string): string {
  const minus = (a: string, b: string, sign: string): string[] => {
    const left = b.split("\n");
    return a.split("\n").flatMap((line) => {
      const at = left.indexOf(line);
      if (at < 0) return [`${sign} ${line}`];
      left.splice(at, 1);
      return [];
    });
  };
  return [...minus(wanted, seen, "-"), ...minus(seen, wanted, "+")].join("\n");
}
