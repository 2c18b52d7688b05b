import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { type DueWork, type DueWorkRow, dueWorkOf } from "./due-work.ts";

/** What a worker says about itself with every heartbeat: progress, not existence. */
export interface HeartbeatFacts {
  /** Milliseconds since the main event loop last turned. */
  readonly loopAgeMs?: number | undefined;
  /** Milliseconds since the claim loop last finished a claim. */
  readonly lastClaimAgeMs?: number | undefined;
  /** Milliseconds since an attempt last ended. */
  readonly lastFinishAgeMs?: number | undefined;
  readonly slotsBusy?: number | undefined;
  /** Slots whose handler ignores its abort signal. */
  readonly slotsStuck?: number | undefined;
  /** A worker that drains never becomes active again. */
  readonly state?: "active" | "draining" | undefined;
  /** `false`: beat without renewing the lease, because the main loop is blocked; it is left to run out. */
  readonly renew?: boolean | undefined;
  /** `true`: answer what there is to do, too. For idle workers: leases of running jobs should not wait for that. */
  readonly due?: boolean | undefined;
}

/** A renewed lease. */
export interface RenewedLease {
  /** When it lapses, by the database's clock: for people, not for deciding. */
  readonly leaseUntil: Date;
  /** Milliseconds that are left of it, counted from when the heartbeat was sent. */
  readonly leaseMs: number;
  /** Jobs of this worker that somebody cancelled: abort them, then `acknowledgeCancel`. */
  readonly cancelIds: readonly string[];
  /** What there is to do, when that was asked. */
  readonly due: DueWork | undefined;
  /** How long the main loop may stand still before the worker must stop renewing; absent: as it was started with. */
  readonly loopStallMs: number | undefined;
  /** Somebody, mostly the operator, keeps this worker idle: claims bring nothing until it is released. */
  readonly drained: boolean;
}

interface HeartbeatRow {
  lease_until: Date;
  lease_ms: number;
  cancel_ids: string[];
  loop_stall_ms: number | null;
  drained: boolean;
}

/** Renews a worker's lease, unless told not to. `undefined`: the lease is lost for good, register again. */
export async function heartbeat(
  session: Session,
  workerId: string,
  facts: HeartbeatFacts = {},
): Promise<RenewedLease | undefined> {
  const rows = await session.query<HeartbeatRow & DueWorkRow>(
    `select lease_until, lease_ms, cancel_ids, work_ms, schedule_ms, sweep, loop_stall_ms, drained from ${quoteIdentifier(session.schema)}.heartbeat($1, $2::jsonb)`,
    [
      workerId,
      JSON.stringify({
        loop_age_ms: whole(facts.loopAgeMs),
        last_claim_age_ms: whole(facts.lastClaimAgeMs),
        last_finish_age_ms: whole(facts.lastFinishAgeMs),
        slots_busy: facts.slotsBusy,
        slots_stuck: facts.slotsStuck,
        state: facts.state,
        renew: facts.renew,
        due: facts.due,
      }),
    ],
  );
  const row = rows[0];
  if (!row) return undefined;
  return {
    leaseUntil: row.lease_until,
    leaseMs: row.lease_ms,
    cancelIds: row.cancel_ids,
    due: row.sweep === null ? undefined : dueWorkOf(row),
    loopStallMs: row.loop_stall_ms ?? undefined,
    drained: row.drained,
  };
}

function whole(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}
