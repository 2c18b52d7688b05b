import { type KubeError, isForbidden, StatusError } from "../kube/index.ts";

/**
 * Why something cannot be explained: what is wrong and, in `remedy`, what to do.
 *
 * - `manifest`: the file holds no JobQueue that the API server would take.
 * - `notFound`: there is no such JobQueue.
 * - `cluster`: the API server does not answer, or refuses to.
 */
export class ExplainProblem extends Error {
  override readonly name = "ExplainProblem";
  readonly kind: "manifest" | "notFound" | "cluster";
  readonly remedy: string | undefined;

  constructor(kind: ExplainProblem["kind"], message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.remedy = options.remedy;
  }
}

/** How RBAC says no (kubernetes `pkg/registry/authorization`, responsewriters.ForbiddenStatusError). */
const RBAC = /cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/;

/** The right that RBAC missed, such as "list pods in namespace shop"; `undefined` when it was not RBAC that refused. */
export function missingRight(error: unknown): string | undefined {
  if (!isForbidden(error)) return undefined;
  const [, verb, resource, group, namespace] = RBAC.exec(error.message) ?? [];
  if (verb === undefined || resource === undefined) return undefined;
  const what = group ? `${resource}.${group}` : resource;
  return `${verb} ${what} ${namespace === undefined ? "in all namespaces" : `in namespace ${namespace}`}`;
}

/** What the API server said, without the request it said it to. */
export function saidByServer(error: KubeError): string {
  const causes = error instanceof StatusError ? error.details?.causes?.filter(({ message }) => message) : undefined;
  if (causes && causes.length > 0) {
    return causes.map(({ field, message }) => `${field ? `${field}: ` : ""}${message ?? ""}`).join("; ");
  }
  return error.message.replace(/^[A-Z]+ \/\S+: /, "");
}
