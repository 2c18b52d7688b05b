/**
 * Whether a live object still has what was applied to it. Live objects have more: defaults, fields of others, containers
 * that admission injected. So only what we said is looked for.
 */

/** Fields by which the API server merges lists of objects; the first one all entries have is the key. */
const MERGE_KEYS = ["name", "containerPort", "mountPath", "topologyKey", "uid"] as const;

type Json = unknown;

/**
 * Path of the first thing in `wanted` that `live` does not have, or `undefined`. Quantities are compared as text, so "0.5"
 * differs from the "500m" it is stored as: whoever asks must know when the live object was last written by himself.
 */
export function firstDifference(wanted: Json, live: Json, path = ""): string | undefined {
  if (Array.isArray(wanted)) return Array.isArray(live) ? listDifference(wanted, live, path) : path;
  if (typeof wanted !== "object" || wanted === null) return wanted === live ? undefined : path;
  if (typeof live !== "object" || live === null) return isEmpty(wanted) && live === undefined ? undefined : path;
  for (const [key, value] of Object.entries(wanted)) {
    const found = firstDifference(value, (live as Record<string, Json>)[key], path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The API server drops empty objects and lists in some places and keeps them in others. */
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

function listDifference(wanted: readonly Json[], live: readonly Json[], path: string): string | undefined {
  const key = MERGE_KEYS.find((candidate) =>
    wanted.every((entry) => typeof entry === "object" && entry !== null && candidate in entry),
  );
  if (key === undefined && wanted.length !== live.length) return path;
  for (const [position, entry] of wanted.entries()) {
    const at = key === undefined ? String(position) : String((entry as Record<string, Json>)[key]);
    const other =
      key === undefined
        ? live[position]
        : live.find((one) => (one as Record<string, Json>)[key] === (entry as Record<string, Json>)[key]);
    const found = firstDifference(entry, other, `${path}[${at}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}
