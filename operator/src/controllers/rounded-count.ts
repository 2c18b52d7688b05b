/**
 * Counts as they are shown in a status: exact up to 20, then two significant digits. A queue whose backlog moves from
 * 36,012 to 36,015 then causes no write.
 */
export function roundedCount(count: number): number {
  if (count <= 20) return Math.max(0, Math.trunc(count));
  const unit = 10 ** (Math.floor(Math.log10(count)) - 1);
  return Math.round(count / unit) * unit;
}
