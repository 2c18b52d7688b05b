/**
 * Kubernetes events, written in the background.
 *
 * Invariants:
 * - `record` returns at once and never fails its caller. What repeats becomes one event with a count, floods are thinned
 *   (`event-correlator.ts`).
 * - Events are written one at a time, in the order they were recorded. One that fails is tried again, five times in about ten
 *   seconds, then discarded; one that no retry mends is discarded at once, and no other with it.
 * - An event has its name before the first try: if an answer is lost the next try finds it there, and it is not written twice.
 * - Events are no log: when the API server is away, more than 1,000 that wait are discarded. Every fate is counted
 *   (`events_recorded_total`: created, repeated, thinned, discarded).
 * - `stop` writes what still waits, for five seconds at most.
 */
import { randomBytes } from "node:crypto";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { BaseService } from "../runtime/service.ts";
import type { KubeClient } from "./client.ts";
import { isAlreadyExists, isNotFound, retryClassOf } from "./errors.ts";
import { EventCorrelator, type Series } from "./event-correlator.ts";
import type { KubeMetrics } from "./metrics.ts";
import { microTime } from "./micro-time.ts";
import { defineResource } from "./resources.ts";

/** The object an event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

/** Something worth telling people who run `kubectl describe`. */
export interface EventFacts {
  readonly regarding: EventObject;
  readonly related?: EventObject;
  readonly type: "Normal" | "Warning";
  /** Why, as one CamelCase word of a closed set. */
  readonly reason: string;
  /** What was done or tried, as one CamelCase word. */
  readonly action: string;
  /** A sentence; cut at 1,024 bytes. */
  readonly note: string;
}

/** How a recorder is made. */
export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** `reportingController`, e.g. "example.dev/operator". */
  readonly controller: string;
  /** `reportingInstance`: which replica. */
  readonly instance: string;
  /** Where events about cluster-scoped objects go (default "default"). */
  readonly namespace?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubeMetrics;
}

interface EventReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** events.k8s.io/v1. Everything but `series` is immutable. */
interface Event {
  readonly metadata?: object;
  readonly eventTime?: string;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly action?: string;
  readonly reason?: string;
  readonly regarding?: EventReference;
  readonly related?: EventReference | undefined;
  readonly note?: string;
  readonly type?: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

const EVENTS = defineResource<Event>({ group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" });

/** Limits of the API (`pkg/apis/core/validation/events.go`). */
const MAX_NOTE_BYTES = 1024;
/** An event's name is the object's and 17 more characters, and may have 253. */
const MAX_OBJECT_NAME = 230;
/** More waiting events than this are dropped: the API server is away, and events are no log. */
const MAX_WAITING = 1000;
const TRIES = 5;
const RETRY_MS = 1000;
const FLUSH_MS = 5000;

/** See the head of this file. */
export class EventRecorder extends BaseService {
  readonly #options: EventRecorderOptions;
  readonly #correlator: EventCorrelator;
  readonly #waiting: { readonly event: EventFacts; readonly wallMs: number }[] = [];
  /** Aborted when `stop` has waited long enough. */
  readonly #giveUp = new AbortController();
  #wake: () => void = () => {};

  constructor(options: EventRecorderOptions) {
    super(`event recorder ${options.controller}`);
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
  }

  /** Records an event. Returns at once; repeats are counted on the first event, floods are thinned. */
  record(event: EventFacts): void {
    const full = this.#waiting.length >= MAX_WAITING;
    if (full || this.stopping.aborted) return this.#count("discarded");
    this.#waiting.push({ event, wallMs: this.#options.clock.wall() });
    this.#wake();
  }

  protected override onStart(): void {
    let cancel = () => {};
    this.stopping.addEventListener("abort", () => {
      cancel = this.#options.clock.after(FLUSH_MS, () => this.#giveUp.abort());
      this.#wake();
    });
    this.run(async (stopping) => {
      await this.#loop(stopping);
      cancel();
    });
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) await this.#write(next.event, next.wallMs);
      else if (stopping.aborted) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #write(event: EventFacts, wallMs: number): Promise<void> {
    const decision = this.#correlator.correlate(event);
    if (decision.kind === "drop") return this.#count("thinned");
    const { clock, log } = this.#options;
    const name = nameFor(event); // the same for every try: one that arrived without our knowing is not written twice
    for (let attempt = 1; !this.#giveUp.signal.aborted; attempt += 1) {
      try {
        if (decision.kind === "create")
          await this.#create(event, decision.note, { name, series: decision.series, wallMs });
        else await this.#repeat(event, { name, series: decision.series, wallMs });
        return this.#count(decision.kind === "create" ? "created" : "repeated");
      } catch (error) {
        if (attempt >= TRIES || retryClassOf(error) === "never") {
          log.warn({ reason: event.reason, note: event.note, err: error }, "an event could not be written");
          break;
        }
        await sleep(clock, RETRY_MS * attempt, this.#giveUp.signal);
      }
    }
    this.#count("discarded");
  }

  async #create(event: EventFacts, note: string, { name, series, wallMs }: Writing): Promise<void> {
    const { client, controller, instance } = this.#options;
    const { type, reason, action, regarding, related } = event;
    const body = {
      metadata: { name, namespace: this.#namespaceOf(event) },
      eventTime: microTime(wallMs),
      reportingController: controller,
      reportingInstance: instance,
      type,
      reason,
      action,
      note: cut(note),
      regarding: reference(regarding),
      related: related && reference(related),
    };
    try {
      await client.create(EVENTS, body, { signal: this.#giveUp.signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error; // the answer to an earlier try was lost
    }
    series.name = name;
  }

  async #repeat(event: EventFacts, writing: Writing): Promise<void> {
    const { client } = this.#options;
    const { series, wallMs } = writing;
    const target = { namespace: this.#namespaceOf(event), name: series.name as string };
    const patch = { series: { count: series.count, lastObservedTime: microTime(wallMs) } };
    try {
      await client.mergePatch(EVENTS, target, patch, { signal: this.#giveUp.signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#create(event, event.note, writing); // it has expired (the API server keeps events for an hour)
    }
  }

  #namespaceOf({ regarding }: EventFacts): string {
    return regarding.metadata.namespace ?? this.#options.namespace ?? "default";
  }

  #count(result: "created" | "repeated" | "thinned" | "discarded"): void {
    this.#options.metrics.events.inc({ result });
  }
}

/** One event on its way: the name it gets if it is a new one. */
interface Writing {
  readonly name: string;
  readonly series: Series;
  readonly wallMs: number;
}

const nameFor = ({ regarding }: EventFacts): string =>
  `${regarding.metadata.name.slice(0, MAX_OBJECT_NAME)}.${randomBytes(8).toString("hex")}`;

function reference({ apiVersion, kind, metadata }: EventObject): EventReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, name, namespace, uid, resourceVersion };
}

/** Cut to what the API takes, between characters. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  let end = MAX_NOTE_BYTES - 3;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString()}...`;
}
