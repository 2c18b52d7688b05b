/** JSON with sorted keys: equal data gives equal text, whatever the order in which it was put together. */
export function canonical(data: unknown): string {
  return JSON.stringify(data, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
