/**
 * What callers may do: one closed table. A scope is granted to an API key by its name, and to a Kubernetes user through
 * RBAC on a virtual subresource of `jobqueues.jobqueue.dev`, which no API server serves: only our questions name it.
 */

interface ScopeRow {
  /** What it allows, for people. */
  readonly allows: string;
  /** The RBAC verb and subresource that grant it; `""` is the JobQueue itself. */
  readonly verb: "get" | "create" | "update" | "delete";
  readonly subresource: string;
  /** It changes something, or shows what is hidden: a stale answer about it is not good enough. */
  readonly sensitive: boolean;
}

const row = (verb: ScopeRow["verb"], subresource: string, allows: string, sensitive = false): ScopeRow => ({
  allows,
  verb,
  subresource,
  sensitive,
});

/** The table. `docs/reference/admin-api.md` is made from it. */
export const SCOPES = {
  "queues:read": row("get", "", "see queues, their counts and holds, and why they do not run"),
  "queues:pause": row("update", "pause", "pause and resume queues", true),
  "queues:configure": row("update", "policy", "change limits and other settings of queues", true),
  "jobs:read": row("get", "jobs", "see jobs and runs, without payloads and results"),
  "jobs:enqueue": row("create", "jobs", "enqueue jobs", true),
  "jobs:cancel": row("update", "cancel", "cancel jobs", true),
  "jobs:retry": row("update", "retry", "run failed and dead jobs again", true),
  "jobs:delete": row("delete", "jobs", "delete jobs that have not started", true),
  "jobs:recover": row("update", "recover", "hand jobs of lost workers on", true),
  "payloads:read": row("get", "payloads", "see payloads and results; each look is in the audit trail", true),
  "workers:read": row("get", "workers", "see workers and what is thought of them"),
  "schedules:read": row("get", "schedules", "see schedules"),
  "schedules:write": row("update", "schedules", "make, change, pause and delete schedules", true),
  "audit:read": row("get", "audit", "read the audit trail, and the job queue of the recovery runbook"),
  "metrics:read": row("get", "metrics", "read the metrics of this server"),
} as const satisfies Record<string, ScopeRow>;

/** A scope. */
export type Scope = keyof typeof SCOPES;

/** Every scope. */
export const SCOPE_NAMES = Object.keys(SCOPES) as readonly Scope[];

/** Sets of scopes with a name, for keys: what a person in that position needs. */
export const ROLES = {
  viewer: SCOPE_NAMES.filter((scope) => !SCOPES[scope].sensitive && scope !== "audit:read"),
  operator: [
    ...SCOPE_NAMES.filter((scope) => !SCOPES[scope].sensitive),
    "queues:pause",
    "jobs:cancel",
    "jobs:retry",
    "jobs:recover",
  ],
  admin: SCOPE_NAMES,
} as const satisfies Record<string, readonly Scope[]>;

/** A name of `ROLES`. */
export type Role = keyof typeof ROLES;

/**
 * Reads scopes and roles, separated by commas: `viewer,jobs:retry`. Throws a sentence that names what is unknown and says
 * what there is.
 */
export function readScopes(text: string): readonly Scope[] {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const scopes = new Set(
    words.flatMap((word): readonly Scope[] => {
      if (Object.hasOwn(ROLES, word)) return ROLES[word as Role];
      if (Object.hasOwn(SCOPES, word)) return [word as Scope];
      throw new Error(
        `has "${word}", which is no scope: write some of ${SCOPE_NAMES.join(", ")}, or a role: ${Object.keys(ROLES).join(", ")}`,
      );
    }),
  );
  return SCOPE_NAMES.filter((scope) => scopes.has(scope));
}
