/** "Pods or a share of them" as the CRD writes it: a number, or a percentage such as `25%`. */
export type PodsOrShare = number | string;

/** How many pods of `of` that is, at least one. */
export function podsOf(value: PodsOrShare, of: number, round: "up" | "down"): number {
  if (typeof value === "number") return Math.max(1, value);
  const share = (Number.parseInt(value, 10) * of) / 100;
  return Math.max(1, round === "up" ? Math.ceil(share) : Math.floor(share));
}
