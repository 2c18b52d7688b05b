/** Where this thread's `performance.now()` began. It costs a tenth of `hrtime.bigint()`, and every job asks several times. */
const ORIGIN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds on the machine's monotonic clock, with fractions. The origin is the same in every thread of the process
 * (unlike `performance.now()`, whose origin is the start of its thread), so the watchdog and the main thread can compare
 * their readings. It goes on while the process is stopped (SIGSTOP); it may stand still while the whole machine sleeps,
 * which is why the last word on a lease is always the store's.
 */
export function monotonicMs(): number {
  return ORIGIN_MS + performance.now();
}
