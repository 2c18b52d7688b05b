/**
 * What can go wrong at the API server, as one type. `reason` is the machine-readable word (the Status reason where the
 * server gave one), `retry` says what to do about it, `message` is for people.
 */

/** `never`: repeating changes nothing, a person or another write must; `backoff`: may pass; `after`: the server said when. */
export type RetryClass = "never" | "backoff" | "after";

/** Reasons of our own, beside those of the API (`NotFound`, `Conflict`, ...). */
export type EdgeReason =
  | "NotConfigured" // no API server is configured, or the configuration cannot be used
  | "ConnectionFailed" // no connection, or it broke: the outcome of a write is unknown
  | "Timeout" // no answer in time: the outcome of a write is unknown
  | "Aborted" // the caller's signal fired
  | "MalformedResponse" // not JSON, cut short, or not what was asked for
  | "OutOfOrder" // a watch told of something too late
  | "ShortWatch" // a watch ended at once
  | "StaleList" // a list is older than what was seen
  | "Silent"; // a watch brought nothing for too long

/** Base of every error of this folder. */
export class KubeError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly code: number;
  readonly reason: string;
  readonly retry: RetryClass;

  constructor(
    message: string,
    facts: {
      readonly reason: EdgeReason | (string & {});
      readonly retry: RetryClass;
      readonly code?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code ?? 0;
    this.reason = facts.reason;
    this.retry = facts.retry;
  }
}

/** Body of a refusal (`v1/Status`), as far as it is used. */
export interface StatusBody {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

/** The API server's refusal of a request. */
export class StatusError extends KubeError {
  /** Seconds the server asked to wait, from the `Retry-After` header or the body. */
  readonly retryAfterSeconds: number | undefined;
  readonly details: StatusBody["details"];

  constructor(
    status: StatusBody,
    facts: { readonly code: number; readonly retryAfterSeconds?: number | undefined; readonly request: string },
  ) {
    const code = status.code ?? facts.code;
    const retryAfterSeconds = facts.retryAfterSeconds ?? status.details?.retryAfterSeconds;
    const reason = status.reason || REASON_BY_CODE[code] || "Unknown";
    super(`${facts.request}: ${status.message || reason} (${code} ${reason})`, {
      code,
      reason,
      retry: retryAfterSeconds === undefined ? retryByStatus(code, reason) : "after",
    });
    this.retryAfterSeconds = retryAfterSeconds;
    this.details = status.details;
  }
}

/** Reasons for answers without a Status body (a proxy's, a load balancer's). Source: apimachinery `pkg/api/errors`. */
const REASON_BY_CODE: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Gone",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/**
 * 401, 403 and 404 back off although a person must act: credentials rotate, RBAC and CRDs arrive after us, and nobody
 * tells us when they do. 409 backs off because reading again and deciding again is the remedy, not repeating the write.
 */
function retryByStatus(code: number, reason: string): RetryClass {
  if (reason === "AlreadyExists") return "never";
  if ([401, 403, 404, 408, 409, 410, 429].includes(code)) return "backoff";
  return code >= 500 || code === 0 ? "backoff" : "never";
}

const hasReason = (error: unknown, ...reasons: readonly string[]): error is KubeError =>
  error instanceof KubeError && reasons.includes(error.reason);

/** No such object, or no such kind. */
export const isNotFound = (error: unknown): error is KubeError => hasReason(error, "NotFound");
/** The object of that name is there already. */
export const isAlreadyExists = (error: unknown): error is KubeError => hasReason(error, "AlreadyExists");
/** The resourceVersion or a precondition did not hold, or another field manager owns a field (apply without force). */
export const isConflict = (error: unknown): error is KubeError => hasReason(error, "Conflict");
/** The resourceVersion or the continue token is too old: list again. */
export const isExpired = (error: unknown): error is KubeError => hasReason(error, "Expired", "Gone");
/** The server knows less than the resourceVersion we have: it lags, or was set back to an older state. */
export const isVersionTooLarge = (error: unknown): boolean =>
  error instanceof StatusError &&
  ((error.details?.causes ?? []).some((cause) => cause.reason === "ResourceVersionTooLarge") ||
    error.message.includes("Too large resource version"));
/** Credentials were not accepted. */
export const isUnauthorized = (error: unknown): error is KubeError => hasReason(error, "Unauthorized");
/** RBAC, admission or a quota refused. */
export const isForbidden = (error: unknown): error is KubeError => hasReason(error, "Forbidden");
/** The object broke a rule of its kind; `details.causes` names the fields. */
export const isInvalid = (error: unknown): error is KubeError => hasReason(error, "Invalid", "BadRequest");
/** The server sheds load, or a disruption budget refuses an eviction. */
export const isTooManyRequests = (error: unknown): error is KubeError => hasReason(error, "TooManyRequests");
/**
 * A PodDisruptionBudget refuses the eviction, or several are there for the pod, which the API server answers with an error of
 * its own (kubernetes pkg/registry/core/pod/storage/eviction.go).
 */
export const isDisruptionBudget = (error: unknown): boolean =>
  error instanceof StatusError &&
  ((error.details?.causes ?? []).some((cause) => cause.reason === "DisruptionBudget") ||
    /more than one PodDisruptionBudget/.test(error.message));
/** The namespace is being deleted: nothing can be created in it any more. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.details?.causes ?? []).some((cause) => cause.reason === "NamespaceTerminating");
/** The server may or may not have executed the request: read before concluding anything. */
export const isOutcomeUnknown = (error: unknown): error is KubeError =>
  hasReason(error, "ConnectionFailed", "Timeout", "MalformedResponse") ||
  (error instanceof StatusError && error.code >= 500);
/** The caller's own signal ended the request. */
export const isAborted = (error: unknown): error is KubeError => hasReason(error, "Aborted");

/** How to go on after any error: what is not ours counts as `backoff`. */
export function retryClassOf(error: unknown): RetryClass {
  return error instanceof KubeError ? error.retry : "backoff";
}

/** Milliseconds the server asked to wait, if it did. */
export function retryAfterMs(error: unknown): number | undefined {
  return error instanceof StatusError && error.retryAfterSeconds !== undefined
    ? error.retryAfterSeconds * 1000
    : undefined;
}
