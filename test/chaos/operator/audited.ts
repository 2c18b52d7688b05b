/** What the API server's own audit log tells of the operators: what they wrote, which pods they had removed, who held the Lease. */
import { type AuditEvent, isDone, isDryRun, isKill, readAuditLog } from "../../support/api-server/audit-log.ts";
import type { Fault, OperatorFacts } from "../../support/history/history.ts";
import { API_SERVER } from "./targets.ts";

/** One of the operators, by its name in the Lease and by who it is to the API server. */
interface Writer {
  readonly name: string;
  readonly username: string;
}

/** A write that the API server carried out for an operator. */
interface Write {
  /** Name of the operator. */
  readonly by: string;
  /** When it arrived, milliseconds since 1970. */
  readonly at: number;
  readonly event: AuditEvent;
}

/** Since when an operator holds the Lease; nobody does, where it was given back. */
interface Tenure {
  readonly holder: string;
  readonly transitions: number;
  readonly at: number;
}

/** How exact the times of arrival are as an order of what was carried out, milliseconds. */
const ORDER_MS = 1_000;

/** What was on its way when a process or the API server was stopped arrives so much later than it goes on, at most, milliseconds. */
const THAW_MS = 5_000;

/** The audit log of an API server as far as it is about operators. */
export class Audited {
  readonly #writes: readonly Write[];
  readonly #tenures: readonly Tenure[];

  constructor(path: string, operators: readonly Writer[]) {
    const names = new Map(operators.map(({ name, username }) => [username, name]));
    const writes = readAuditLog(path)
      .flatMap((event): Write[] => {
        const by = names.get(event.user.username);
        return by !== undefined && isWrite(event)
          ? [{ by, event, at: Date.parse(event.requestReceivedTimestamp ?? "") }]
          : [];
      })
      .toSorted((a, b) => a.at - b.at);
    this.#writes = writes.filter(({ event }) => event.objectRef?.resource !== "leases");
    this.#tenures = writes.filter(({ event }) => event.objectRef?.resource === "leases").flatMap(tenureOf);
  }

  /** How often the Lease was taken after the first time. */
  get leaderChanges(): number {
    const terms = this.#tenures.filter(({ holder }) => holder !== "").map(({ transitions }) => transitions);
    return Math.max(0, new Set(terms).size - 1);
  }

  /** Evictions and deletions of pods, by the UID that they named. */
  get kills(): OperatorFacts["kills"] {
    return this.#writes.flatMap(({ event, at }) => {
      const { objectRef, requestObject } = event;
      if (!isKill(event)) return [];
      const eviction = objectRef?.subresource === "eviction";
      const body = (requestObject ?? {}) as Partial<Record<"preconditions" | "deleteOptions", Preconditions>>;
      const { uid } = (eviction ? body.deleteOptions?.preconditions : (body as Preconditions).preconditions) ?? {};
      return [{ podUid: uid ?? `of unknown UID (${objectRef?.name})`, at }];
    });
  }

  /** What was written between two times. */
  writesWithin(from: number, to: number): OperatorFacts["lateWrites"] {
    return this.#writes
      .filter(({ at }) => at >= from && at <= to)
      .map(({ event, at, by }) => ({ at, what: nameOf(by, event) }));
  }

  /**
   * What was written by who did not hold the Lease. Events are told behind the back of what they are about, so they may come late;
   * and so may what was on its way when the process, or the API server, was stopped.
   */
  writesWithoutLease(faults: readonly Fault[]): OperatorFacts["writesWithoutLease"] {
    return this.#writes.flatMap(({ by, at, event }) => {
      if (event.objectRef?.resource === "events" || this.#heldBy(by, at)) return [];
      const thawed = faults.some(
        ({ id, target, to }) =>
          ((id === "O2" && target === by) || (id === "K1" && target === API_SERVER)) &&
          at >= to - ORDER_MS &&
          at <= to + THAW_MS,
      );
      return thawed ? [] : [{ at, what: nameOf(by, event) }];
    });
  }

  #heldBy(name: string, at: number): boolean {
    const last = this.#tenures.findLastIndex((tenure) => tenure.at <= at + ORDER_MS);
    for (let index = last; index >= 0; index--) {
      const tenure = this.#tenures[index];
      if (tenure?.holder === name) return true;
      if (tenure === undefined || tenure.at < at - ORDER_MS) return false;
    }
    return false;
  }
}

interface Preconditions {
  readonly preconditions?: { readonly uid?: string };
}

function isWrite(event: AuditEvent): boolean {
  return isDone(event) && !["get", "list", "watch"].includes(event.verb) && !isDryRun(event);
}

function tenureOf({ at, event }: Write): Tenure[] {
  const { spec } = (event.requestObject ?? {}) as { readonly spec?: LeaseSpec };
  return spec === undefined ? [] : [{ holder: spec.holderIdentity ?? "", transitions: spec.leaseTransitions ?? 0, at }];
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseTransitions?: number;
}

const nameOf = (by: string, { verb, requestURI }: AuditEvent): string => `${by}: ${verb} ${requestURI.split("?")[0]}`;
