import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** What a worker says about itself with every heartbeat: progress, not existence. */
export interface HeartbeatFacts {
  /** Milliseconds since the main event loop last turned. */
  readonly loopAgeMs?: number | undefined;
  /** Milliseconds since the claim loop last finished a claim. */
  readonly lastClaimAgeMs?: number | undefined;
  readonly slotsBusy?: number | undefined;
  /** Slots whose handler ignores its abort signal. */
  readonly slotsStuck?: number | undefined;
  /** A worker that drains never becomes active again. */
  readonly state?: "active" | "draining" | undefined;
}

/** A renewed lease. */
export interface RenewedLease {
  /** When it lapses, by the database's clock: for people, not for deciding. */
  readonly leaseUntil: Date;
  /** Milliseconds it lasts, counted from when the heartbeat was sent. */
  readonly leaseMs: number;
}

/** Renews a worker's lease. `undefined`: the lease is lost for good, register again. */
export async function heartbeat(
  session: Session,
  workerId: string,
  facts: HeartbeatFacts = {},
): Promise<RenewedLease | undefined> {
  const rows = await session.query<{ lease_until: Date; lease_ms: number }>(
    `select lease_until, lease_ms from ${quoteIdentifier(session.schema)}.heartbeat($1, $2::jsonb)`,
    [
      workerId,
      JSON.stringify({
        loop_age_ms: whole(facts.loopAgeMs),
        last_claim_age_ms: whole(facts.lastClaimAgeMs),
        slots_busy: facts.slotsBusy,
        slots_stuck: facts.slotsStuck,
        state: facts.state,
      }),
    ],
  );
  const row = rows[0];
  return row && { leaseUntil: row.lease_until, leaseMs: row.lease_ms };
}

function whole(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}
