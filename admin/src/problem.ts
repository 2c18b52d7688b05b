import { KubeError } from "@jobqueue/operator/kube";
import { StoreError } from "@jobqueue/store";
import { list, object, oneOf, optional, text, type Of } from "./schema.ts";

/** Every way in which a request can fail: one closed table of words, HTTP statuses and what they mean. */
export const PROBLEMS = {
  bad_request: { status: 400, means: "The request cannot be understood; `error` says what is allowed." },
  unauthorized: { status: 401, means: "No credentials, or none that are valid." },
  forbidden: { status: 403, means: "These credentials do not allow this; `error` names the scope that would." },
  not_found: { status: 404, means: "There is no such thing." },
  method_not_allowed: {
    status: 405,
    means: "The path is right, the method is not; the header Allow names those that are.",
  },
  conflict: { status: 409, means: "What the thing is at this moment forbids it; `error` says why." },
  too_large: { status: 413, means: "The body is larger than the server accepts." },
  unsupported_media_type: { status: 415, means: "The body must be application/json." },
  too_many_requests: { status: 429, means: "Too many wrong credentials came from this address; come again later." },
  internal: { status: 500, means: "A defect of the server; its log says more." },
  unavailable: {
    status: 503,
    means: "The store or the Kubernetes API server does not answer; nothing was changed as far as is known.",
  },
  timeout: { status: 504, means: "The store took too long; narrow the question." },
} as const satisfies Record<string, { readonly status: number; readonly means: string }>;

/** A word of the table. */
export type ProblemCode = keyof typeof PROBLEMS;

/** What the body of every answer with a status from 400 on looks like. */
export const PROBLEM_SCHEMA = object(
  {
    code: oneOf(Object.keys(PROBLEMS) as ProblemCode[], { description: "For programs." }),
    error: text({ description: "For people: what is wrong, and what to do." }),
    field: optional(text({ description: "The parameter or field that is wrong." })),
    allowed: optional(list(text(), { description: "The values that are allowed there." })),
    state: optional(text({ description: "The state of the job that forbids it." })),
  },
  { description: "What went wrong." },
);

/** A failure on its way to whoever asked. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly more: Omit<Of<typeof PROBLEM_SCHEMA>, "code" | "error">;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    message: string,
    options: Problem["more"] & { readonly retryAfterSeconds?: number; readonly cause?: unknown } = {},
  ) {
    const { retryAfterSeconds, cause, ...more } = options;
    super(message, { cause });
    this.code = code;
    this.more = more;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  get body(): Of<typeof PROBLEM_SCHEMA> {
    return { code: this.code, error: this.message, ...this.more };
  }
}

/**
 * Anything that was thrown, as a problem. What is not the caller's business (a name of a host, words of the server) stays in
 * the log: `cause` has it.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreError) return ofStore(error);
  if (error instanceof KubeError) {
    return new Problem("unavailable", "The Kubernetes API server does not answer; it decides who may do what.", {
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  return (
    ofFramework(error) ??
    new Problem("internal", "The server met a defect of its own; its log says more.", { cause: error })
  );
}

function ofStore(error: StoreError): Problem {
  switch (error.code) {
    case "invalid_input":
      return new Problem("bad_request", error.message, { cause: error });
    case "timeout":
      return new Problem(
        "timeout",
        "The store took too long for this; ask for less (one queue, one state, fewer jobs).",
        {
          cause: error,
        },
      );
    case "not_installed":
    case "schema_newer":
    case "access_denied":
      return new Problem("unavailable", `The store cannot be used: ${error.code.replaceAll("_", " ")}.`, {
        retryAfterSeconds: 30,
        cause: error,
      });
    case "connection_lost":
    case "not_primary":
    case "overloaded":
    case "conflict":
      return new Problem("unavailable", "The store does not answer at the moment.", {
        retryAfterSeconds: 2,
        cause: error,
      });
    case "lease_lapsed":
    case "stale_term":
    case "wrong_isolation":
    case "unsupported_server":
    case "invalid_settings":
    case "internal":
      break;
  }
  return new Problem("internal", "The server met a defect of its own; its log says more.", { cause: error });
}

/** What the HTTP framework refuses by itself, in the words of the table. */
function ofFramework(error: unknown): Problem | undefined {
  const { statusCode, code, message } = (error ?? {}) as { statusCode?: number; code?: string; message?: string };
  if (statusCode === undefined || statusCode >= 500) return undefined;
  if (statusCode === 413) return new Problem("too_large", "The body is larger than the server accepts (2 MiB).");
  if (statusCode === 415) return new Problem("unsupported_media_type", "Send the body as application/json.");
  if (code === "FST_ERR_CTP_EMPTY_JSON_BODY")
    return new Problem("bad_request", "The body is empty; send a JSON object.");
  if (code === "FST_ERR_BAD_URL") return new Problem("bad_request", "The path cannot be decoded.");
  return new Problem("bad_request", message ?? "The request cannot be understood.");
}
