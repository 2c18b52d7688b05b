/**
 * Milliseconds on the machine's monotonic clock, with fractions. The origin is the same in every thread of the process
 * (unlike `performance.now()`, whose origin is the start of its thread), so the watchdog and the main thread can compare
 * their readings. It goes on while the process is stopped (SIGSTOP); it may stand still while the whole machine sleeps,
 * which is why the last word on a lease is always the store's.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
