/**
 * Whether a live object still has what was applied to it. Live objects have more: defaults, fields of others, containers
 * that admission injected. So only what we said is looked for, as far as the API server keeps it as it was said.
 */
import { sameQuantity } from "./quantity.ts";

/** Fields by which the API server tells entries of a list apart; the first that all entries have, all different, is used. */
const MERGE_KEYS = ["mountPath", "containerPort", "topologyKey", "name", "uid"] as const;

/** Where amounts stand: they are stored in another spelling. */
const QUANTITY = /\.(requests|limits)\.[^.]+$|\.(sizeLimit|divisor)$/;

/** Fields that are not stored when they say what their absence says. */
const ABSENT_WHEN_ZERO = /\.(readOnly|initialDelaySeconds|minReadySeconds)$/;

/** Path of the first thing in `wanted` that `live` does not have, or `undefined`. Both are plain JSON. */
export function firstDifference(wanted: unknown, live: unknown, path = ""): string | undefined {
  if (live === undefined && isLikeAbsent(wanted, path)) return undefined;
  if (Array.isArray(wanted)) return Array.isArray(live) ? listDifference(wanted, live, path) : path;
  if (typeof wanted === "object" && wanted !== null) {
    if (typeof live !== "object" || live === null) return path;
    for (const [key, value] of Object.entries(wanted)) {
      const at = path === "" ? key : `${path}.${key}`;
      const found = firstDifference(value, (live as Record<string, unknown>)[key], at);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return wanted === live || (QUANTITY.test(path) && sameQuantity(wanted, live)) ? undefined : path;
}

/** What the API server does not store: empty texts, lists and objects, and a few zeros. */
function isLikeAbsent(wanted: unknown, path: string): boolean {
  if (typeof wanted === "object" && wanted !== null) return Object.keys(wanted).length === 0;
  return wanted === "" || (ABSENT_WHEN_ZERO.test(path) && (wanted === false || wanted === 0));
}

function listDifference(wanted: readonly unknown[], live: readonly unknown[], path: string): string | undefined {
  const key = mergeKeyOf(wanted);
  if (key === undefined && wanted.length !== live.length) return path;
  for (const [position, entry] of wanted.entries()) {
    const at = key === undefined ? String(position) : String(field(entry, key));
    const other = key === undefined ? live[position] : live.find((one) => field(one, key) === field(entry, key));
    const found = other === undefined ? `${path}[${at}]` : firstDifference(entry, other, `${path}[${at}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mergeKeyOf(entries: readonly unknown[]): string | undefined {
  return MERGE_KEYS.find((key) => {
    const values = entries.map((entry) => field(entry, key));
    return values.every((value) => value !== undefined) && new Set(values).size === values.length;
  });
}

const field = (entry: unknown, key: string): unknown =>
  typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>)[key] : undefined;
