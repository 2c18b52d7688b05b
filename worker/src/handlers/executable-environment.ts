import type { ExecutableSpec } from "./manifest.ts";
import type { ProgramUser } from "./run-as.ts";

/** Variables of the worker that every program needs to behave and that carry no secret. `LC_*` comes on top. */
const INHERITED_VARIABLES = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"] as const;

/** What an attempt tells its program through the environment. */
export interface AttemptVariables {
  readonly jobId: string;
  readonly queue: string;
  readonly kind: string;
  readonly attempt: number;
  readonly leaseToken: string;
  /** How long it may take, when there is a limit. */
  readonly timeoutSeconds?: number | undefined;
  /** W3C trace context of the attempt where somebody records traces, else of the job, when it has one. */
  readonly traceparent?: string | undefined;
  readonly payloadFile: string;
  readonly resultFile: string;
  /** Whom it runs as, when that is not the worker's user. */
  readonly user?: ProgramUser | undefined;
}

/**
 * The whole environment of a program: a short list from the worker, what the manifest adds, and the facts of the
 * attempt. Nothing else is inherited, so neither DATABASE_URL nor any other secret of the worker reaches a handler.
 */
export function executableEnvironment(
  spec: ExecutableSpec,
  attempt: AttemptVariables,
  worker: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited = Object.entries(worker).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      ((INHERITED_VARIABLES as readonly string[]).includes(entry[0]) ||
        entry[0].startsWith("LC_") ||
        spec.passEnv.includes(entry[0])),
  );
  return {
    ...Object.fromEntries(inherited),
    ...userVariables(attempt.user),
    ...spec.env,
    JOBQUEUE_JOB_ID: attempt.jobId,
    JOBQUEUE_QUEUE: attempt.queue,
    JOBQUEUE_KIND: attempt.kind,
    JOBQUEUE_ATTEMPT: String(attempt.attempt),
    JOBQUEUE_LEASE_TOKEN: attempt.leaseToken,
    ...(attempt.timeoutSeconds === undefined ? {} : { JOBQUEUE_TIMEOUT_SECONDS: String(attempt.timeoutSeconds) }),
    // The name that tracing libraries and programs agree on.
    ...(attempt.traceparent === undefined ? {} : { TRACEPARENT: attempt.traceparent }),
    JOBQUEUE_PAYLOAD_FILE: attempt.payloadFile,
    JOBQUEUE_RESULT_FILE: attempt.resultFile,
  };
}

/** Somebody else's home is of no use: programs would look for their files where they may not read. */
function userVariables(user: ProgramUser | undefined): Record<string, string> {
  return user === undefined ? {} : { USER: user.name, LOGNAME: user.name, HOME: user.home ?? "/" };
}
