import type { Database } from "@jobqueue/store";
import type { PgBouncer } from "../../support/postgres/pgbouncer.ts";
import type { PostgresProxy } from "../../support/postgres/proxy.ts";
import type { PostgresServer } from "../../support/postgres/server.ts";
import type { Member } from "../member.ts";
import type { Random } from "../random.ts";

/** What faults are done to. */
export interface Targets {
  readonly server: PostgresServer;
  readonly proxy: PostgresProxy;
  /** Before some of the workers, when the machine has it. */
  readonly bouncer: PgBouncer | undefined;
  /** The workers that run now. */
  readonly fleet: { readonly members: readonly Member[] };
  /** A way to the store that no fault but the server's own is in the way of. */
  readonly direct: Database;
  readonly random: Random;
}

/** A fault that a run can apply: from `apply` being called to its end. */
export interface ChaosFault<T extends Targets = Targets> {
  /** Row of the fault matrix. */
  readonly id: string;
  readonly name: string;
  /** Applies it and takes it back; resolves with what it was done to: the name of a worker, or `store`. */
  readonly apply: (targets: T) => Promise<string>;
  /** Whether this machine can do it. */
  readonly possible?: (targets: T) => boolean;
}

/** What faults of the store are done to. */
export const STORE = "store";
