/**
 * Where the watchdog thread's code is. Run from the sources it is `thread.ts` beside this file. In a bundle there is no
 * such file: the bundler must make a second bundle, of `worker/src/watchdog/thread.ts`, and put it beside the first as
 * `watchdog-thread.mjs`.
 */
export function watchdogThreadFile(moduleUrl: string = import.meta.url): URL {
  return new URL(moduleUrl.endsWith("/thread-file.ts") ? "./thread.ts" : "./watchdog-thread.mjs", moduleUrl);
}
