import { spread } from "./statistics.ts";

/** 101234 as "101.2k". */
export function rate(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** Median with least and most: "101.2k (98.0k-103.3k)". */
export function rates(values: readonly number[]): string {
  const { median, min, max } = spread(values);
  return values.length === 1 ? rate(median) : `${rate(median)} (${rate(min)}-${rate(max)})`;
}

/** Milliseconds. */
export function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
