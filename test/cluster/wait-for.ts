import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** After how long to give up, in ms. */
  readonly timeoutMs: number;
  /** How often to look, in ms (default 100). */
  readonly everyMs?: number;
  /** What to add to the error when it never came true: the tail of a log, the last state seen. */
  readonly explain?: () => string | Promise<string>;
}

/** Waits until `condition` gives something truthy and returns that. An exception of `condition` ends the wait. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<NonNullable<Exclude<T, false | 0 | "">>> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer as NonNullable<Exclude<T, false | 0 | "">>;
    if (performance.now() > deadline) {
      const explanation = (await options.explain?.()) ?? "";
      throw new Error(
        `waited ${Math.round(options.timeoutMs / 1000)} s for ${what}${explanation ? `\n${explanation}` : ""}`,
      );
    }
    await sleep(options.everyMs ?? 100);
  }
}
