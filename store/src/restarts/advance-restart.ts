import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** How far a restart can come. `refused` notes when a disruption budget first stood in the way. */
export type RestartStep = "fenced" | "recovered" | "refused" | "evicted" | "closed" | "abandoned";

/** A step of a restart. */
export interface RestartAdvance {
  readonly id: string;
  readonly to: RestartStep;
  readonly actor: string;
  /** How it ended, or why it was given up; at most 1024 characters. `recovered`: its worker came back by itself. */
  readonly detail?: string | undefined;
}

/**
 * Notes how far a restart has come; `fenced` also takes the worker's lease for good. Returns whether that was new: never
 * backwards and never after the end, so a step may be repeated after a crash. One audit event with each change (G19).
 */
export async function advanceRestart(session: Session, { id, to, actor, detail }: RestartAdvance): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.advance_restart($1, $2, $3, $4) as changed`,
    [id, to, actor, detail ?? null],
  );
  return rows[0]?.changed ?? false;
}
