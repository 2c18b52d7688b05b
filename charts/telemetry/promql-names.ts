/** A metric as an expression uses it. */
export interface MetricUse {
  readonly metric: string;
  /** Labels that its selector names. */
  readonly labels: readonly string[];
}

const WORDS = new Set([
  "and",
  "or",
  "unless",
  "by",
  "without",
  "on",
  "ignoring",
  "offset",
  "bool",
  "group_left",
  "group_right",
]);
const USE = /([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\}|\()?/g;
/** What stands in the parentheses behind these words are labels, not metrics. */
const GROUPINGS = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const RANGES = /\[[^\]]*\]|\boffset\s+\w+/g;

/**
 * The metrics in an expression of PromQL, with the labels that their selectors name. Knows as much of the language as our own
 * expressions use; it is for tests that look names up, not for expressions of others.
 */
export function metricsIn(expr: string): MetricUse[] {
  const text = expr.replaceAll(GROUPINGS, " ").replaceAll(RANGES, " ");
  const uses: MetricUse[] = [];
  const strings = text.replaceAll(/"[^"]*"/g, '""');
  for (const [, word = "", rest = ""] of strings.matchAll(USE)) {
    if (rest === "(" || WORDS.has(word)) continue;
    const labels = [...rest.matchAll(/([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label);
    uses.push({ metric: word, labels });
  }
  return uses;
}
