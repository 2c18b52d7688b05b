import { usageFailure } from "./failure.ts";

/** The labels of `--label NAME=VALUE`, given any number of times; `undefined` for none. */
export function parseLabels(texts: readonly string[]): Record<string, string> | undefined {
  if (texts.length === 0) return undefined;
  const labels = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw usageFailure(`--label takes NAME=VALUE, not '${text}'`);
    const name = text.slice(0, at);
    if (labels.has(name)) throw usageFailure(`--label ${name} is given twice`);
    labels.set(name, text.slice(at + 1));
  }
  // From entries, so that a label named __proto__ is a label.
  return Object.fromEntries(labels);
}

/** Labels on one line, as they are written on the command line. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
