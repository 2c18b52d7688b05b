/**
 * Election of one leader by a coordination.k8s.io/v1 Lease.
 *
 * Invariants:
 * - *Authority* is local knowledge: a term is current until `renewDeadline` after the *start* of the last successful
 *   renewal, on our own monotonic clock (and on the wall clock too, which goes on while a virtual machine is suspended). Nobody has to
 *   be reached, and no timer has to fire in time, for authority to end.
 * - Others take the lease no sooner than `leaseDuration` after they last saw it change, on *their* monotonic clock. What is
 *   written in it as time is never compared. As leaseDuration > renewDeadline, and what they see was written after we
 *   started to write it, two terms do not overlap while clocks run at about the same speed. Where that is not enough (a
 *   process stopped between asking and acting), writes elsewhere carry the term's `fence`, which grows with every term.
 * - Every write carries the resourceVersion it is based on: of two who take the lease at once, one gets a conflict.
 * - The lease is given back only when the work of the term has ended; it is renewed until then.
 *
 * What happens when:
 * - renewal fails (no answer, 5xx, 403): tried again every `retryPeriod` until authority ends, then the term is lost;
 * - renewal conflicts: the lease is read; if it is still of this term (somebody edited its metadata, or our own write arrived
 *   and its answer did not) it is renewed again, otherwise the term is lost at once;
 * - the Lease was deleted: the term is lost at once, since anybody may make a new one;
 * - the event loop stood still beyond authority: the term is lost as the first thing after it, before any renewal, even if
 *   nobody has taken the lease;
 * - `stop`: the term is asked to end, its work finishes under renewals, the lease is released, others take it within a
 *   `retryPeriod`.
 * After a loss the work of the term is awaited; then we are a candidate again.
 */
import { sleep, type Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { BaseService } from "../runtime/service.ts";
import type { KubeClient } from "./client.ts";
import { isAlreadyExists, isConflict, isNotFound } from "./errors.ts";
import { acquired, claimable, fenceOf, LEASES, released, renewed, type Lease, type LeaseSpec } from "./lease-record.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { Stored } from "./resources.ts";
import { RunningTerm, type Term } from "./term.ts";

/** How an elector is made. */
export interface LeaderElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Name of the Lease object. */
  readonly leaseName: string;
  /** Who this is; never shared by two processes that are alive at once (a pod's name will do). */
  readonly identity: string;
  /**
   * Leads: called once per term, must return soon after `term.ending` aborts. The lease is given back, and candidacy
   * resumes, only after it returned. Returning or throwing earlier ends the term.
   */
  readonly lead: (term: Term) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  /** Others wait this long after the last renewal they saw (default 15 s; whole seconds). */
  readonly leaseDurationMs?: number;
  /** Authority ends this long after the start of the last successful renewal (default 10 s; below leaseDuration). */
  readonly renewDeadlineMs?: number;
  /** Time between attempts (default 2 s, for candidates up to half more at random; below renewDeadline). */
  readonly retryPeriodMs?: number;
  readonly random?: () => number;
}

/** Takes part in the election. See the head of this file. */
export class LeaderElector extends BaseService {
  readonly #options: LeaderElectorOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** The record as last seen, and when (monotonic) it was seen to change. */
  #seen: { readonly spec: LeaseSpec | undefined; readonly text: string; readonly at: number } | undefined;
  #term: RunningTerm | undefined;

