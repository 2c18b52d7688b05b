/** What a Lease says, and what follows from it. Pure: times are arguments, on the reader's monotonic clock. */
import { microTime } from "./micro-time.ts";
import { defineResource, type StoredMeta } from "./resources.ts";

/** `spec` of a coordination.k8s.io/v1 Lease. */
export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** MicroTimes of the holder's wall clock: for people, never compared. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** A Lease. */
export interface Lease {
  readonly metadata?: object;
  readonly spec?: LeaseSpec;
}

/** The kind Lease. */
export const LEASES = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
});

/** Why a candidate may take a lease, or `held`: it may not. */
export type Claimable = "never held" | "released" | "our own" | "expired" | "held";

/**
 * Whether a candidate may take the lease. `unchangedMs` is how long the candidate has seen the record stand still; that, and not
 * the times written in it, is what expires. A lease that carries our own identity is of an earlier life of ours.
 */
export function claimable(spec: LeaseSpec | undefined, identity: string, unchangedMs: number): Claimable {
  if (spec?.holderIdentity === undefined) return "never held";
  if (spec.holderIdentity === "") return "released";
  if (spec.holderIdentity === identity) return "our own";
  return unchangedMs >= (spec.leaseDurationSeconds ?? 0) * 1000 ? "expired" : "held";
}

/** The record of a new term. Every term counts as a transition, also one of the same holder: terms are told apart by it. */
export function acquired(
  spec: LeaseSpec | undefined,
  facts: { readonly identity: string; readonly leaseDurationMs: number; readonly wallMs: number },
): LeaseSpec {
  const now = microTime(facts.wallMs);
  return {
    ...spec,
    holderIdentity: facts.identity,
    leaseDurationSeconds: Math.round(facts.leaseDurationMs / 1000),
    acquireTime: now,
    renewTime: now,
    leaseTransitions: spec === undefined ? 0 : (spec.leaseTransitions ?? 0) + 1,
  };
}

/** The record of a term that goes on. */
export function renewed(spec: LeaseSpec, wallMs: number): LeaseSpec {
  return { ...spec, renewTime: microTime(wallMs) };
}

/** The record of a lease given back: anybody may take it at once. The count of transitions stays. */
export function released(spec: LeaseSpec, wallMs: number): LeaseSpec {
  return { ...renewed(spec, wallMs), holderIdentity: "", leaseDurationSeconds: 1 };
}

/** Larger than any count of transitions in the life of a Lease. */
const TRANSITIONS_PER_LEASE = 1_000_000;

/**
 * The number that fences a term's writes elsewhere: grows with every term, and with every new Lease object of the name
 * (somebody deleted it; its count starts again, but its creation, by the API server's clock, is later).
 */
export function fenceOf(metadata: StoredMeta, spec: LeaseSpec | undefined): number {
  const created = Math.floor(Date.parse(metadata.creationTimestamp) / 1000);
  return created * TRANSITIONS_PER_LEASE + (spec?.leaseTransitions ?? 0);
}
