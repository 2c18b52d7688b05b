import { existsSync, readFileSync } from "node:fs";

/** One line of the API server's audit log, as far as tests ask. */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  /** RFC 3339. */
  readonly requestReceivedTimestamp?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestObject?: unknown;
}

/** The events of an audit log so far, of those lines that contain a text; none when there is no file yet. */
export function readAuditLog(path: string, containing = ""): AuditEvent[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1) // what has no end yet is still being written
    .filter((line) => line.includes(containing))
    .map((line) => JSON.parse(line) as AuditEvent);
}

/** Whether the request was carried out, and not refused. */
export function isDone({ responseStatus }: AuditEvent): boolean {
  return (responseStatus?.code ?? 500) < 300;
}

/** Whether it only asked what would happen. */
export function isDryRun({ requestURI }: AuditEvent): boolean {
  return requestURI.includes("dryRun=");
}

/** Whether it evicts or deletes a pod, if it is carried out. */
export function isKill({ verb, objectRef }: AuditEvent): boolean {
  return objectRef?.resource === "pods" && (verb === "delete" || objectRef.subresource === "eviction");
}
