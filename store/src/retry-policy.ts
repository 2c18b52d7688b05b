/** How long a failed job waits for its next attempt: doubling waits, or an explicit list of which the last repeats. */
export type RetryPolicy =
  | {
      readonly exponential: {
        /** 1 when absent. */
        readonly initialSeconds?: number | undefined;
        /** 3600 when absent. */
        readonly maxSeconds?: number | undefined;
        /** The wait varies by so much, up and down; 20 when absent. */
        readonly jitterPercent?: number | undefined;
      };
    }
  | { readonly intervalsSeconds: readonly number[] };

/** A retry policy as SQL reads it. */
export function retryJson(retry: RetryPolicy | null | undefined): object | null | undefined {
  if (retry === undefined || retry === null) return retry;
  if ("intervalsSeconds" in retry) return { intervals_seconds: retry.intervalsSeconds };
  const { initialSeconds, maxSeconds, jitterPercent } = retry.exponential;
  return { exponential: { initial_seconds: initialSeconds, max_seconds: maxSeconds, jitter_percent: jitterPercent } };
}
