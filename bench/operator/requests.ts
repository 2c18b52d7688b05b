import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { AuditEvent } from "../../test/support/api-server/audit-log.ts";

/** What was asked of the API server in a time. */
export interface RequestCounts {
  /** All that were answered but watches, the Lease included. */
  readonly total: number;
  /** Those that store something; the Lease is renewed whatever happens and not among them. */
  readonly writes: number;
  readonly leases: number;
  /** Number by verb and resource, such as "patch jobqueues/status"; dry runs are called so. */
  readonly by: Readonly<Record<string, number>>;
}

const READS: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const PIECE = 1_048_576;

/** Reads an audit log that grows, from where it was read last. */
export class Requests {
  readonly #path: string;
  #offset = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** Counts what came since the last call. */
  take(): RequestCounts {
    const by: Record<string, number> = {};
    let [total, writes, leases] = [0, 0, 0];
    for (const line of this.#newLines()) {
      const event = JSON.parse(line) as AuditEvent;
      if (event.verb === "watch") continue;
      const resource = [event.objectRef?.resource ?? event.requestURI, event.objectRef?.subresource]
        .filter(Boolean)
        .join("/");
      const dryRun = event.requestURI.includes("dryRun=");
      const what = `${event.verb} ${resource}${dryRun ? " (dry run)" : ""}`;
      by[what] = (by[what] ?? 0) + 1;
      total += 1;
      if (resource === "leases") leases += 1;
      else if (!dryRun && !READS.has(event.verb)) writes += 1;
    }
    return { total, writes, leases, by };
  }

  *#newLines(): Generator<string> {
    if (!existsSync(this.#path)) return;
    const file = openSync(this.#path, "r");
    try {
      const piece = Buffer.alloc(PIECE);
      for (;;) {
        const bytes = readSync(file, piece, 0, PIECE, this.#offset);
        if (bytes === 0) return;
        this.#offset += bytes;
        // latin1 keeps every byte where a character of several is cut in two; names and verbs are plain.
        const lines = (this.#rest + piece.toString("latin1", 0, bytes)).split("\n");
        this.#rest = lines.pop() ?? "";
        yield* lines;
      }
    } finally {
      closeSync(file);
    }
  }
}
