import { describe, expect, it } from "vitest";
import * as errors from "./errors.ts";
import { KubeError, retryAfterMs, retryClassOf, StatusError, type RetryClass, type StatusBody } from "./errors.ts";

const refusal = (code: number, status: StatusBody = {}, retryAfterSeconds?: number) =>
  new StatusError(status, { code, retryAfterSeconds, request: "GET /x" });

describe("a refusal", () => {
  it.for<{ code: number; status?: StatusBody; seconds?: number; reason: string; retry: RetryClass; is: string[] }>([
    { code: 400, reason: "BadRequest", retry: "never", is: ["isInvalid"] },
    { code: 401, reason: "Unauthorized", retry: "backoff", is: ["isUnauthorized"] },
    { code: 403, reason: "Forbidden", retry: "backoff", is: ["isForbidden"] },
    { code: 404, reason: "NotFound", retry: "backoff", is: ["isNotFound"] },
    { code: 409, reason: "Conflict", retry: "backoff", is: ["isConflict"] },
    {
      code: 409,
      status: { reason: "AlreadyExists" },
      reason: "AlreadyExists",
      retry: "never",
      is: ["isAlreadyExists"],
    },
    { code: 410, reason: "Gone", retry: "backoff", is: ["isExpired"] },
    { code: 410, status: { reason: "Expired" }, reason: "Expired", retry: "backoff", is: ["isExpired"] },
    { code: 413, reason: "RequestEntityTooLarge", retry: "never", is: [] },
    { code: 422, reason: "Invalid", retry: "never", is: ["isInvalid"] },
    { code: 429, reason: "TooManyRequests", retry: "backoff", is: ["isTooManyRequests"] },
    { code: 429, seconds: 3, reason: "TooManyRequests", retry: "after", is: ["isTooManyRequests"] },
    {
      code: 429,
      status: { details: { retryAfterSeconds: 0 } },
      reason: "TooManyRequests",
      retry: "after",
      is: ["isTooManyRequests"],
    },
    { code: 500, reason: "InternalError", retry: "backoff", is: ["isOutcomeUnknown"] },
    { code: 503, seconds: 1, reason: "ServiceUnavailable", retry: "after", is: ["isOutcomeUnknown"] },
    {
      code: 504,
      status: { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } },
      reason: "Timeout",
      retry: "backoff",
      is: ["isOutcomeUnknown", "isVersionTooLarge"],
    },
    {
      code: 403,
      status: { reason: "Forbidden", details: { causes: [{ reason: "NamespaceTerminating" }] } },
      reason: "Forbidden",
      retry: "backoff",
      is: ["isForbidden", "isNamespaceTerminating"],
    },
    { code: 418, reason: "Unknown", retry: "never", is: [] },
  ])("$code $reason is to be retried: $retry; and is $is", ({ code, status, seconds, reason, retry, is }) => {
    const error = refusal(code, status, seconds);
    expect(error).toMatchObject({ code, reason, retry });
    const predicates = Object.entries(errors).filter(([name]) => name.startsWith("is")) as [
      string,
      (error: unknown) => boolean,
    ][];
    expect(
      predicates
        .filter(([, holds]) => holds(error))
        .map(([name]) => name)
        .sort(),
    ).toEqual(is);
  });

  it("says what was asked, what the server said and its reason, in one line", () => {
    const error = refusal(404, { reason: "NotFound", message: 'things "a" not found' });
    expect(error.message).toBe('GET /x: things "a" not found (404 NotFound)');
  });

  it("takes the wait from the header before the body", () => {
    expect(retryAfterMs(refusal(429, { details: { retryAfterSeconds: 9 } }, 2))).toBe(2000);
    expect(retryAfterMs(refusal(429, { details: { retryAfterSeconds: 9 } }))).toBe(9000);
    expect(retryAfterMs(refusal(429))).toBeUndefined();
    expect(retryAfterMs(new Error("other"))).toBeUndefined();
  });
});

describe("other errors", () => {
  it("no answer leaves the outcome of a write unknown, and may be retried", () => {
    const error = new KubeError("no", { reason: "ConnectionFailed", retry: "backoff" });
    expect(errors.isOutcomeUnknown(error)).toBe(true);
    expect(retryClassOf(error)).toBe("backoff");
    expect(error.code).toBe(0);
  });

  it("what is not ours may pass", () => {
    expect(retryClassOf(new TypeError("a defect"))).toBe("backoff");
    expect(errors.isNotFound(new Error("NotFound"))).toBe(false);
    expect(errors.isNotFound(undefined)).toBe(false);
  });

  it("keep their cause", () => {
    const cause = new Error("below");
    expect(new KubeError("above", { reason: "ConnectionFailed", retry: "backoff", cause }).cause).toBe(cause);
  });
});
