import type { RetryPolicy } from "@jobqueue/store";
import { exactDuration, parseDuration } from "./duration.ts";
import { usageFailure } from "./failure.ts";

const REMEDY =
  "A list of waits, of which the last repeats: 10s,1m,5m. Or waits that double: exponential:1s..1h, with a share that is random: exponential:1s..1h~20%.";

function refuse(text: string): never {
  throw usageFailure(`--retry cannot be read: '${text}'`, REMEDY);
}

/** Reads `10s,1m,5m`, `exponential:1s..1h` or `exponential:1s..1h~20%`. */
export function parseRetry(text: string): RetryPolicy {
  const match = /^exponential:([^.~]+)\.\.([^~]+?)(?:~(\d{1,3})%)?$/.exec(text);
  if (match) {
    const [initialSeconds, maxSeconds] = [parseDuration(match[1] ?? ""), parseDuration(match[2] ?? "")];
    if (initialSeconds === undefined || maxSeconds === undefined) refuse(text);
    if (maxSeconds < initialSeconds) {
      throw usageFailure(`--retry ends with a shorter wait than it begins with: '${text}'`, REMEDY);
    }
    return {
      exponential: {
        initialSeconds,
        maxSeconds,
        ...(match[3] === undefined ? {} : { jitterPercent: Number(match[3]) }),
      },
    };
  }
  const intervalsSeconds = text.split(",").map((part) => parseDuration(part.trim()) ?? refuse(text));
  return { intervalsSeconds };
}

/** A policy as it is written on the command line. */
export function formatRetry(policy: RetryPolicy): string {
  if ("intervalsSeconds" in policy) return policy.intervalsSeconds.map(exactDuration).join(",");
  const { initialSeconds = 1, maxSeconds = 3600, jitterPercent } = policy.exponential;
  const jitter = jitterPercent === undefined ? "" : `~${jitterPercent}%`;
  return `exponential:${exactDuration(initialSeconds)}..${exactDuration(maxSeconds)}${jitter}`;
}
