import { exactDuration, parseDuration } from "./duration.ts";
import { usageFailure } from "./failure.ts";

/** At most `count` starts in `perSeconds` seconds. */
export interface Rate {
  readonly count: number;
  readonly perSeconds: number;
}

/** Reads a rate as people write it: `10/1m`, or `10/m` for short. */
export function parseRate(text: string): Rate {
  const match = /^(\d{1,9})\/(.+)$/.exec(text);
  const per = match?.[2] ?? "";
  const perSeconds = parseDuration(/^[smhd]$/.test(per) ? `1${per}` : per);
  const count = Number(match?.[1] ?? 0);
  if (count >= 1 && perSeconds !== undefined && perSeconds >= 1) return { count, perSeconds };
  throw usageFailure(
    `--rate takes a number of starts per length of time, not '${text}'`,
    "Such as 10/1m, 100/s or 5000/1h.",
  );
}

/** A rate as it is written on the command line. */
export function formatRate({ count, perSeconds }: Rate): string {
  return `${count}/${exactDuration(perSeconds)}`;
}
