import { Gauge } from "prom-client";

/** One series of a gauge, and what it is now. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A gauge that can have its series made while somebody reads it, one after the other, instead of set beforehand and kept: with
 * some twenty for each of thousands of objects that is most of the memory of a scrape, and what is gone leaves nothing behind.
 */
export class LiveGauge extends Gauge {
  #source: (() => Iterable<Series>) | undefined;

  /** From now on its series are those of `source`, asked anew by every reader. No series may come twice. */
  show(source: () => Iterable<Series>): void {
    this.#source = source;
  }

  /** What it shows now, made while it is read; absent: it is a gauge like others, that is set. */
  get live(): Iterable<Series> | undefined {
    return this.#source?.();
  }

  override async get(): ReturnType<Gauge["get"]> {
    const metric = await super.get();
    const { live } = this;
    return live
      ? { ...metric, values: Array.from(live, ({ labels, value }) => ({ labels: { ...labels }, value })) }
      : metric;
  }
}
