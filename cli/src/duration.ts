const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/**
 * Seconds of a length of time as people write it: `45s`, `5m`, `1h30m`, `2d`, `1w`; units descend and none repeats.
 * `undefined` for anything else, a number without a unit included: 30 what?
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!match || text === "") return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((digits) => Number(digits ?? 0));
  return (
    (weeks ?? 0) * UNIT_SECONDS.w +
    (days ?? 0) * UNIT_SECONDS.d +
    (hours ?? 0) * UNIT_SECONDS.h +
    (minutes ?? 0) * UNIT_SECONDS.m +
    (seconds ?? 0)
  );
}

/**
 * A length of time in at most two units, coarser the longer it is, the way kubectl prints ages (apimachinery
 * `duration.HumanDuration`), so that both tables read alike. Negative lengths are the clocks' disagreement: `0s`.
 */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(whole / 3600);
  const days = Math.floor(whole / 86_400);
  const two = (a: number, unitA: string, b: number, unitB: string): string =>
    b === 0 ? `${a}${unitA}` : `${a}${unitA}${b}${unitB}`;
  if (whole < 120) return `${whole}s`;
  if (minutes < 10) return two(minutes, "m", whole % 60, "s");
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  if (days < 8) return two(days, "d", hours % 24, "h");
  return `${days}d`;
}

/** A length of time exactly, as it is written on the command line: `1h30m`; what other clients set may read `0.5s`. */
export function exactDuration(seconds: number): string {
  let rest = Math.max(0, Number(seconds.toFixed(3)));
  const parts = (["d", "h", "m", "s"] as const).map((unit) => {
    const count = unit === "s" ? Number(rest.toFixed(3)) : Math.floor(rest / UNIT_SECONDS[unit]);
    rest -= count * UNIT_SECONDS[unit];
    return count === 0 ? "" : `${count}${unit}`;
  });
  return parts.join("") || "0s";
}
