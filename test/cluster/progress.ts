/** After how many ms a running step says that it is still at it, again and again. */
const STILL_AT_IT_MS = 15_000;

/** Prints one line for a person to follow; standard error, so that commands can print results on standard output. */
export function say(line: string): void {
  process.stderr.write(`  ${line}\n`);
}

/** A duration for people: `0.4 s`, `37 s`, `2 min 05 s`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/**
 * Runs one step of a longer work and prints its title with the time it took. A step that takes longer says so every
 * 15 s; `title` may be a function of the result, for a last word that only the result knows.
 */
export async function step<T>(title: string, work: () => Promise<T>, done?: (result: T) => string): Promise<T> {
  const started = performance.now();
  const elapsed = () => formatDuration(performance.now() - started);
  const timer = setInterval(() => say(`… ${title} (${elapsed()})`), STILL_AT_IT_MS);
  try {
    const result = await work();
    say(`✓ ${done ? done(result) : title} (${elapsed()})`);
    return result;
  } catch (error) {
    say(`✗ ${title} (${elapsed()})`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
