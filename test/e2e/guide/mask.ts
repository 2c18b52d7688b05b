/**
 * What differs between two runs of the same commands: names that Kubernetes makes up, ages, times, numbers of jobs, the
 * width of columns. Two outputs say the same when they are equal with these masked.
 */
const MASKS: readonly (readonly [RegExp, string])[] = [
  // Pods and ReplicaSets of a Deployment, and names of this machine's nodes.
  [/\b([a-z][a-z0-9-]*-workers|jobqueue-operator)-[a-z0-9]{5,10}-[a-z0-9]{5}\b/g, "$1-<pod>"],
  [/\bnode-\d\b/g, "<node>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?/g, "<time>"],
  // 38s, 2m5s, 1 min 5 s, 4.2 s, and ages in events such as "12s (x3 over 40s)".
  [/ \(x\d+ over \S+\)/g, ""],
  [/\b\d+(?:\.\d+)?(?:ms|[smhd])(?:\d+(?:ms|[smhd]))*\b/g, "<age>"],
  [/\b\d+(?:\.\d+)? (?:seconds?|minutes?|min|s|ms)\b/g, "<age>"],
  [/\b(job|worker|attempt|lease|token|intent|restart) #?\d+\b/gi, "$1 <n>"],
  // The number of a worker, before where it runs.
  [/^ *\d+ +pod /, "<n> pod "],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, "<address>"],
];

/** The line without what differs between runs. */
function maskLine(line: string): string {
  const masked = MASKS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
  return masked.replace(/\s+/g, " ").trim();
}

/** Progress of a slow command, which a fast one does not show. */
const PROGRESS = /^\d+ of \d+ jobs enqueued/;

/** Every line masked; empty ones and progress left out. */
export function mask(output: string): string[] {
  return output
    .split("\n")
    .map(maskLine)
    .filter((line) => line !== "" && !PROGRESS.test(line));
}

/** What a page writes for lines it leaves out. */
const ELLIPSIS = "…";

/**
 * Whether an output says what a page shows: the same lines, in any order, since names decide the order of rows and are made
 * up. A line `…` on the page stands for lines that it leaves out.
 */
export function saysTheSame(shown: string, output: string): boolean {
  const expected = mask(shown);
  const actual = mask(output);
  const missing = expected.filter((line) => {
    const at = actual.indexOf(line);
    if (at !== -1) actual.splice(at, 1);
    return at === -1 && line !== ELLIPSIS;
  });
  return missing.length === 0 && (actual.length === 0 || expected.includes(ELLIPSIS));
}
