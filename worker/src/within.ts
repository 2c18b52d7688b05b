/**
 * Waits for something, but at most `ms`, and at most until the signal fires; what comes later is nobody's business any
 * more, not even an error. Rejects when the work rejects in time.
 */
export async function within(ms: number, work: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  work.catch(() => {});
  const over = Promise.withResolvers<void>();
  const end = (): void => {
    over.resolve();
  };
  const timer = setTimeout(end, ms);
  if (signal?.aborted) end();
  else signal?.addEventListener("abort", end, { once: true });
  try {
    await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}
