/**
 * Thins floods of events. Pure but for the clock; the numbers are client-go's (`tools/record/events_cache.go`):
 *
 * - What repeats within 6 minutes becomes a series: one event, with a count.
 * - More than 10 different notes about one thing within 10 minutes are combined into one event.
 * - Writes about one object: 25 at once, then one per 5 minutes. What is not written is still counted, and shows in the
 *   next write of its series.
 */
import type { Clock } from "../runtime/clock.ts";
import { TokenBucket } from "../runtime/rate-limit.ts";
import type { EventFacts, EventObject } from "./events.ts";

const SERIES_MS = 360_000;
const NOTES_MS = 600_000;
const NOTES = 10;
const BUCKET = { burst: 25, perSecond: 1 / 300 };
/** Of each memory; the oldest entries are forgotten first. */
const REMEMBERED = 4096;

/** A run of the same event. */
export interface Series {
  /** How often it happened. */
  count: number;
  /** Monotonic milliseconds. */
  lastAt: number;
  /** Name of the event object, once it was written. */
  name?: string;
}

/** What to do about an event: write it (`note` may have been changed), count it on one that is written, or nothing. */
export type Correlation =
  | { readonly kind: "create"; readonly series: Series; readonly note: string }
  | { readonly kind: "repeat"; readonly series: Series }
  | { readonly kind: "drop" };

/** Remembers what was recorded lately. */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #notes = new Map<string, { readonly texts: Set<string>; lastAt: number }>();
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Decides about one event, in the order they happened. */
  correlate(event: EventFacts): Correlation {
    const object = identity(event.regarding);
    const group = JSON.stringify([
      object,
      event.related && identity(event.related),
      event.type,
      event.reason,
      event.action,
    ]);
    const combined = this.#countNotes(group, event.note) > NOTES;
    const key = combined ? `${group} *` : `${group} ${event.note}`;
    const series = this.#continue(key);
    const bucket = remember(this.#buckets, object, () => new TokenBucket({ clock: this.#clock, ...BUCKET }));
    if (!bucket.tryTake()) return { kind: "drop" };
    if (series.name !== undefined) return { kind: "repeat", series };
    return { kind: "create", series, note: combined ? `(combined from similar events): ${event.note}` : event.note };
  }

  #continue(key: string): Series {
    const now = this.#clock.now();
    const known = this.#series.get(key);
    if (known && now - known.lastAt > SERIES_MS) this.#series.delete(key);
    const series = remember(this.#series, key, () => ({ count: 0, lastAt: now }));
    series.count += 1;
    series.lastAt = now;
    return series;
  }

  #countNotes(group: string, note: string): number {
    const now = this.#clock.now();
    const known = this.#notes.get(group);
    if (known && now - known.lastAt > NOTES_MS) this.#notes.delete(group);
    const notes = remember(this.#notes, group, () => ({ texts: new Set<string>(), lastAt: now }));
    notes.lastAt = now;
    if (notes.texts.size <= NOTES) notes.texts.add(note);
    return notes.texts.has(note) && notes.texts.size <= NOTES ? notes.texts.size : NOTES + 1;
  }
}

function identity({ apiVersion, kind, metadata }: EventObject): string {
  return JSON.stringify([apiVersion, kind, metadata.namespace, metadata.name, metadata.uid]);
}

/** The entry of a key, made if need be, and moved to the end of the line of those to be forgotten. */
function remember<V>(memory: Map<string, V>, key: string, make: () => V): V {
  const value = memory.get(key) ?? make();
  memory.delete(key);
  memory.set(key, value);
  if (memory.size > REMEMBERED) memory.delete(memory.keys().next().value as string);
  return value;
}