  constructor(options: LeaderElectorOptions) {
    super(`leader elector ${options.namespace}/${options.leaseName}`);
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2000;
    if (!(this.#leaseDurationMs > this.#renewDeadlineMs && this.#renewDeadlineMs > 1.2 * this.#retryPeriodMs)) {
      throw new RangeError("leaseDuration must exceed renewDeadline, and renewDeadline 1.2 times retryPeriod");
    }
  }

  /** The running term of this process, if it leads now. */
  get term(): Term | undefined {
    return this.#term?.isCurrent() ? this.#term : undefined;
  }

  /** Who was seen to hold the lease last; `undefined` when nobody did or it was not yet read. */
  get holder(): string | undefined {
    return this.#seen?.spec?.holderIdentity || undefined;
  }

  protected override onStart(): void {
    this.#options.metrics.leader.set({ name: this.#options.leaseName }, 0);
    this.run((stopping) => this.#loop(stopping));
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    const { clock, log, leaseName, random = Math.random } = this.#options;
    do {
      try {
        const [beganMs, beganWallMs] = [clock.now(), clock.wall()];
        const lease = await this.#acquire(stopping);
        if (lease && stopping.aborted) await this.#release(lease);
        else if (lease) await this.#serve(lease, { beganMs, beganWallMs }, stopping);
      } catch (error) {
        if (!stopping.aborted)
          log.warn({ lease: leaseName, err: error }, "the election could not be attended, will retry");
      }
    } while (await sleep(clock, this.#retryPeriodMs * (1 + 0.5 * random()), stopping));
  }

  /** Tries once to take the lease; `undefined` when it is somebody else's. */
  async #acquire(signal: AbortSignal): Promise<Stored<Lease> | undefined> {
    const { client, namespace, leaseName: name, identity, clock, log } = this.#options;
    // The write is not cut short by `stop`: a lease taken without our knowing would have to expire.
    const options = { timeoutMs: this.#renewDeadlineMs / 2, retries: 0, urgent: true };
    const lease = await client.find(LEASES, { namespace, name }, { ...options, signal });
    this.#see(lease?.spec);
    const why = claimable(lease?.spec, identity, clock.now() - (this.#seen?.at ?? 0));
    if (why === "held") return undefined;
    const facts = { identity, leaseDurationMs: this.#leaseDurationMs, wallMs: clock.wall() };
    const spec = acquired(lease && (lease.spec ?? {}), facts);
    try {
      const mine = lease
        ? await client.replace(LEASES, { ...lease, spec }, options)
        : await client.create(LEASES, { metadata: { namespace, name }, spec }, options);
      this.#see(mine.spec);
      log.info({ lease: name, identity, transitions: spec.leaseTransitions, because: why }, "leading");
      return mine;
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return undefined; // somebody was faster
      throw error;
    }
  }

  #see(spec: LeaseSpec | undefined): void {
    const text = JSON.stringify(spec ?? null);
    if (this.#seen?.text === text) return;
    const before = this.holder;
    this.#seen = { spec, text, at: this.#options.clock.now() };
    const { log, leaseName: lease, identity } = this.#options;
    if (this.holder !== before)
      log.info({ lease, identity, holder: this.holder ?? "nobody" }, "the lease changed hands");
  }

  /** One term, from the lease taken to the lease lost or released. */
  async #serve(
    lease: Stored<Lease>,
    { beganMs, beganWallMs }: { readonly beganMs: number; readonly beganWallMs: number },
    stopping: AbortSignal,
  ): Promise<void> {
    const { clock, log, metrics, leaseName: name, lead } = this.#options;
    const term = new RunningTerm({
      clock,
      trustMs: this.#renewDeadlineMs,
      fence: fenceOf(lease.metadata, lease.spec),
      transitions: lease.spec?.leaseTransitions ?? 0,
    });
    term.trustFrom(beganMs, beganWallMs);
    this.#term = term;
    metrics.leader.set({ name }, 1);
    const end = () => term.end();
    stopping.addEventListener("abort", end);
    if (stopping.aborted) end();
    const finished = new AbortController();
    const work = (async () => lead(term))()
      .catch((error: unknown) => log.error({ lease: name, err: error }, "the work of the term failed, the term ends"))
      .finally(() => finished.abort());
    try {
      const last = await this.#keep(lease, term, AbortSignal.any([finished.signal, term.lost]));
      if (term.isCurrent()) await this.#release(last);
      else log.warn({ lease: name, why: term.lostBecause }, "no longer leading");
    } finally {
      stopping.removeEventListener("abort", end);
      term.lose("the term is over");
      await work;
      this.#term = undefined;
      metrics.leader.set({ name }, 0);
    }
  }

  /** Renews until the work has finished or the term is lost; returns the lease as last written. */
  async #keep(lease: Stored<Lease>, term: RunningTerm, over: AbortSignal): Promise<Stored<Lease>> {
    const { clock, log, leaseName: name } = this.#options;
    let current = lease;
    while (await sleep(clock, this.#retryPeriodMs, over)) {
      if (!term.isCurrent()) {
        term.lose("authority ended before it could be renewed");
        break;
      }
      try {
        current = await this.#renew(current, term);
      } catch (error) {
        if (!term.lost.aborted) log.warn({ lease: name, err: error }, "the lease could not be renewed, will retry");
      }
    }
    return current;
  }

  async #renew(lease: Stored<Lease>, term: RunningTerm): Promise<Stored<Lease>> {
    const { client, clock, metrics, namespace, leaseName: name, identity } = this.#options;
    const [beganMs, beganWallMs] = [clock.now(), clock.wall()];
    const options = { signal: term.lost, timeoutMs: this.#renewDeadlineMs / 2, retries: 0, urgent: true };
    const write = async (base: Stored<Lease>) => {
      const mine = await client.replace(LEASES, { ...base, spec: renewed(base.spec ?? {}, clock.wall()) }, options);
      this.#see(mine.spec);
      term.trustFrom(beganMs, beganWallMs);
      return mine;
    };
    try {
      return await write(lease);
    } catch (error) {
      if (isNotFound(error)) term.lose("the lease was deleted");
      if (!isConflict(error)) throw error;
    }
    metrics.leaderSlowPath.inc({ name });
    const latest = await client.find(LEASES, { namespace, name }, options);
    this.#see(latest?.spec);
    const ours = latest?.spec?.holderIdentity === identity && latest.spec.leaseTransitions === term.transitions;
    if (ours && latest.metadata.uid === lease.metadata.uid) return write(latest);
    term.lose(latest ? `${this.holder ?? "nobody"} holds the lease` : "the lease was deleted");
    return lease;
  }

  async #release(lease: Stored<Lease>): Promise<void> {
    const { client, clock, log, leaseName: name } = this.#options;
    const spec = released(lease.spec ?? {}, clock.wall());
    try {
      const free = await client.replace(LEASES, { ...lease, spec }, { timeoutMs: 5000, retries: 0, urgent: true });
      this.#see(free.spec);
      log.info({ lease: name }, "stopped leading, the lease is released");
    } catch (error) {
      log.warn({ lease: name, err: error }, "stopped leading, but the lease could not be released: it will expire");
    }
  }
}
